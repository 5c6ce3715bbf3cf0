"""Figures of results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.observables.nodes.mean_field import FEWEST_LABELS, block_mean_field
from symbreak.results import figures
from symbreak.results.averages import repetitions
from symbreak.results.context import Context
from symbreak.results.figures.matrix import example_unit, field_of
from symbreak.results.makers import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Thresholds of the mean-field curves.
THEORY = (0.05, 0.1, 0.2, 0.35, 0.5)


def draw_training(context: Context) -> Figure:
    """Loss and accuracy against epoch."""
    if context.present("statistics"):
        context.by_name("statistics")
    return figures.plot_training(context.histories(), title=context.source)


def draw_accuracy(context: Context) -> Figure:
    """Accuracy against block for every tap."""
    statistics = context.by_name("statistics")
    return figures.plot_accuracy(statistics, title=context.source)


def draw_clusters(context: Context) -> Figure:
    """N_c, C_s, diag and n against block."""
    statistics, threshold = context.one("statistics"), context.threshold
    words = _title(f"Threshold {threshold:g}; error bars: {repetitions(statistics)[1]}", context)
    paper = context.experiment.prints("P1")
    return figures.plot_clusters(statistics, threshold, paper, context.tap, words)


def draw_snr(context: Context) -> Figure:
    """SNR against threshold."""
    statistics = context.one("statistics")
    words = _title(f"Bands: {repetitions(statistics)[1]}", context)
    return figures.plot_snr(statistics, context.threshold, words)


def draw_null(context: Context) -> Figure:
    """SNR against threshold, of the network and of linear-Gaussian worlds."""
    statistics, worlds = context.one("statistics"), context.one("null")
    words = f"Network and linear-Gaussian null of the same accuracy; bands: {repetitions(statistics)[1]}"
    return figures.plot_null(statistics, worlds, _title(words, context))


def draw_mean_field(context: Context) -> Figure:
    """SNR against threshold with its mean-field theory."""
    statistics, moments = context.one("statistics"), context.first("moments")
    words, theory = f"Dashed: mean-field theory, no fit; bands: {repetitions(statistics)[1]}", None
    if moments.sizes["label"] >= FEWEST_LABELS:
        theory = block_mean_field(moments, THEORY, context.experiment.statistics.centred, groups=4)
    else:
        words = f"No theory: it needs at least {FEWEST_LABELS} labels"
    return figures.plot_mean_field(statistics, theory, _title(words, context))


def draw_labels(context: Context) -> Figure:
    """Appearances and diagonal field of labels."""
    nodes, threshold = context.one("nodes"), context.threshold
    statistics = _alike(context.one("statistics"), nodes)
    block = context.block_of(statistics)
    count, words = repetitions(statistics)
    over = f"mean over {count} seeds, thin lines: {words}" if count > 1 else "one seed"
    words = _title(f"Block {block}, threshold {threshold:g}; {over}", context)
    return figures.plot_labels(statistics, nodes, block, threshold, words)


def draw_matrix(context: Context) -> Figure:
    """Matrix of the node, head or filter that was asked for, or of an example."""
    moments, settings, threshold = context.first("moments"), context.experiment.statistics, context.threshold
    block = context.block_of(moments)
    asked = [(kind, context.choices.get(kind)) for kind in ("node", "head", "filter")]
    found = next(((kind, number) for kind, number in asked if number is not None), None)
    kind, number = found or example_unit(moments, block, threshold, settings.rule, settings.centred)
    field = field_of(moments, block, kind, number, settings.centred)
    rule = settings.rule.replace("_", " ")
    words = f"Block {block}, {kind} {number}, seed {moments.attrs['seed']}; threshold {threshold:g}, {rule}"
    return figures.plot_matrix(field, threshold, settings.rule, _title(words, context))


def draw_head_networks(context: Context) -> Figure:
    """Accuracy and matrices of heads against their number."""
    return figures.plot_head_networks(
        tables.tabulate_head_networks(context).frame, context.experiment.families
    )


def draw_heads_appearances(context: Context) -> Figure:
    """Appearances of labels in every head."""
    return figures.plot_appearances(context.one("heads"), context.experiment.seeds[0])


def draw_heads_labels(context: Context) -> Figure:
    """Owned labels and accuracies."""
    return figures.plot_owned_labels(context.one("heads"), seed=context.experiment.seeds[0])


def draw_heads_owned(context: Context) -> Figure:
    """Owned labels against block."""
    return figures.plot_owned_by_block(context.one("heads"), nulls=context.null_models())


def draw_heads_ratio(context: Context) -> Figure:
    """Owned labels against ratio."""
    return figures.plot_ownership_curves(context.one("heads"))


def draw_heads_order(context: Context) -> Figure:
    """Order parameters against block."""
    return figures.plot_order_by_block(context.one("heads"), nulls=context.null_models())


def draw_heads_statistics(context: Context) -> Figure:
    """Matrices of heads against block."""
    return figures.plot_head_statistics(context.one("heads"), context.threshold)


def draw_heads_agreement(context: Context) -> Figure:
    """Matrices of heads and the means of their nodes over thresholds."""
    return figures.plot_head_agreement(context.one("heads"))


def draw_heads_matrices(context: Context) -> Figure:
    """Matrix of a head and the mean of its nodes."""
    return figures.plot_head_matrices(context.first("moments"), centred=context.experiment.statistics.centred)


def draw_heads_overlap(context: Context) -> Figure:
    """Overlaps of seeds and blocks."""
    return figures.plot_replica_overlaps(context.one("replicas"), context.one("heads"))


def draw_heads_superclasses(context: Context) -> Figure:
    """Superclasses of every head."""
    return figures.plot_superclass_filling(context.one("heads"), seed=context.experiment.seeds[0])


def draw_heads_evolution(context: Context) -> Figure:
    """Order parameters against training epoch."""
    return figures.plot_order_by_epoch(context.one("evolution"))


def draw_attention_maps(context: Context) -> Figure:
    """Attention maps of the first seed."""
    return figures.plot_attention_maps(context.first("attention"), context.choices.get("block"))


def draw_latency(context: Context) -> Figure:
    """Nominal against measured latency."""
    found = {network: dataset for (network, _), dataset in context.by_network("latency").items()}
    return figures.plot_latency(found)


def draw_pruned_layers(context: Context) -> Figure:
    """Weights of the layers of a study."""
    return figures.plot_pruning_layers(context.one("pruning"))


def draw_retraining(context: Context) -> Figure:
    """Accuracy in each epoch of the retraining."""
    return figures.plot_retraining(context.one("pruning"))


def draw_pruning_curves(context: Context) -> Figure:
    """Accuracy against kept weights, all studies."""
    return figures.plot_pruning_curves(context.by_name("pruning"))


def draw_pruning_front(context: Context) -> Figure:
    """Accuracy against parameters, all studies."""
    return figures.plot_pruning_front(context.by_name("pruning"))


def draw_silencing(context: Context) -> Figure:
    """Silenced nodes."""
    return figures.plot_silencing(context.one("silencing"))


def draw_committees(context: Context) -> Figure:
    """Agreement, size and diversity."""
    return figures.plot_committees(context.one("committee"))


def draw_pareto(context: Context) -> Figure:
    """Accuracy against latency."""
    return figures.plot_pareto(context.one("committee"), context.experiment.prints("P2"))


def _title(words: str, context: Context) -> str:
    return f"{context.source}; tap {context.tap}\n{words}"


def _alike(statistics: xr.Dataset, nodes: xr.Dataset) -> xr.Dataset:
    """Statistics with or without the dimension seed, as the nodes are."""
    if "seed" not in statistics.dims or "seed" in nodes.dims:
        return statistics
    seed = int(nodes.attrs["seed"])
    if seed not in statistics.seed:
        raise SymbreakError(
            f"The nodes are of seed {seed}, not among the statistics; give files of the same seeds."
        )
    return statistics.sel(seed=seed)
