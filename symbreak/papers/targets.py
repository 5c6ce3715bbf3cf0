"""Every printed table of both papers: its networks and budgets, and how its target runs."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from symbreak.papers.fits import FITS, Fits
from symbreak.printed.networks import PrintedNetwork, printed_networks
from symbreak.results.registry import find


class Target(NamedTuple):
    """One printed table.

    Attributes
    ----------
    paper, number, what
        Which table, and what it shows.
    at_hand
        Whether its printed numbers are known here.
    rows
        Networks of its rows with their budgets: all of them are wanted for the full budget. None: exact
        mathematics, which needs no network.
    exact_epochs
        Whether the table compares budgets, so that a longer training is no substitute.
    dataset
        Of the paper.
    fits
        The runs of one experiment that measured the same, whatever their budget.
    paper_run, cpu_run
        Names of experiment and result, then network, tap or study; at the paper's budget and for two cores.
    also
        What else runs.
    """

    paper: str
    number: str
    what: str
    at_hand: str
    rows: tuple[PrintedNetwork, ...]
    exact_epochs: bool
    dataset: str
    fits: Fits
    paper_run: tuple[str, ...] | None
    cpu_run: tuple[str, ...] | None
    also: str

    @property
    def name(self) -> str:
        """Paper and number."""
        return f"{self.paper} Table {self.number}"


def targets() -> list[Target]:
    """All printed tables of P1 and P2, in order.

    Examples
    --------
    >>> [target.name for target in targets()][:5]
    ['P1 Table 1', 'P1 Table 2', 'P1 Table 3', 'P1 Table 4, left', 'P1 Table 4, middle']
    """
    text = files("symbreak.papers").joinpath("targets.yaml").read_text(encoding="utf-8")
    return [_target(entry) for entry in yaml.safe_load(text)]


def command(run: tuple[str, ...]) -> str:
    """Command that makes a page of tables, with everything that it needs.

    Examples
    --------
    >>> command(("cifar100", "snr", "cct", "block"))
    'snakemake --cores all results/cifar100/tables/cct/block/snr.html --configfile config/cifar100.yaml'
    """
    experiment, name, *place = run
    entry = find(name, "table")
    page = entry.files[-1].format(**dict(zip(entry.wildcards, place, strict=True)))
    return f"snakemake --cores all results/{experiment}/{page} --configfile config/{experiment}.yaml"


def _target(entry: dict[str, Any]) -> Target:
    if "network" in entry:
        rows = _network(entry["paper"], *entry["network"])
    else:
        tables = entry.get("rows", [])
        rows = tuple(row for table in tables for row in printed_networks(entry["paper"], table))
    paper_run, cpu_run = (tuple(entry[key]) if key in entry else None for key in ("paper_run", "cpu_run"))
    return Target(
        entry["paper"],
        entry["number"],
        entry["what"],
        entry["at_hand"],
        rows,
        entry.get("exact_epochs", False),
        entry["dataset"],
        FITS[entry["fits"]],
        paper_run,
        cpu_run,
        entry.get("also", ""),
    )


def _network(paper: str, architecture: str, epochs: int) -> tuple[PrintedNetwork, ...]:
    """Row of a table whose rows are all of one network: dimension 256, four heads in every block."""
    blocks = int(architecture.split("_")[1])
    return (PrintedNetwork(paper, "", architecture, 256, (4,) * blocks, epochs, None, {}, {}, {}),)
