"""Tables and figures of the head analysis of one tap: open files, call the library, write files."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.cli import results_files as files
from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from symbreak.config import Experiment

#: Name of a table -> heading and the sentences below it.
TABLES = {
    "ownership": (
        "Labels owned by each head",
        "By chance: nodes shuffled among the heads (exact mean ± standard deviation). q: p after "
        "Benjamini-Hochberg over all blocks and heads of a seed, for all heads together over the blocks. "
        "Owned evident: owned, and appearances of the label itself too uneven for chance.",
    ),
    "superclasses": (
        "Superclasses filled by the labels of each head",
        "Filled i: superclasses of which the head owns i labels; random i: the same for as many random "
        "labels (exact mean ± standard deviation). Pairs: pairs of its labels in one superclass, with exact "
        "p and q after Benjamini-Hochberg over all blocks and heads of a seed.",
    ),
    "matrices": (
        "Matrices of heads",
        "Columns of Table 1 of arXiv:2506.23832: signal is N_label, noise_E "
        "N_noise, noise_I N_inter. Silenced at: the fully connected layer "
        "(readout) or, where it was measured, the input of the probe; changes are relative to the first.",
    ),
    "order": (
        "Order parameters of broken head symmetry",
        "0: heads alike, 1: every label in one head. By chance: nodes shuffled among the heads, mean ± "
        "standard deviation of one network; for agreement and advantage of owners: owners shuffled among "
        "labels. p: the largest of the seeds. Where the experiment has them: rotated, the features of "
        "the same networks after a random rotation; untrained, networks with their initial weights.",
    ),
}


def head_results(options: Namespace) -> None:
    """Write the tables and draw the figures of the heads of some taps."""
    from symbreak.config import read

    experiment, folder = read(options.config), options.folder
    for tap in options.taps or experiment.headed_taps:
        heads = files.load(folder / "heads" / f"{tap}.nc", "heads")
        replicas = files.load(folder / "replicas" / f"{tap}.nc", "replicas")
        first = folder / f"seed{experiment.seeds[0]}" / "moments" / f"{tap}.nc"
        moments = files.load(first, "moments")
        beside = _beside(options.beside or [])
        _write_tables(options.tables / tap, tap, heads, experiment, beside, folder.name)
        for name, figure in _figures(heads, replicas, moments, experiment, beside).items():
            files.write_figure(figure, options.figures / tap / f"heads_{name}.png")


def _beside(arguments: list[str]) -> dict[str, xr.Dataset]:
    """Null models by name, from arguments NAME=FILE."""
    found = {}
    for argument in arguments:
        name, _, path = argument.partition("=")
        if not name or not path:
            raise SymbreakError(f"--beside {argument} is not NAME=FILE; give for instance rotated=heads.nc.")
        found[name] = files.load(Path(path), "heads")
    return found


def _write_tables(
    folder: Path,
    tap: str,
    heads: xr.Dataset,
    experiment: Experiment,
    beside: dict[str, xr.Dataset],
    network: str,
) -> None:
    from symbreak.printed.networks import printed_blocks
    from symbreak.results.render import Page
    from symbreak.results.tables import heads as reference
    from symbreak.results.tables.order import order_table
    from symbreak.store.atomic import replacing_text

    asked = experiment.prints("P2") and tap == "attention" and network in experiment.networks
    printed = printed_blocks(experiment.networks[network]) if asked else None

    tables = {
        "ownership": reference.ownership_table(heads),
        "matrices": reference.matrix_table(heads, experiment.statistics.reference_threshold, printed),
        "order": order_table(heads, beside),
    }
    if "filling_count" in heads:
        tables["superclasses"] = reference.filling_table(heads)
    place = f"{heads.attrs['source']}, tap {tap}"
    for name, table in tables.items():
        title, note = TABLES[name]
        files.write_table(table, "", folder / f"heads_{name}.csv", None)
        files.write_table(table, f"{title}: {place}", None, folder / f"heads_{name}.html", note)
    page = Page(f"Do the heads differ beyond chance? {place}")
    page.points(reference.sentences(heads))
    replacing_text(folder / "heads_sentences.html", page.html())


def _figures(
    heads: xr.Dataset,
    replicas: xr.Dataset,
    moments: xr.Dataset,
    experiment: Experiment,
    beside: dict[str, xr.Dataset],
) -> dict[str, Figure]:
    from symbreak.results import figures

    settings, seed = experiment.statistics, experiment.seeds[0]
    drawn = {
        "appearances": figures.plot_appearances(heads, seed),
        "labels": figures.plot_owned_labels(heads, seed=seed),
        "owned": figures.plot_owned_by_block(heads, beside=beside),
        "ratio": figures.plot_ownership_curves(heads),
        "order": figures.plot_order_by_block(heads, beside=beside),
        "statistics": figures.plot_head_statistics(heads, settings.reference_threshold),
        "agreement": figures.plot_head_agreement(heads),
        "matrices": figures.plot_head_matrices(moments, centred=settings.centred),
        "overlap": figures.plot_replica_overlaps(replicas, heads),
    }
    if "filling_count" in heads:
        drawn["superclasses"] = figures.plot_superclass_filling(heads, seed=seed)
    return drawn
