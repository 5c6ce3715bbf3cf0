"""Figures: Dataset in, matplotlib Figure out; one function per figure, no science, no global state."""

from symbreak.figures.blocks import clusters, null, snr
from symbreak.figures.labels import labels
from symbreak.figures.learning import accuracy, training
from symbreak.figures.matrix import matrix

__all__ = ["accuracy", "clusters", "labels", "matrix", "null", "snr", "training"]
