"""Observables: what the clusters of matrices say about nodes, heads and labels."""

from symbreak.observables.snr import SignalToNoise, best_threshold, block_statistics, signal_to_noise
from symbreak.observables.statistics import jackknife, pool_folds, statistics

__all__ = [
    "SignalToNoise",
    "best_threshold",
    "block_statistics",
    "jackknife",
    "pool_folds",
    "signal_to_noise",
    "statistics",
]
