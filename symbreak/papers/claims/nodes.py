"""Claims of P1 (arXiv:2501.12900), sections 1 and 2, on the matrices of nodes."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.observables import uniformity
from symbreak.papers.claims.claim import FAILS, HOLDS, LEVEL, OPEN, Claim, judge_trend, plain
from symbreak.results.averages import at_threshold, mean_and_error

#: "Almost equally" is said where the spread over labels is less than this many times that of a lot.
ALMOST = 1.5


def judge_nodes(statistics: xr.Dataset, threshold: float) -> list[Claim]:
    """Test how accuracy, noise and SNR go along the blocks, and where SNR_MIN is largest.

    Parameters
    ----------
    statistics : Dataset
        Statistics of the block outputs, joined over seeds.
    threshold : float
        Threshold of the tables.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example
    >>> statistics = block_tables(moments_example(), Statistics(thresholds=9))[0]
    >>> judge_nodes(statistics, 0.3)[1].claim
    'SNR rises along the blocks'
    """
    chosen = at_threshold(statistics, threshold)
    accuracy = "accuracy of the classifier heads rises along the blocks"
    return [
        judge_trend(chosen, "accuracy", accuracy, "0.464 to 0.811", 1),
        judge_trend(chosen, "snr", "SNR rises along the blocks", "1.74 to 3.28", 1),
        judge_trend(chosen, "noise", "noise n falls along the blocks", "517 to 417", -1),
        judge_trend(chosen, "diagonal", "diag of the last block exceeds the first", "9.3 to 14.6", 1),
        judge_trend(chosen, "n_clusters", "N_c of the last block exceeds the first", "3.3 to 4.9", 1),
        *_sizes(chosen),
        _robust(statistics),
        _peaks(statistics),
        *_uniform(chosen),
    ]


def _sizes(chosen: xr.Dataset) -> list[Claim]:
    if chosen.sizes["block"] < 3:
        return []
    claim = "C_s falls from the first block to the last but one"
    return [judge_trend(chosen.isel(block=slice(None, -1)), "cluster_size", claim, "2.8 to 1.8", -1)]


def _robust(statistics: xr.Dataset) -> Claim:
    inside = statistics.sel(threshold=slice(0.2, 0.4))
    mean, _ = mean_and_error(inside, "snr")
    above = mean.isel(block=-1) > mean.isel(block=0)
    share = float(above.mean())
    ours = f"last block above the first at {share:.0%} of {above.size} thresholds"
    claim = "the rise of SNR is robust for thresholds in [0.2, 0.4]"
    return Claim(claim, "robust", ours, "", HOLDS if share == 1 else FAILS)


def _peaks(statistics: xr.Dataset) -> Claim:
    mean, error = mean_and_error(statistics, "best_threshold")
    pairs = [
        f"block {int(b)}: {plain(v, e)}"
        for b, v, e in zip(mean.block.values[-2:], mean.values[-2:], error.values[-2:])
    ]
    last = float(mean.values[-1])
    verdict = OPEN if np.isnan(last) else HOLDS if 0.2 <= last <= 0.4 else FAILS
    return Claim(
        "SNR_MIN is largest at a threshold near 0.3 in the last block",
        "block 6: 0.15, block 7: 0.3",
        ", ".join(pairs),
        "",
        verdict,
    )


def _uniform(chosen: xr.Dataset) -> list[Claim]:
    """Fig. 4a: labels drawn at random are not held equally often either."""
    if "appearance" not in chosen:
        return []
    last = chosen.isel(block=-1)
    counts, n_matrices = np.atleast_2d(last.appearance), int(np.min(last.n_matrices))
    found = [uniformity(labels, n_matrices=n_matrices) for labels in counts]
    spread, chance, p = (
        float(np.mean([test.variation for test in found])),
        float(np.mean([test.variation_null for test in found])),
        float(np.max([test.p_value for test in found])),
    )
    return [
        Claim(
            "each label appears almost equally in the clusters of the last block",
            "almost equally (Fig. 4a)",
            f"appearances of a label vary by {spread:.0%} of their mean",
            f"{chance:.0%} where labels are drawn at random; p = {p:.2g} (largest of the seeds)",
            HOLDS if p > LEVEL or spread < ALMOST * chance else FAILS,
        )
    ]
