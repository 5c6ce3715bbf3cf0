"""What the verbs `table` and `figure` do: open files, call the library, write one file."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from symbreak.cli import results_drawing as drawing
from symbreak.cli import results_files as files
from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    from symbreak.config import Experiment


def table_clusters(options: Namespace) -> None:
    """P1 Table 1."""
    _block_table(options, "clusters")


def table_snr(options: Namespace) -> None:
    """P1 Table 2."""
    _block_table(options, "snr")


def _block_table(options: Namespace, name: str) -> None:
    tap, statistics = files.open_one(options.statistics, "statistics")
    experiment = files.experiment_of(options.config, statistics)
    table = drawing.block_table(name, tap, statistics, experiment, _threshold(options, experiment))
    heading = drawing.heading(drawing.TABLES[name], tap, statistics)
    files.write_table(table, heading, options.output, options.html)


def table_taps(options: Namespace) -> None:
    """All taps of one block."""
    from symbreak.results.tables.nodes import tap_table

    statistics = files.open_by_tap(options.statistics, "statistics")
    first = next(iter(statistics.values()))
    experiment = files.experiment_of(options.config, first)
    table = tap_table(statistics, _threshold(options, experiment), options.block, experiment.prints("P1"))
    title = f"All taps of block {table.block[0]}: {first.attrs['source']}"
    files.write_table(table, title, options.output, options.html)


def table_networks(options: Namespace) -> None:
    """Last blocks of all networks."""
    from symbreak.results.tables.comparisons import network_table

    statistics = {
        (path.parent.parent.name, path.stem): files.load(path, "statistics") for path in options.statistics
    }
    experiment = files.experiment_of(options.config, next(iter(statistics.values())))
    table = network_table(statistics, _threshold(options, experiment))
    files.write_table(table, "Last blocks: nodes and filters", options.output, options.html)


def table_head_networks(options: Namespace) -> None:
    """Heads of the last blocks of all networks (P2 Table 2)."""
    from symbreak.printed.networks import PRINTED_HEADS, printed_for
    from symbreak.results.tables.heads import head_network_table

    heads = {(path.parent.parent.name, path.stem): files.load(path, "heads") for path in options.heads}
    experiment = files.experiment_of(options.config, next(iter(heads.values())))
    printed = printed_for(experiment, PRINTED_HEADS) if experiment.prints("P2") else None
    table = head_network_table(heads, _threshold(options, experiment), printed)
    title, note = "Last blocks: heads", drawing.NOTES["head-networks"]
    files.write_table(table, title, options.output, options.html, note)


def figure_head_networks(options: Namespace) -> None:
    """Accuracy and matrices of heads against their number (P2 Tables 2 and 3)."""
    from symbreak.printed.networks import PRINTED_HEADS, printed_for
    from symbreak.results.figures import plot_head_networks
    from symbreak.results.tables.heads import head_network_table

    heads = {(path.parent.parent.name, path.stem): files.load(path, "heads") for path in options.heads}
    experiment = files.experiment_of(options.config, next(iter(heads.values())))
    printed = printed_for(experiment, PRINTED_HEADS) if experiment.prints("P2") else None
    table = head_network_table(heads, _threshold(options, experiment), printed)
    files.write_figure(plot_head_networks(table, experiment.families), options.output)


def table_attention(options: Namespace) -> None:
    """Attention maps of best heads beside chance."""
    from symbreak.results.tables.order import attention_table

    datasets = [files.load(path, "attention") for path in options.attention]
    table = attention_table(datasets)
    title = f"Attention maps of heads: {datasets[0].attrs['source']}"
    files.write_table(table, title, options.output, options.html, drawing.NOTES["attention"])


def table_robustness(options: Namespace) -> None:
    """All combinations of open choices."""
    from symbreak.results.tables.comparisons import robustness_table

    tap, moments = files.open_each(options.moments, "moments")
    experiment = files.experiment_of(options.config, moments[0])
    table = robustness_table(moments, _threshold(options, experiment))
    heading = drawing.heading(drawing.TABLES["robustness"], tap, moments[0])
    files.write_table(table, heading, options.output, options.html, drawing.NOTES["robustness"])


def table_null(options: Namespace) -> None:
    """Network and null."""
    from symbreak.results.tables.comparisons import null_table

    tap, statistics = files.open_one(options.statistics, "statistics")
    _, worlds = files.open_one(options.null, "statistics")
    experiment = files.experiment_of(options.config, statistics)
    table = null_table(statistics, worlds, _threshold(options, experiment))
    heading = drawing.heading(drawing.TABLES["null"], tap, statistics)
    files.write_table(table, heading, options.output, options.html, drawing.NOTES["null"])


def figure_training(options: Namespace) -> None:
    """Loss and accuracy against epoch."""
    from symbreak.results.figures import plot_training

    files.write_figure(plot_training(files.histories(options.histories)), options.output)


def figure_accuracy(options: Namespace) -> None:
    """Accuracy against block."""
    from symbreak.results.figures import plot_accuracy

    statistics = files.open_by_tap(options.statistics, "statistics")
    title = next(iter(statistics.values())).attrs["source"]
    files.write_figure(plot_accuracy(statistics, title=title), options.output)


def figure_clusters(options: Namespace) -> None:
    """N_c, C_s, diag and n against block."""
    tap, statistics = files.open_one(options.statistics, "statistics")
    experiment = files.experiment_of(options.config, statistics)
    figure = drawing.draw_clusters(tap, statistics, experiment, _threshold(options, experiment))
    files.write_figure(figure, options.output)


def figure_snr(options: Namespace) -> None:
    """SNR against threshold."""
    tap, statistics = files.open_one(options.statistics, "statistics")
    experiment = files.experiment_of(options.config, statistics)
    files.write_figure(drawing.draw_snr(tap, statistics, _threshold(options, experiment)), options.output)


def figure_null(options: Namespace) -> None:
    """SNR against threshold, with the null."""
    tap, statistics = files.open_one(options.statistics, "statistics")
    _, worlds = files.open_one(options.null, "statistics")
    files.write_figure(drawing.draw_null(tap, statistics, worlds), options.output)


def figure_labels(options: Namespace) -> None:
    """Appearances and diagonal field of labels."""
    tap, statistics = files.open_one(options.statistics, "statistics")
    _, nodes = files.open_one(options.nodes, "nodes")
    experiment = files.experiment_of(options.config, statistics)
    block = drawing.block_of(statistics, options.block)
    figure = drawing.draw_labels(tap, statistics, nodes, block, _threshold(options, experiment))
    files.write_figure(figure, options.output)


def figure_attention(options: Namespace) -> None:
    """Attention maps of heads of chosen images, and similarities of all."""
    from symbreak.results.figures.attention import plot_attention_maps

    attention = files.load(options.attention, "attention")
    files.write_figure(plot_attention_maps(attention, options.block), options.output)


def figure_matrix(options: Namespace) -> None:
    """Matrix of a node, a head or a filter."""
    moments = files.load(options.moments, "moments")
    experiment = files.experiment_of(options.config, moments)
    block = drawing.block_of(moments, options.block)
    asked = [(kind, getattr(options, kind)) for kind in ("node", "head", "filter")]
    which = next(((kind, number) for kind, number in asked if number is not None), None)
    threshold = _threshold(options, experiment)
    figure = drawing.draw_matrix(options.moments.stem, moments, experiment, block, threshold, which)
    files.write_figure(figure, options.output)


def _threshold(options: Namespace, experiment: Experiment) -> float:
    if options.threshold is None:
        return experiment.statistics.reference_threshold
    if not 0 < options.threshold < 1:
        raise SymbreakError(f"--threshold is {options.threshold:g}; give a fraction between 0 and 1.")
    return options.threshold
