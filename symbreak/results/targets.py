"""What the workflow makes: its targets, the rules that make results, and lists that rules are made for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from symbreak.results.files import FILES
from symbreak.results.layout import Layout
from symbreak.results.registry import ENTRIES, SCOPES, SUBSCRIPT, Entry


class Group(NamedTuple):
    """Places at which the same results of one scope and category exist: one rule of the workflow.

    By category, so that what is wanted alone needs no more than its kind: latencies no training.

    Attributes
    ----------
    name, scope : str
        Of the rule.
    entries : list of Entry
        What it makes.
    values : dict of str to list of str
        Networks, and taps, studies or seeds; results exist for all combinations of them.
    reported : frozenset of str
        Names of the entries that the report shows.
    """

    name: str
    scope: str
    entries: list[Entry]
    values: dict[str, list[str]]
    reported: frozenset[str] = frozenset()

    @property
    def constraints(self) -> dict[str, str]:
        """Regular expressions that match these values and nothing else."""
        return {name: pattern(values) for name, values in self.values.items()}


class Batch(NamedTuple):
    """Networks that a job of the workflow takes together: seeds of one network, or any one network.

    Attributes
    ----------
    suffix : str
        Of the rule's name.
    names : list of str
        Taps or studies that the job makes files of.
    network, constraint : str
        Its name, or Snakemake's wildcard and the pattern of names that it may stand for.
    seeds : tuple of str
        The seeds; Snakemake's wildcard where a job takes one.
    log, words : str
        What they are called in names of logs, and in messages.
    """

    suffix: str
    names: list[str]
    network: str = "{network}"
    constraint: str = ".+"
    seeds: tuple[str, ...] = ("{seed}",)
    log: str = "{network}.seed{seed}"
    words: str = "{wildcards.network}, seed {wildcards.seed}"


def batches(layout: Layout, *kinds: str) -> list[Batch]:
    """What jobs take together: ``compute.seeds_per_job`` seeds of a network.

    With one seed, a rule serves all networks that have the same files; with more there is a rule for each
    batch, in the order of the seeds, so that seeds that are added later change no full batch.

    Examples
    --------
    >>> from symbreak.config import Experiment
    >>> settings = {"name": "x", "seeds": [1, 2, 3], "networks": {"cct": {}}}
    >>> [batch.seeds for batch in batches(Layout(Experiment(**settings)), "heads")]
    [('{seed}',)]
    >>> settings["compute"] = {"seeds_per_job": 2}
    >>> [(batch.suffix, batch.words) for batch in batches(Layout(Experiment(**settings)), "heads")]
    [('_cct_1', 'cct, seeds 1 to 2'), ('_cct_3', 'cct, seed 3')]
    """
    several = layout.experiment.compute.seeds_per_job
    if several == 1:
        return [Batch(suffix, names, constraint=alike) for suffix, names, alike in lists(layout, *kinds)]
    found = []
    for network in layout.experiment.networks:
        names = _names(layout, network, kinds)
        for first in range(0, len(layout.seeds) if names else 0, several):
            seeds = tuple(layout.seeds[first : first + several])
            ends = list(dict.fromkeys((seeds[0], seeds[-1])))
            words = f"{network}, seed{'s' if len(ends) > 1 else ''} {' to '.join(ends)}"
            log = f"{network}.seed{'-'.join(ends)}"
            suffix = f"_{re.sub(r'[^a-zA-Z0-9_]', '_', network)}_{seeds[0]}"
            found.append(Batch(suffix, list(names), network, re.escape(network), seeds, log, words))
    return found


def targets(layout: Layout) -> list[str]:
    """All files of all results, below the folder of the experiment."""
    return [
        file.format(**place._asdict())
        for scope in SCOPES
        for place in layout.places(scope)
        for entry in layout.entries(place)
        for file in entry.files
    ]


def sources(layout: Layout) -> list[str]:
    """All files that results are made of, which people open as well; below the folder of the experiment."""
    return list(dict.fromkeys(file for kind in FILES for file in layout.files(kind)))


def groups(layout: Layout) -> list[Group]:
    """Rules that make all results: one for each scope and category, more where networks or taps differ."""
    kinds = dict.fromkeys(
        (scope, entry.category) for scope in SCOPES for entry in ENTRIES if entry.scope == scope
    )
    return [group for scope, category in kinds for group in _groups(layout, scope, category)]


def _groups(layout: Layout, scope: str, category: str) -> Iterator[Group]:
    own = scope if scope in ("tap", "study", "seed") else ""
    networks: dict[tuple[str, tuple[Entry, ...], bool], list[str]] = {}
    for place in layout.places(scope):
        part = getattr(place, own) if own else ""
        entries = tuple(entry for entry in layout.entries(place) if entry.category == category)
        networks.setdefault((part, entries, layout.in_report(place)), []).append(place.network)
    parts: dict[tuple[tuple[str, ...], tuple[Entry, ...], bool], list[str]] = {}
    for (part, entries, shown), names in networks.items():
        if entries:
            parts.setdefault((tuple(names), entries, shown), []).append(part)
    full = layout.experiment.report.detail == "full"
    for number, ((alike, entries, shown), values) in enumerate(parts.items()):
        wildcards = {"network": list(alike)} if scope != "experiment" else {}
        wildcards |= {own: values} if own else {}
        name = f"{scope}_{category.lower()}{_suffix(number)}"
        reported = frozenset(entry.name for entry in entries if shown and (full or not entry.detail))
        yield Group(name, scope, list(entries), wildcards, reported)


def voting(layout: Layout, folder: str) -> list[str]:
    """Files of which committees are made: outputs of the members, those of other experiments, and latencies.

    Of other experiments, what is there is taken.
    """
    experiment = layout.experiment
    others = experiment.committee.others if experiment.committee else []
    own = [
        f"{network}/seed{seed}/logits/network.nc"
        for network in experiment.committee_of()
        for seed in experiment.seeds
    ]
    found = [
        str(path)
        for place in map(Path, others)
        for path in ([place] if place.suffix == ".nc" else sorted(place.glob("*/seed*/logits/network.nc")))
    ]
    return [f"{folder}/{path}" for path in [*own, *layout.files("latency")]] + found


def lists(layout: Layout, *kinds: str) -> list[tuple[str, list[str], str]]:
    """Networks that have files of the same names: suffix of a rule's name, names, pattern of networks.

    Outputs of a rule cannot depend on the network, so a rule whose outputs are all taps is made once for each
    list of taps; with one list its name has no suffix.

    Examples
    --------
    >>> from symbreak.config import Experiment
    >>> networks, probes = {"cct": {}, "v.1": {"architecture": "vgg_6"}}, {"taps": ["block", "filters"]}
    >>> lists(Layout(Experiment(name="x", networks=networks, probes=probes)), "statistics")
    [('', ['block'], 'cct'), ('_2', ['filters'], 'v\\\\.1')]
    """
    networks: dict[tuple[str, ...], list[str]] = {}
    for network in layout.experiment.networks:
        names = _names(layout, network, kinds)
        if names:
            networks.setdefault(names, []).append(network)
    return [
        (_suffix(number), list(names), pattern(alike))
        for number, (names, alike) in enumerate(networks.items())
    ]


def labels(entry: Entry) -> dict[str, str]:
    """Labels of a result in the report: where it was made, and what it shows.

    Results of one category have the same labels; what does not distinguish a result is called ``all``.

    Examples
    --------
    >>> from symbreak.results.registry import find
    >>> labels(find("taps", "table"))
    {'network': '{network}', 'tap': 'all', 'shows': 'all taps of the last block'}
    """
    columns = {name: "all" for one in ENTRIES if one.category == entry.category for name in one.wildcards}
    return columns | {name: f"{{{name}}}" for name in entry.wildcards} | {"shows": entry.shows}


def caption(entry: Entry) -> str:
    """Caption of a result in the report, for the template of Snakemake: reStructuredText and Jinja.

    Examples
    --------
    >>> from symbreak.results.registry import find
    >>> "at tap {{ snakemake.wildcards.tap }} against" in caption(find("clusters", "figure"))
    True
    """
    text = re.sub(r"([*`|\\])", r"\\\1", entry.caption)
    text = SUBSCRIPT.sub(r"\1\\ :sub:`\2`", text)
    return text.replace("{tap}", "{{ snakemake.wildcards.tap }}")


def pattern(values: Iterable[str]) -> str:
    """Regular expression that matches these words and nothing else.

    Examples
    --------
    >>> pattern(["a.b", "c"])
    'a\\\\.b|c'
    """
    return "|".join(re.escape(value) for value in values)


def _names(layout: Layout, network: str, kinds: Sequence[str]) -> tuple[str, ...]:
    return tuple(name or kind for kind in kinds for name in layout.names(kind, network))


def _suffix(number: int) -> str:
    return f"_{number + 1}" if number else ""
