"""Pruning by the labels of nodes (ANDC) and its controls, retraining, silenced nodes, compact forms."""

from symbreak.pruning.export import compact_forms, measure_forms
from symbreak.pruning.sets import balanced_sets, expected_fraction, intersect, label_sets
from symbreak.pruning.studies import prune

__all__ = [
    "balanced_sets",
    "compact_forms",
    "expected_fraction",
    "intersect",
    "label_sets",
    "measure_forms",
    "prune",
]
