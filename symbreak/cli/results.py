"""What the verbs `table`, `figure`, `tables` and `figures` do: open files, call the library, write files."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.cli import results_files as files
from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from symbreak.config import Experiment

TITLES = {
    "clusters": "Accuracy, clusters and noise elements of single nodes",
    "snr": "Signal, noise and signal-to-noise ratio of single nodes",
    "taps": "All taps of the last block",
}


def table_clusters(options: Namespace) -> None:
    """P1 Table 1."""
    _block_table(options, "clusters")


def table_snr(options: Namespace) -> None:
    """P1 Table 2."""
    _block_table(options, "snr")


def table_taps(options: Namespace) -> None:
    """All taps of one block."""
    from symbreak.reference.tables import tap_table

    statistics = files.open_by_tap(options.statistics, "statistics")
    first = next(iter(statistics.values()))
    experiment = files.experiment_of(options.config, first)
    table = tap_table(statistics, _threshold(options, experiment), options.block, experiment.published)
    title = f"All taps of block {table.block[0]}: {first.attrs['source']}"
    files.write_table(table, title, options.output, options.html)


def _block_table(options: Namespace, name: str) -> None:
    tap, statistics = files.open_one(options.statistics, "statistics")
    experiment = files.experiment_of(options.config, statistics)
    table = make_table(name, tap, statistics, experiment, _threshold(options, experiment))
    files.write_table(table, _heading(TITLES[name], tap, statistics), options.output, options.html)


def make_table(
    name: str, tap: str, statistics: xr.Dataset, experiment: Experiment, threshold: float
) -> pd.DataFrame:
    """Table of one tap by name."""
    from symbreak.reference import tables

    make = {"clusters": tables.cluster_table, "snr": tables.snr_table}[name]
    return make(statistics, threshold, experiment.published, tap)


def tables(options: Namespace) -> None:
    """All tables of a network."""
    from symbreak.config import read
    from symbreak.reference.tables import tap_table

    experiment, output = read(options.config), options.output
    threshold = experiment.statistics.reference_threshold
    paths = [options.folder / "statistics" / f"{tap}.nc" for tap in experiment.probes.taps]
    statistics = files.open_by_tap(paths, "statistics")
    for tap, dataset in statistics.items():
        for name in ("clusters", "snr"):
            table, place = make_table(name, tap, dataset, experiment, threshold), output / tap / name
            title = _heading(TITLES[name], tap, dataset)
            files.write_table(table, title, place.with_suffix(".csv"), place.with_suffix(".html"))
    table = tap_table(statistics, threshold, paper=experiment.published)
    title = f"{TITLES['taps']}: {dataset.attrs['source']}"
    files.write_table(table, title, output / "taps.csv", output / "taps.html")


def figure_training(options: Namespace) -> None:
    """Loss and accuracy against epoch."""
    from symbreak.figures import training

    files.write_figure(training(files.histories(options.histories)), options.output)


def figure_accuracy(options: Namespace) -> None:
    """Accuracy against block."""
    from symbreak.figures import accuracy

    statistics = files.open_by_tap(options.statistics, "statistics")
    title = next(iter(statistics.values())).attrs["source"]
    files.write_figure(accuracy(statistics, title=title), options.output)


def figure_clusters(options: Namespace) -> None:
    """N_c, C_s, diag and n against block."""
    tap, statistics = files.open_one(options.statistics, "statistics")
    experiment = files.experiment_of(options.config, statistics)
    files.write_figure(
        _clusters(tap, statistics, experiment, _threshold(options, experiment)), options.output
    )


def figure_snr(options: Namespace) -> None:
    """SNR against threshold."""
    tap, statistics = files.open_one(options.statistics, "statistics")
    experiment = files.experiment_of(options.config, statistics)
    files.write_figure(_snr(tap, statistics, _threshold(options, experiment)), options.output)


def figure_labels(options: Namespace) -> None:
    """Appearances and diagonal field of labels."""
    tap, statistics = files.open_one(options.statistics, "statistics")
    _, nodes = files.open_one(options.nodes, "nodes")
    experiment = files.experiment_of(options.config, statistics)
    block = _block(statistics, options.block)
    figure = _labels(tap, _alike(statistics, nodes), nodes, block, _threshold(options, experiment))
    files.write_figure(figure, options.output)


def figure_matrix(options: Namespace) -> None:
    """Matrix of a node or a head."""
    moments = files.load(options.moments, "moments")
    experiment = files.experiment_of(options.config, moments)
    block = _block(moments, options.block)
    threshold = _threshold(options, experiment)
    figure = _matrix(options.moments.stem, moments, experiment, block, threshold, options.node, options.head)
    files.write_figure(figure, options.output)


def figures(options: Namespace) -> None:
    """All figures of a network, or of some of its taps."""
    from symbreak.config import read

    experiment, taps = read(options.config), list(read(options.config).probes.taps)
    parts = options.parts or ["network", *taps]
    unknown = sorted(set(parts) - {"network", *taps})
    if unknown:
        raise SymbreakError(
            f"The experiment has no tap {unknown[0]}; choose among network, {', '.join(taps)}."
        )
    for part in parts:
        drawn = (
            _of_network(options.folder, experiment)
            if part == "network"
            else _of_tap(options.folder, experiment, part)
        )
        place = options.output if part == "network" else options.output / part
        for name, figure in drawn.items():
            for suffix in options.formats:
                files.write_figure(figure, place / f"{name}.{suffix}")


def _of_network(folder: Path, experiment: Experiment) -> dict[str, Figure]:
    from symbreak.figures import accuracy, training

    paths = [folder / "statistics" / f"{tap}.nc" for tap in experiment.probes.taps]
    statistics = files.open_by_tap(paths, "statistics")
    source = next(iter(statistics.values())).attrs["source"]
    runs = files.histories([folder / f"seed{seed}" / "history.csv" for seed in experiment.seeds])
    return {"training": training(runs, title=source), "accuracy": accuracy(statistics, title=source)}


def _of_tap(folder: Path, experiment: Experiment, tap: str) -> dict[str, Figure]:
    seeds = [folder / f"seed{seed}" for seed in experiment.seeds]
    statistics = files.load(folder / "statistics" / f"{tap}.nc", "statistics")
    _, nodes = files.open_one([seed / "nodes" / f"{tap}.nc" for seed in seeds], "nodes")
    moments = files.load(seeds[0] / "moments" / f"{tap}.nc", "moments")
    threshold, block = experiment.statistics.reference_threshold, _block(statistics, None)
    return {
        "clusters": _clusters(tap, statistics, experiment, threshold),
        "snr": _snr(tap, statistics, threshold),
        "labels": _labels(tap, _alike(statistics, nodes), nodes, block, threshold),
        "matrix": _matrix(tap, moments, experiment, block, threshold),
    }


def _clusters(tap: str, statistics: xr.Dataset, experiment: Experiment, threshold: float) -> Figure:
    from symbreak.figures import clusters
    from symbreak.reference.estimates import repetitions

    title = _title(f"Threshold {threshold:g}; error bars: {repetitions(statistics)[1]}", tap, statistics)
    return clusters(statistics, threshold, experiment.published, tap, title)


def _snr(tap: str, statistics: xr.Dataset, threshold: float) -> Figure:
    from symbreak.figures import snr
    from symbreak.reference.estimates import repetitions

    return snr(statistics, threshold, _title(f"Bands: {repetitions(statistics)[1]}", tap, statistics))


def _labels(tap: str, statistics: xr.Dataset, nodes: xr.Dataset, block: int, threshold: float) -> Figure:
    from symbreak.figures import labels
    from symbreak.reference.estimates import repetitions

    count, words = repetitions(statistics)
    over = f"mean over {count} seeds, thin lines: {words}" if count > 1 else words
    title = _title(f"Block {block}, threshold {threshold:g}; {over}", tap, statistics)
    return labels(statistics, nodes, block, threshold, title)


def _matrix(
    tap: str,
    moments: xr.Dataset,
    experiment: Experiment,
    block: int,
    threshold: float,
    node: int | None = None,
    head: int | None = None,
) -> Figure:
    from symbreak.figures import example_node, matrix

    settings = experiment.statistics
    if node is None and head is None:
        node = example_node(moments, block, threshold, settings.rule, settings.centred)
    field = moments.symbreak.matrix(block=block, node=node, head=head)
    which = f"node {node}" if head is None else f"head {head}"
    rule = settings.rule.replace("_", " ")
    title = (
        f"Block {block}, {which}, seed {moments.attrs['seed']}; threshold {threshold:g}, clusters by {rule}"
    )
    return matrix(field, threshold, settings.rule, _title(title, tap, moments))


def _alike(statistics: xr.Dataset, nodes: xr.Dataset) -> xr.Dataset:
    """Statistics with or without the dimension seed, as the nodes are."""
    if "seed" in statistics.dims and "seed" not in nodes.dims:
        seed = int(nodes.attrs["seed"])
        if seed not in statistics.seed:
            raise SymbreakError(
                f"The nodes are of seed {seed}, not among the statistics; give files of the same seeds."
            )
        return statistics.sel(seed=seed)
    return statistics


def _heading(what: str, tap: str, dataset: xr.Dataset) -> str:
    return f"{what}: {dataset.attrs['source']}; tap {tap}"


def _title(what: str, tap: str, dataset: xr.Dataset) -> str:
    return f"{dataset.attrs['source']}; tap {tap}\n{what}"


def _threshold(options: Namespace, experiment: Experiment) -> float:
    if options.threshold is None:
        return experiment.statistics.reference_threshold
    if not 0 < options.threshold < 1:
        raise SymbreakError(f"--threshold is {options.threshold:g}; give a fraction between 0 and 1.")
    return options.threshold


def _block(dataset: xr.Dataset, block: int | None) -> int:
    known = [int(number) for number in dataset.block.values]
    if block is None:
        return max(known)
    if block not in known:
        raise SymbreakError(f"There is no block {block}; choose one of {', '.join(map(str, known))}.")
    return block
