"""Figures of the page of what was run: those that small result files are enough for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.cli import results_drawing as drawing
from symbreak.cli import results_files as files

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from symbreak.config import Experiment


def draw_experiment(folder: Path, place: Path) -> list[tuple[str, Path]]:
    """Draw what the files of an experiment allow; return what each figure shows, and where it is."""
    from symbreak.config import read

    experiment = read(folder / "experiment.yaml")
    drawn = []
    for network in experiment.networks:
        for what, name, figure in _of_network(folder / network, experiment):
            drawn.append((f"`{network}`: {what}", place / f"{folder.name}_{network}_{name}.png"))
            files.write_figure(figure, drawn[-1][1])
    for what, name, figure in _of_all(folder, experiment):
        drawn.append((what, place / f"{folder.name}_{name}.png"))
        files.write_figure(figure, drawn[-1][1])
    return drawn


def _of_network(folder: Path, experiment: Experiment) -> Iterator[tuple[str, str, Figure]]:
    """What is shown, name of the file, figure; for networks whose block outputs were measured."""
    from symbreak.results import figures

    if not (folder / "statistics" / "block.nc").exists():
        return
    threshold = experiment.statistics.reference_threshold
    statistics = files.load(folder / "statistics" / "block.nc", "statistics")
    words = "accuracy, clusters and noise of nodes against block"
    yield words, "clusters", drawing.draw_clusters("block", statistics, experiment, threshold)
    words = "signal-to-noise ratio of nodes against threshold"
    yield words, "snr", drawing.draw_snr("block", statistics, threshold)
    if (folder / "heads" / "attention.nc").exists():
        heads = files.load(folder / "heads" / "attention.nc", "heads")
        rotated = folder / "heads" / "attention_rotated.nc"
        beside = {"rotated": files.load(rotated, "heads")} if rotated.exists() else {}
        words = "labels owned by heads against block, beside chance"
        yield words, "owned", figures.plot_owned_by_block(heads, beside=beside)
        yield "matrices of heads against block", "matrices", figures.plot_head_statistics(heads, threshold)
    if (folder / "evolution" / "attention.nc").exists():
        evolution = files.load(folder / "evolution" / "attention.nc", "evolution")
        words = "order of the heads against training epoch, beside chance"
        yield words, "evolution", figures.plot_order_by_epoch(evolution)
    studies = experiment.studies_of(folder.name)
    if studies and all((folder / "pruning" / f"{name}.nc").exists() for name in studies):
        found = {name: files.load(folder / "pruning" / f"{name}.nc", "pruning") for name in studies}
        words = "accuracy against the share of kept weights, after retraining"
        yield words, "pruning", figures.plot_pruning_curves(found)


def _of_all(folder: Path, experiment: Experiment) -> Iterator[tuple[str, str, Figure]]:
    """Figures of several networks."""
    from symbreak.results import figures

    if (folder / "committee.nc").exists():
        committee = files.load(folder / "committee.nc", "committee")
        words = "agreement of networks, committees by size, seeds beside different networks"
        yield words, "committees", figures.plot_committees(committee)
        words = "accuracy against latency of networks and committees"
        yield words, "pareto", figures.plot_pareto(committee, experiment.prints("P2"))
    timed = {name: folder / name / "latency.nc" for name in experiment.networks}
    if all(path.exists() for path in timed.values()):
        latencies = {name: files.load(path, "latency") for name, path in timed.items()}
        yield "measured against nominal latency", "latency", figures.plot_latency(latencies)
