"""Figures: Dataset in, matplotlib Figure out; one function per figure, no science, no global state."""

from symbreak.results.figures.blocks import clusters, null, snr
from symbreak.results.figures.committee import committees
from symbreak.results.figures.evolution import order_by_epoch
from symbreak.results.figures.head_matrices import head_agreement, head_pictures, head_statistics
from symbreak.results.figures.head_networks import head_networks
from symbreak.results.figures.head_order import order_by_block, owned_by_block, ownership_curves
from symbreak.results.figures.head_superclasses import superclass_filling
from symbreak.results.figures.heads import appearances, owned_labels
from symbreak.results.figures.labels import labels
from symbreak.results.figures.latency import latency
from symbreak.results.figures.learning import accuracy, training
from symbreak.results.figures.matrix import matrix
from symbreak.results.figures.pareto import pareto
from symbreak.results.figures.pruning import pruning_curves, pruning_layers, retraining
from symbreak.results.figures.pruning_front import pruning_front, silencing
from symbreak.results.figures.replicas import replica_overlaps

__all__ = [
    "accuracy",
    "appearances",
    "clusters",
    "committees",
    "head_agreement",
    "head_networks",
    "head_pictures",
    "head_statistics",
    "labels",
    "latency",
    "matrix",
    "null",
    "order_by_block",
    "order_by_epoch",
    "owned_by_block",
    "owned_labels",
    "ownership_curves",
    "pareto",
    "pruning_curves",
    "pruning_front",
    "pruning_layers",
    "replica_overlaps",
    "retraining",
    "silencing",
    "snr",
    "superclass_filling",
    "training",
]
