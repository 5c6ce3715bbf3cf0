"""The scorecard of an experiment: every claim of the papers that its files can test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from symbreak.papers.claims.claim import Claim, adjust
from symbreak.papers.claims.committees import judge_committees
from symbreak.papers.claims.heads import judge_heads
from symbreak.papers.claims.nodes import judge_nodes
from symbreak.papers.claims.pruning import judge_pruning
from symbreak.results.context import Context
from symbreak.results.making import Table
from symbreak.store import open_dataset

#: Name of the rows that concern all networks together.
ALL = "all"

COLUMNS = ("network", "claim", "printed", "ours", "null", "verdict", "p")

NOTE = (
    "Verdicts: holds; does not hold (significant in the other direction); holds, as chance does (a null "
    "model shows the same trend); undecided; not testable (one seed, fewer than three blocks, or no error). "
    "A trend needs Page's test over seeds and blocks, whose two-sided p is shown, and a 95 % t interval of "
    "the differences within seeds that excludes zero; a count, an equality or a lead needs the p-values of "
    "the seeds, combined by Stouffer, and a lead the t interval too; a comparison of networks needs the "
    "permutation of which of them are seeds of each other. Every effect must reach the smallest that "
    "matters: 5 % of the first block, 0.01 in accuracy of blocks, 0.005 in accuracy after pruning and of "
    "committees, one label. p_holm is adjusted by Holm over all tested claims of the experiment, and a "
    "verdict whose p_holm exceeds 0.05 becomes undecided. No p: the claim was not tested."
)


def scorecard(folder: str | Path, config: dict[str, Any]) -> pd.DataFrame:
    """Test the claims of P1 (arXiv:2501.12900) and P2 (arXiv:2506.23832) on the files of an experiment.

    Parameters
    ----------
    folder : path
        ``results/{experiment}``, or a copy of it that keeps only small files. What is not there is not
        tested.
    config : dict
        The experiment.

    Returns
    -------
    DataFrame
        One row a network and claim: ``network``, ``claim``, ``printed``, ``ours`` (with its error),
        ``null``, ``verdict`` (holds, does not hold, holds as chance does, undecided, not testable), ``p`` and
        ``p_holm``, adjusted over all tested claims.

    Raises
    ------
    SymbreakError
        If a file is damaged.

    Examples
    --------
    >>> scorecard("none", {"networks": {"cct": {}}, "statistics": {"reference_threshold": 0.3}}).empty
    True
    """
    folder, threshold = Path(folder), config["statistics"]["reference_threshold"]
    studies = list(config.get("pruning", {}).get("studies", {}))
    rows = [
        (network, *claim)
        for network in config["networks"]
        if config["networks"][network].get("trained", True)
        for claim in judge_network(folder / network, threshold, studies)
    ]
    committees = _load(folder / "committee.nc", "committee")
    if committees is not None:
        rows += [(ALL, *claim) for claim in judge_committees(committees)]
    return adjust(pd.DataFrame(rows, columns=list(COLUMNS)))


def make_scorecard(context: Context) -> Table:
    """The scorecard as a result of an experiment."""
    table = scorecard(context.folder, context.experiment.model_dump(mode="json"))
    return Table(table, note=NOTE)


def judge_network(folder: Path, threshold: float, studies: Sequence[str] = ()) -> list[Claim]:
    """Claims on nodes, heads and pruning of one network, as far as its folder has their files."""
    statistics = _load(folder / "statistics" / "block.nc", "statistics")
    heads = _load(folder / "heads" / "attention.nc", "heads")
    claims = judge_nodes(statistics, threshold) if statistics is not None else []
    claims += judge_heads(heads, threshold) if heads is not None else []
    for name in studies:
        study = _load(folder / "pruning" / f"{name}.nc", "pruning")
        claims += judge_pruning(study, name) if study is not None else []
    return claims


def _load(path: Path, kind: str) -> xr.Dataset | None:
    if not path.exists():
        return None
    with open_dataset(path, kind) as dataset:
        return dataset.load()
