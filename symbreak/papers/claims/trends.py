"""Claims that a quantity rises or falls along the blocks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from symbreak.numerics.combining import PairedDifference, paired_difference, trend_test
from symbreak.papers.claims.claim import (
    AS_CHANCE,
    HOLDS,
    LEVEL,
    UNDECIDED,
    UNTESTABLE,
    Claim,
    decide,
    per_seed,
    plain,
)
from symbreak.results.averages import mean_and_error

#: A change by a smaller share of the first block's value does not matter, where a claim sets no other limit.
SMALLEST_SHARE = 0.05


class Trend(NamedTuple):
    """Verdict on a trend, its p-value, and the differences of last and first block within the seeds."""

    verdict: str
    p: float
    difference: PairedDifference


def trend(values: ArrayLike, sign: int, smallest: float | None = None) -> Trend:
    """Test a trend twice: ranks within every seed, and differences of last and first block within seeds.

    Page's test uses all blocks, and gives the p-value (two-sided). It takes blocks as independent, which
    neighbours are not; so the t interval of the differences, whose repetitions are seeds, must exclude zero
    too, and their mean must reach the smallest change that matters.

    Parameters
    ----------
    values : (n_seeds, n_blocks) array of float
        A value that is not finite makes the trend not testable.
    sign : {1, -1}
        1: claimed to rise, -1: to fall.
    smallest : float, optional
        In units of the values; by default 5 % of the first block.

    Returns
    -------
    Trend
        Not testable with fewer than two seeds or three blocks.

    Examples
    --------
    >>> rise = np.arange(5) + np.array([[0.1], [0.2], [0.15]]) * np.arange(5)
    >>> trend(rise, 1).verdict, trend(rise, -1).verdict, trend(rise[:1], 1).verdict
    ('holds', 'does not hold', 'not testable')
    """
    given = np.atleast_2d(np.asarray(values, dtype=float))
    difference = paired_difference(given[:, -1] - given[:, 0])
    if not np.isfinite(given).all() or given.shape[0] < 2 or given.shape[1] < 3:
        return Trend(UNTESTABLE, np.nan, difference)
    p = min(1.0, 2 * min(trend_test(given, 1), trend_test(given, -1)))
    limit = SMALLEST_SHARE * abs(float(given[:, 0].mean())) if smallest is None else smallest
    sure = difference.p_value <= LEVEL
    return Trend(decide(p, sign * difference.mean, limit) if sure else UNDECIDED, p, difference)


def beyond_chance(
    values: NDArray, chance: NDArray | None, sign: int, smallest: float | None = None
) -> tuple[str, float]:
    """Verdict and p-value of a trend where the same statistic is known under a null model.

    A trend holds if the excess over the null has it too. If it has not and Page's test sees the trend in
    the null, it holds as chance does; if it sees none there either, the claim is undecided.

    Examples
    --------
    >>> falling = -np.arange(5) + 9 - np.array([[0.1], [0.2], [0.15]]) * np.arange(5)
    >>> beyond_chance(falling, falling + 1, -1)[0], beyond_chance(falling, 0 * falling + 4, -1)[0]
    ('holds, as chance does', 'holds')
    """
    found = trend(values, sign, smallest)
    if found.verdict != HOLDS or chance is None:
        return found.verdict, found.p
    excess = trend(values - chance, sign, smallest=0.0)
    if excess.verdict == HOLDS:
        return HOLDS, max(found.p, excess.p)
    return (AS_CHANCE if trend_test(chance, sign) <= LEVEL else UNDECIDED), found.p


def judge_trend(
    chosen: xr.Dataset,
    name: str,
    claim: str,
    printed: str,
    sign: int,
    null: str = "",
    chance: NDArray | None = None,
    smallest: float | None = None,
) -> Claim:
    """Judge a trend of the blocks of a dataset.

    Parameters
    ----------
    chosen : Dataset
        At one threshold, of one seed or joined over seeds.
    name : str
        Variable over (seed and) block.
    claim, printed, null : str
        Columns of the scorecard.
    sign : {1, -1}
    chance : (n_seeds, n_blocks) array of float, optional
        The same statistic under a null model.
    smallest : float, optional
        Smallest change that matters, by default 5 % of the first block.

    Examples
    --------
    >>> rising = xr.Dataset({"snr": (("seed", "block"), [[1.0, 2.0, 3.0, 4.0], [1.1, 2.0, 3.0, 4.2]])})
    >>> found = judge_trend(rising, "snr", "SNR rises", "1.74 to 3.28", 1)
    >>> found.verdict, found.ours
    ('holds', '1.05 ± 0.05 to 4.1 ± 0.1; difference within seeds +3.05 [+2.41, +3.69]')
    """
    values = per_seed(chosen, name)
    verdict, p = beyond_chance(values, chance, sign, smallest)
    return Claim(claim, printed, ends(chosen, name), null, verdict, p)


def ends(chosen: xr.Dataset, name: str) -> str:
    """First and last block in words, with the t interval of their differences within seeds."""
    mean, error = mean_and_error(chosen, name)
    values = per_seed(chosen, name)
    words = " to ".join(plain(mean.values[end], error.values[end]) for end in (0, -1))
    if values.shape[1] < 2:
        return f"{plain(mean.values[0], error.values[0])} in the only block"
    found = paired_difference(values[:, -1] - values[:, 0])
    return words + interval("; difference within seeds", found)


def interval(name: str, found: PairedDifference) -> str:
    """Mean difference with its t interval; with one seed there is none.

    Examples
    --------
    >>> interval("lead", paired_difference([0.1, 0.3])), interval("lead", paired_difference([0.1]))
    ('lead +0.2 [-1.07, +1.47]', 'lead +0.1, one seed')
    """
    if np.isnan(found.lower):
        return f"{name} {found.mean:+.3g}, {'one seed' if found.n_seeds else 'no seed'}"
    return f"{name} {found.mean:+.3g} [{found.lower:+.3g}, {found.upper:+.3g}]"
