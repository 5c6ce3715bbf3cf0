"""Claims of P1 (arXiv:2501.12900), each tested on measured statistics: printed, ours, null, verdict."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from symbreak.reference.estimates import at_threshold, estimate

#: A difference must exceed this many standard errors to count.
CERTAIN = 2.0

HOLDS, FAILS, OPEN = "holds", "does not hold", "not testable here"


class Claim(NamedTuple):
    """One claim beside what was measured."""

    claim: str
    printed: str
    ours: str
    null: str
    verdict: str


def judge(statistics: xr.Dataset, heads: xr.Dataset | None = None, threshold: float = 0.3) -> list[Claim]:
    """Test the claims of P1 sections 2 and 4 on one network.

    Parameters
    ----------
    statistics : Dataset
        Statistics of the block outputs, joined over seeds.
    heads : Dataset, optional
        Analysis of the heads at the tap ``attention``, joined over seeds.
    threshold : float
        Threshold of the tables.

    Returns
    -------
    list of Claim
        Verdicts by stated rules: a trend holds if last minus first block exceeds two standard errors.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables.experiment import block_tables
    >>> from symbreak.planted import moments_example
    >>> claims = judge(block_tables(moments_example(), Statistics(thresholds=9))[0])
    >>> claims[0].claim
    'accuracy of the classifier heads rises along the blocks'
    """
    chosen = at_threshold(statistics, threshold)
    claims = [
        _trend(
            chosen, "accuracy", "accuracy of the classifier heads rises along the blocks", "0.464 to 0.811", 1
        ),
        _trend(chosen, "snr", "SNR rises along the blocks", "1.74 to 3.28", 1),
        _trend(chosen, "noise", "noise n falls along the blocks", "517 to 417", -1),
        _trend(chosen, "diagonal", "diag of the last block exceeds the first", "9.3 to 14.6", 1),
        _robust(statistics),
        _peaks(statistics),
    ]
    if heads is not None:
        claims += [_owned(heads), _owned_trend(heads), _best_head(heads)]
    return claims


def _trend(chosen: xr.Dataset, name: str, claim: str, printed: str, sign: int) -> Claim:
    mean, error = estimate(chosen, name)
    values = mean.values
    rank = spearmanr(chosen.block.values, values).statistic if len(values) > 2 else np.nan
    difference = float(values[-1] - values[0])
    scatter = float(np.nan_to_num(np.hypot(error.values[0], error.values[-1])))
    ours = (
        f"{_plain(values[0], error.values[0])} to {_plain(values[-1], error.values[-1])}; "
        f"rank correlation with the block {rank:+.2f}"
    )
    holds = sign * difference > CERTAIN * scatter
    return Claim(claim, printed, ours, "", HOLDS if holds else FAILS)


def _robust(statistics: xr.Dataset) -> Claim:
    inside = statistics.sel(threshold=slice(0.2, 0.4))
    mean, _ = estimate(inside, "snr")
    above = mean.isel(block=-1) > mean.isel(block=0)
    share = float(above.mean())
    ours = f"last block above the first at {share:.0%} of {above.size} thresholds"
    claim = "the rise of SNR is robust for thresholds in [0.2, 0.4]"
    return Claim(claim, "robust", ours, "", HOLDS if share == 1 else FAILS)


def _peaks(statistics: xr.Dataset) -> Claim:
    mean, error = estimate(statistics, "best_threshold")
    pairs = [
        f"block {int(b)}: {_plain(v, e)}"
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


def _owned(heads: xr.Dataset) -> Claim:
    total, error = estimate(heads, "n_owned_total")
    chance = heads["n_owned_total_null"]
    chance = chance.mean("seed") if "seed" in chance.dims else chance
    worst = heads["n_owned_total_p"]
    worst = worst.max("seed") if "seed" in worst.dims else worst
    ours = f"{_plain(total.values[-1], error.values[-1])} labels owned in the last block"
    null = f"{float(chance[-1]):.1f} by chance, p = {float(worst[-1]):.2g} (largest of the seeds)"
    verdict = HOLDS if float(worst[-1]) < 0.05 and float(total[-1]) > float(chance[-1]) else FAILS
    return Claim(
        "heads of the last block own labels, at twice the count of any other",
        "74 of 100",
        ours,
        null,
        verdict,
    )


def _owned_trend(heads: xr.Dataset) -> Claim:
    def excess(dataset: xr.Dataset) -> xr.Dataset:
        return xr.Dataset({"excess": dataset.n_owned_total - dataset.n_owned_total_null})

    mean, error = estimate(excess(heads), "excess")
    scatter = float(np.nan_to_num(np.hypot(error.values[0], error.values[-1])))
    holds = float(mean.values[-1] - mean.values[0]) > CERTAIN * scatter
    first, last = (_plain(mean.values[end], error.values[end]) for end in (0, -1))
    return Claim(
        "labels owned beyond chance grow along the blocks",
        "39 (block 6) to 74 (block 7), no null",
        f"{first} to {last} above chance",
        "excess over the node-shuffle null",
        HOLDS if holds else FAILS,
    )


def _best_head(heads: xr.Dataset) -> Claim:
    mean, error = estimate(heads, "owner_agreement")
    chance = heads["owner_agreement_null"]
    chance = chance.mean("seed") if "seed" in chance.dims else chance
    worst = heads["owner_agreement_p"]
    worst = worst.max("seed") if "seed" in worst.dims else worst
    p = float(worst[-1])
    return Claim(
        "the owner of a label is the head that recognises it best",
        "strong, not perfect",
        f"{_plain(mean.values[-1], error.values[-1])} of owned labels in the last block",
        f"{float(chance[-1]):.2f} by chance, p = {p:.2g}",
        OPEN if np.isnan(p) else HOLDS if p < 0.05 else FAILS,
    )


def _plain(value: float, error: float) -> str:
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f}" + ("" if np.isnan(error) else f" ± {error:.{digits}f}")
