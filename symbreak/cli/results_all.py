"""What the verbs `tables`, `figures` and `null` do: all results of a network from the files in its folder."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbreak.cli import results_drawing as drawing
from symbreak.cli import results_files as files
from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from symbreak.config import Experiment

#: Names by part: `network` for what concerns all taps, else a tap.
NETWORK_TABLES, TAP_TABLES = ("taps",), tuple(drawing.TABLES)
NETWORK_FIGURES, TAP_FIGURES = ("training", "accuracy"), ("clusters", "snr", "labels", "matrix", "null")


class Source:
    """Files of one network."""

    def __init__(self, folder: Path, experiment: Experiment) -> None:
        self.folder, self.experiment = folder, experiment
        self.threshold = experiment.statistics.reference_threshold
        self.seeds = [folder / f"seed{seed}" for seed in experiment.seeds]

    def taps(self) -> list[str]:
        """Taps of the experiment that the network has."""
        found = [
            tap for tap in self.experiment.probes.taps if (self.folder / "statistics" / f"{tap}.nc").is_file()
        ]
        if not found:
            raise SymbreakError(f"There are no statistics in {self.folder}; run the workflow up to them.")
        return found

    def statistics(self, tap: str) -> xr.Dataset:
        """Statistics joined over seeds."""
        return files.load(self.folder / "statistics" / f"{tap}.nc", "statistics")

    def null(self, tap: str) -> xr.Dataset:
        """Statistics of the linear-Gaussian worlds."""
        return files.load(self.folder / "null" / f"{tap}.nc", "statistics")

    def moments(self, tap: str) -> Iterator[xr.Dataset]:
        """Moments seed by seed, opened one at a time."""
        return (files.load(seed / "moments" / f"{tap}.nc", "moments") for seed in self.seeds)

    def nodes(self, tap: str) -> xr.Dataset:
        """Scans of all nodes, joined over seeds."""
        return files.open_one([seed / "nodes" / f"{tap}.nc" for seed in self.seeds], "nodes")[1]


def tables(options: Namespace) -> None:
    """All tables of a network, or those asked for."""
    source, output = _source(options), options.output
    for part, names in _chosen(options, source, NETWORK_TABLES, TAP_TABLES):
        for name in names:
            table, title = _tap_table(name, part, source) if part != "network" else _taps_table(source)
            place = (output if part == "network" else output / part) / name
            note = drawing.NOTES.get(name, "")
            files.write_table(table, title, place.with_suffix(".csv"), place.with_suffix(".html"), note)


def figures(options: Namespace) -> None:
    """All figures of a network, or those asked for."""
    source, output = _source(options), options.output
    for part, names in _chosen(options, source, NETWORK_FIGURES, TAP_FIGURES):
        for name in names:
            figure = _draw_network(name, source) if part == "network" else _draw_tap(name, part, source)
            place = output if part == "network" else output / part
            for suffix in options.formats:
                files.write_figure(figure, place / f"{name}.{suffix}")


def null(options: Namespace) -> None:
    """Statistics of linear-Gaussian worlds that are as accurate as the measured blocks."""
    from symbreak.planted import null_statistics
    from symbreak.progress import Progress
    from symbreak.store import write_dataset
    from symbreak.store.joining import join_seeds
    from symbreak.store.provenance import derived

    source = _source(options)
    for tap in options.taps or [tap for tap in source.taps() if tap != "filters"]:
        found: list[xr.Dataset] = []
        facts: dict[str, Any] = {}
        for moments in Progress(
            source.moments(tap), total=len(source.seeds), desc=f"null {tap}", unit="seed"
        ):
            seed = int(moments.attrs["seed"])
            found.append(null_statistics(moments, source.experiment.statistics, seed, options.threads))
            title = f"statistics of linear-Gaussian worlds matched to {tap}"
            facts = derived(moments.attrs, source.experiment, f"The moments at {tap}", title=title)
        seeds = source.experiment.seeds
        facts["seed"] = seeds
        write_dataset(source.folder / "null" / f"{tap}.nc", join_seeds(found, seeds), "statistics", facts)


def _source(options: Namespace) -> Source:
    from symbreak.config import read

    return Source(options.folder, read(options.config))


def _chosen(
    options: Namespace, source: Source, of_network: tuple[str, ...], of_tap: tuple[str, ...]
) -> Iterator[tuple[str, list[str]]]:
    """Parts and the names to make of each; without a choice everything that the files allow."""
    taps = source.taps()
    drawing.check_names(options.parts or [], ["network", *taps], "part")
    drawing.check_names(options.names or [], [*of_network, *of_tap], "name")
    for part in options.parts or ["network", *taps]:
        known = of_network if part == "network" else of_tap
        if options.names:
            yield part, [name for name in known if name in options.names]
        else:
            yield part, [name for name in known if part == "network" or _possible(name, part, source)]


def _possible(name: str, tap: str, source: Source) -> bool:
    if name == "null":
        return (source.folder / "null" / f"{tap}.nc").is_file()
    return not (name == "robustness" and tap == "filters")


def _tap_table(name: str, tap: str, source: Source) -> tuple[pd.DataFrame, str]:
    from symbreak.results.tables import comparisons

    statistics = source.statistics(tap)
    if name == "robustness":
        table = comparisons.robustness_table(list(source.moments(tap)), source.threshold)
    elif name == "null":
        table = comparisons.null_table(statistics, source.null(tap), source.threshold)
    else:
        table = drawing.block_table(name, tap, statistics, source.experiment, source.threshold)
    return table, drawing.heading(drawing.TABLES[name], tap, statistics)


def _taps_table(source: Source) -> tuple[pd.DataFrame, str]:
    from symbreak.results.tables.nodes import tap_table

    statistics = {tap: source.statistics(tap) for tap in source.taps()}
    table = tap_table(statistics, source.threshold, paper=source.experiment.prints("P1"))
    origin = next(iter(statistics.values())).attrs["source"]
    return table, f"All taps of block {table.block[0]}: {origin}"


def _draw_network(name: str, source: Source) -> Figure:
    from symbreak.results.figures import plot_accuracy, plot_training

    statistics = {tap: source.statistics(tap) for tap in source.taps()}
    origin = next(iter(statistics.values())).attrs["source"]
    if name == "accuracy":
        return plot_accuracy(statistics, title=origin)
    return plot_training(files.histories([seed / "history.csv" for seed in source.seeds]), title=origin)


def _draw_tap(name: str, tap: str, source: Source) -> Figure:
    statistics, threshold = source.statistics(tap), source.threshold
    block = drawing.block_of(statistics, None)
    draw: dict[str, Callable[[], Figure]] = {
        "clusters": lambda: drawing.draw_clusters(tap, statistics, source.experiment, threshold),
        "snr": lambda: drawing.draw_snr(tap, statistics, threshold),
        "null": lambda: drawing.draw_null(tap, statistics, source.null(tap)),
        "labels": lambda: drawing.draw_labels(tap, statistics, source.nodes(tap), block, threshold),
        "matrix": lambda: drawing.draw_matrix(
            tap, next(source.moments(tap)), source.experiment, block, threshold
        ),
    }
    return draw[name]()
