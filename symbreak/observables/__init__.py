"""Observables: what the clusters of matrices say about nodes, heads and labels."""

from symbreak.observables.robustness import robustness
from symbreak.observables.snr import SignalToNoise, best_threshold, block_statistics, signal_to_noise
from symbreak.observables.statistics import jackknife, pool_folds, statistics
from symbreak.observables.uniformity import Uniformity, uniformity

__all__ = [
    "SignalToNoise",
    "Uniformity",
    "best_threshold",
    "block_statistics",
    "jackknife",
    "pool_folds",
    "robustness",
    "signal_to_noise",
    "statistics",
    "uniformity",
]
