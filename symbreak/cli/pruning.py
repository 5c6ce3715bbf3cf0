"""Verbs of pruning: open files, call the library, write files."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    import xarray as xr

#: Name of a table -> heading and the sentences below it.
TABLES = {
    "layers": (
        "Pruned layers",
        "Columns of Table 3 of arXiv:2501.12900. Kept: fraction of the weights of the layer; expected: the "
        "same for independent label sets of the same sizes, 1 - C(L-a,b)/C(L,b). The last row of a setting "
        "is all its layers together.",
    ),
    "methods": (
        "Accuracy after pruning",
        "All methods keep the same number of weights in every layer. andc: nodes share a label; artificial: "
        "of balanced random label sets (A-ANDC); magnitude: largest weights. Before: pruned, not retrained. "
        "Loss: accuracy of the network without pruning, retrained alike, minus that of the pruned one.",
    ),
    "export": (
        "What the pruned network weighs and costs",
        "The network of the first setting in several forms. Latency: median time of a batch of so many "
        "images on the processor that ran this job. A gain above 1 is faster, or smaller, than before.",
    ),
}
SILENCING = (
    "Silenced nodes",
    "Nodes before the readout whose output is set to zero; by chance: as many random nodes, mean ± standard "
    "deviation of draws. p: share of the draws that do as little harm. Trained anew: only the readout "
    "weights of these nodes, from zero, all else held.",
)


def prune(options: Namespace) -> None:
    """Prune the network of one seed in every way that its experiment asks for."""
    from symbreak.cli.verbs import _use_threads

    _use_threads(options.threads)
    from symbreak.config import read
    from symbreak.pruning import prune

    prune(read(options.config), options.folder)


def prune_results(options: Namespace) -> None:
    """Write the tables and draw the figures of the pruning of a network."""
    from symbreak.cli import results_files as files
    from symbreak.config import read
    from symbreak.results import figures

    experiment, folder = read(options.config), options.folder
    studies = options.studies or experiment.studies_of(folder.name)
    if not studies:
        raise SymbreakError(f"No study of the experiment prunes {folder.name}; add one to `pruning.studies`.")
    found = {name: files.load(folder / "pruning" / f"{name}.nc", "pruning") for name in studies}
    for name, study in found.items():
        place = options.figures / "pruning"
        _write_tables(options.tables / "pruning" / name, name, study, experiment.prints("P1"))
        files.write_figure(figures.plot_pruning_layers(study), place / name / "layers.png")
        files.write_figure(figures.plot_retraining(study), place / name / "retraining.png")
    files.write_figure(figures.plot_pruning_curves(found), options.figures / "pruning" / "curves.png")
    files.write_figure(figures.plot_pruning_front(found), options.figures / "pruning" / "front.png")
    silenced = folder / "pruning" / "silencing.nc"
    if silenced.exists():
        _write_silencing(options, files.load(silenced, "silencing"))


def _write_tables(folder: Path, name: str, study: xr.Dataset, paper: str | None) -> None:
    from symbreak.cli import results_files as files
    from symbreak.results.tables import pruning as reference

    tables = {
        "layers": reference.layer_table(study, paper),
        "methods": reference.method_table(study, paper),
        "export": reference.export_table(study),
    }
    for key, table in tables.items():
        title, note = TABLES[key]
        heading = f"{title}: {study.attrs['source']}, study {name}"
        files.write_table(table, heading, folder / f"{key}.csv", folder / f"{key}.html", note)


def _write_silencing(options: Namespace, silenced: xr.Dataset) -> None:
    from symbreak.cli import results_files as files
    from symbreak.results import figures
    from symbreak.results.tables.pruning import silencing_table

    title, note = SILENCING
    folder = options.tables / "pruning"
    heading = f"{title}: {silenced.attrs['source']}"
    table = silencing_table(silenced)
    files.write_table(table, heading, folder / "silencing.csv", folder / "silencing.html", note)
    files.write_figure(figures.plot_silencing(silenced), options.figures / "pruning" / "silencing.png")
