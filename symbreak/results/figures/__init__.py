"""Figures: Dataset in, matplotlib Figure out; one function per figure, no science, no global state."""

from symbreak.results.figures.attention import plot_attention_maps
from symbreak.results.figures.blocks import plot_clusters, plot_null, plot_snr
from symbreak.results.figures.committee import plot_committees
from symbreak.results.figures.head_matrices import (
    plot_head_agreement,
    plot_head_matrices,
    plot_head_statistics,
)
from symbreak.results.figures.head_networks import plot_head_networks
from symbreak.results.figures.head_superclasses import plot_superclass_filling
from symbreak.results.figures.heads import plot_appearances, plot_owned_labels
from symbreak.results.figures.labels import plot_labels
from symbreak.results.figures.latency import plot_latency, plot_pareto
from symbreak.results.figures.learning import plot_accuracy, plot_training
from symbreak.results.figures.matrix import plot_matrix
from symbreak.results.figures.mean_field import plot_mean_field
from symbreak.results.figures.order import (
    plot_order_by_block,
    plot_order_by_epoch,
    plot_owned_by_block,
    plot_ownership_curves,
)
from symbreak.results.figures.pruning import plot_pruning_curves, plot_pruning_layers, plot_retraining
from symbreak.results.figures.pruning_front import plot_pruning_front, plot_silencing
from symbreak.results.figures.replicas import plot_replica_overlaps

__all__ = [
    "plot_accuracy",
    "plot_appearances",
    "plot_attention_maps",
    "plot_clusters",
    "plot_committees",
    "plot_head_agreement",
    "plot_head_matrices",
    "plot_head_networks",
    "plot_head_statistics",
    "plot_labels",
    "plot_latency",
    "plot_matrix",
    "plot_mean_field",
    "plot_null",
    "plot_order_by_block",
    "plot_order_by_epoch",
    "plot_owned_by_block",
    "plot_owned_labels",
    "plot_ownership_curves",
    "plot_pareto",
    "plot_pruning_curves",
    "plot_pruning_front",
    "plot_pruning_layers",
    "plot_replica_overlaps",
    "plot_retraining",
    "plot_silencing",
    "plot_snr",
    "plot_superclass_filling",
    "plot_training",
]
