"""Claims of P1 (arXiv:2501.12900), sections 1 and 2, on the matrices of nodes."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.stats import norm

from symbreak.numerics.combining import both_sides, combine_seeds, paired_difference
from symbreak.numerics.estimates import jackknife_error
from symbreak.observables import uniformity
from symbreak.papers.claims.claim import UNDECIDED, Claim, decide, per_seed, plain
from symbreak.papers.claims.trends import interval, judge_trend, trend
from symbreak.results.averages import at_threshold, mean_and_error, with_seeds

#: "Almost equally" is said where the spread over labels is less than this many times that of chance.
ALMOST = 1.5
#: Accuracies of blocks that differ by less do not matter.
SMALLEST_GAIN = 0.01
#: Thresholds of the claims on SNR and SNR_MIN.
NEAR = slice(0.2, 0.4)
AS_TRAINED = "means as trained: offsets common to all labels are part of them"


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
        judge_trend(chosen, "accuracy", accuracy, "0.464 to 0.811", 1, smallest=SMALLEST_GAIN),
        judge_trend(chosen, "snr", "SNR rises along the blocks", "1.74 to 3.28", 1, AS_TRAINED),
        judge_trend(chosen, "noise", "noise n falls along the blocks", "517 to 417", -1, AS_TRAINED),
        judge_trend(chosen, "diagonal", "diag of the last block exceeds the first", "9.3 to 14.6", 1),
        judge_trend(chosen, "n_clusters", "N_c of the last block exceeds the first", "3.3 to 4.9", 1),
        *_sizes(chosen),
        *_near(statistics),
        *_uniform(chosen),
    ]


def _sizes(chosen: xr.Dataset) -> list[Claim]:
    if chosen.sizes["block"] < 3:
        return []
    claim = "C_s falls from the first block to the last but one"
    return [judge_trend(chosen.isel(block=slice(None, -1)), "cluster_size", claim, "2.8 to 1.8", -1)]


def _near(statistics: xr.Dataset) -> list[Claim]:
    """Claims on thresholds near 0.3, where some were scanned there and some elsewhere."""
    n_near = statistics.sel(threshold=NEAR).sizes["threshold"]
    return [_robust(statistics), _peaks(statistics)] if 0 < n_near < statistics.sizes["threshold"] else []


def _robust(statistics: xr.Dataset) -> Claim:
    """The rise must hold at every threshold: the p-value is the largest of the thresholds."""
    inside = with_seeds(statistics).snr.sel(threshold=NEAR).transpose("threshold", "seed", "block")
    found = [trend(values, 1) for values in inside.values]
    means = inside.mean("seed")
    share = float((means.isel(block=-1) > means.isel(block=0)).mean())
    verdicts = {one.verdict for one in found}
    return Claim(
        "the rise of SNR is robust for thresholds in [0.2, 0.4]",
        "robust",
        f"last block above the first at {share:.0%} of {len(found)} thresholds",
        AS_TRAINED,
        verdicts.pop() if len(verdicts) == 1 else UNDECIDED,
        float(np.max([one.p for one in found])),
    )


def _peaks(statistics: xr.Dataset) -> Claim:
    """Compare the largest SNR_MIN inside and outside the claimed range, within the seeds."""
    mean, error = mean_and_error(statistics, "best_threshold")
    pairs = [
        f"block {int(b)}: {plain(v, e)}"
        for b, v, e in zip(mean.block.values[-2:], mean.values[-2:], error.values[-2:])
    ]
    minimum = with_seeds(statistics).snr_minimum.isel(block=-1)
    inside = minimum.sel(threshold=NEAR)
    outside = minimum.drop_sel(threshold=inside.threshold)
    found = paired_difference(inside.max("threshold") - outside.max("threshold"))
    p = np.nan if np.isnan(mean.values[-1]) else found.p_value
    return Claim(
        "SNR_MIN is largest at a threshold near 0.3 in the last block",
        "block 6: 0.15, block 7: 0.3",
        f"{', '.join(pairs)}; {interval('best in [0.2, 0.4] minus best elsewhere', found)}",
        "",
        decide(p, found.mean),
        p,
    )


def _uniform(chosen: xr.Dataset) -> list[Claim]:
    """Fig. 4a: labels drawn at random are not held equally often either; the margin is relative to them."""
    if "appearance" not in chosen:
        return []
    last = chosen.isel(block=-1)
    counts, matrices = per_seed(last, "appearance"), per_seed(last, "n_matrices")
    found = [uniformity(labels, n_matrices=int(n)) for labels, n in zip(counts, matrices)]
    spread, chance = (
        float(np.mean([getattr(one, f"variation{end}") for one in found])) for end in ("", "_null")
    )
    p_values = [_almost_equal(labels, int(n)) for labels, n in zip(counts, matrices)]
    p = both_sides(p_values)
    return [
        Claim(
            "each label appears almost equally in the clusters of the last block",
            "almost equally (Fig. 4a)",
            f"appearances of a label vary by {spread:.0%} of their mean",
            f"{chance:.0%} where labels are drawn at random; less than {ALMOST:g} times that in "
            f"{combine_seeds(p_values).share:.0%} of the seeds alone",
            decide(p, ALMOST * chance - spread),
            p,
        )
    ]


def _almost_equal(counts: np.ndarray, n_matrices: int) -> float:
    """P-value against a spread of ALMOST times that of chance or more; error: jackknife over labels."""
    left_out = np.array([np.delete(counts, label) for label in range(counts.size)])
    found, parts = (uniformity(part, n_matrices=n_matrices) for part in (counts, left_out))
    error = jackknife_error(np.asarray(parts.variation) / np.asarray(parts.variation_null))
    return float(norm.sf((ALMOST - found.variation / found.variation_null) / error)) if error > 0 else np.nan
