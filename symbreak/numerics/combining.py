"""Tests that combine seeds and blocks, and intervals that are honest for few of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError


class Combined(NamedTuple):
    """One p-value for several seeds, and the share of seeds that reject alone.

    Attributes
    ----------
    p_value
        One-sided; NaN if no seed was tested.
    share
        Seeds with a p-value of at most the level, over all that were tested.
    n_seeds
        Seeds that were tested.
    """

    p_value: float
    share: float
    n_seeds: int


def combine_seeds(p_values: ArrayLike, level: float = 0.05) -> Combined:
    r"""Stouffer's combination of the one-sided p-values of independent seeds.

    .. math:: Z = \frac{1}{\sqrt S} \sum_s \Phi^{-1}(1 - p_s)

    More seeds make a real effect more certain; the largest p-value over the seeds would make it less
    (with power .8 in each of S seeds only :math:`.8^S`).

    Parameters
    ----------
    p_values : (n_seeds,) array of float
        Of permutation tests, each within one seed. NaN: not tested.
    level : float
        Level of the share of seeds.

    Returns
    -------
    Combined

    Raises
    ------
    SymbreakError
        If a p-value lies outside [0, 1].

    Notes
    -----
    Stouffer et al., The American Soldier (1949); :func:`scipy.stats.combine_pvalues`. Permutation p-values
    reach 1, whose normal score is not finite: above .999 they count as .999, which 999 draws cannot tell
    apart.

    Examples
    --------
    >>> round(combine_seeds([0.1, 0.1, 0.1]).p_value, 3)
    0.013
    """
    from scipy.stats import combine_pvalues

    given = np.asarray(p_values, dtype=float).ravel()
    tested = given[~np.isnan(given)]
    if ((tested < 0) | (tested > 1)).any():
        raise SymbreakError("A p-value lies outside [0, 1]: pass probabilities, NaN where no test was made.")
    if tested.size == 0:
        return Combined(np.nan, np.nan, 0)
    p_value = combine_pvalues(tested.clip(1e-300, 0.999), method="stouffer").pvalue
    return Combined(float(p_value), float((tested <= level).mean()), tested.size)


def combined_p_value(p_values: ArrayLike) -> float:
    """Stouffer's p-value of the seeds of a network; that of the only seed as it is.

    Parameters
    ----------
    p_values : (n_seeds,) array of float
        One-sided.

    Returns
    -------
    float
        NaN if a seed was not tested.

    Examples
    --------
    >>> combined_p_value([0.03]), round(combined_p_value([0.1, 0.1]), 3), combined_p_value([0.1, np.nan])
    (0.03, 0.035, nan)
    """
    given = np.asarray(p_values, dtype=float).ravel()
    if given.size < 2 or np.isnan(given).any():
        return float(given.mean()) if given.size else np.nan
    return combine_seeds(given).p_value


def combined_two_sided(p_values: ArrayLike, above: ArrayLike) -> float:
    """Two-sided p-value of all seeds from the two-sided ones of each; seeds that disagree in sign cancel.

    Parameters
    ----------
    p_values : (n_seeds,) array of float
        Two-sided.
    above : (n_seeds,) array of bool
        Whether the value of the seed lies above its null value.

    Returns
    -------
    float
        NaN if a seed was not tested.

    Examples
    --------
    >>> round(combined_two_sided([0.02, 0.02], [True, True]), 4)
    0.001
    >>> round(combined_two_sided([0.02, 0.02], [True, False]), 4)
    1.0
    """
    half = np.asarray(p_values, dtype=float) / 2
    return both_sides(np.where(above, half, 1 - half))


def both_sides(p_values: ArrayLike) -> float:
    """Two-sided p-value of Stouffer's combination of one-sided ones; NaN if a seed was not tested.

    Examples
    --------
    >>> round(both_sides([0.01, 0.02]), 4), round(both_sides([0.99, 0.98]), 4), both_sides([0.1, np.nan])
    (0.002, 0.002, nan)
    """
    given = np.asarray(p_values, dtype=float)
    sides = combined_p_value(given), combined_p_value(1 - given)
    return float(np.minimum(1.0, 2 * np.min(sides)))


class PairedDifference(NamedTuple):
    """Mean of differences within seeds, with a t interval.

    Attributes
    ----------
    mean
        Over seeds.
    lower, upper
        Ends of the interval from the t quantile with n - 1 degrees of freedom; NaN for a single seed.
    p_value
        Two-sided t test of a mean of zero; NaN for a single seed.
    n_seeds
        Seeds with a difference.
    """

    mean: float
    lower: float
    upper: float
    p_value: float
    n_seeds: int


def paired_difference(differences: ArrayLike, confidence: float = 0.95) -> PairedDifference:
    """Mean difference over seeds, each difference taken within a seed.

    Two standard errors of two seeds are no 95 % interval: with one degree of freedom the quantile is 12.7.

    Parameters
    ----------
    differences : (n_seeds,) array of float
        NaN: this seed has none.
    confidence : float

    Returns
    -------
    PairedDifference

    Examples
    --------
    >>> found = paired_difference([0.1, 0.3])
    >>> round(found.mean, 3), round(found.lower, 2), round(found.upper, 2)
    (0.2, -1.07, 1.47)
    """
    from scipy.stats import t

    given = np.asarray(differences, dtype=float).ravel()
    kept = given[np.isfinite(given)]
    n = kept.size
    mean = float(kept.mean()) if n else np.nan
    if n < 2:
        return PairedDifference(mean, np.nan, np.nan, np.nan, n)
    error = float(kept.std(ddof=1) / np.sqrt(n))
    reach = float(t.ppf((1 + confidence) / 2, n - 1)) * error
    away = abs(mean) / error if error else np.inf * abs(mean) if mean else 0.0
    return PairedDifference(mean, mean - reach, mean + reach, float(2 * t.sf(away, n - 1)), n)


def trend_test(values: ArrayLike, direction: int = 1) -> float:
    """P-value of Page's test that a quantity rises (or falls) along the blocks in every seed.

    Ranks are taken within each seed, so that seeds may differ in level (Page, J. Am. Stat. Assoc. 58, 216
    (1963); :func:`scipy.stats.page_trend_test`).

    Parameters
    ----------
    values : (n_seeds, n_blocks) array of float
        Seeds with a NaN are left out.
    direction : {1, -1}
        1: rises, -1: falls.

    Returns
    -------
    float
        NaN with fewer than two seeds or three blocks: a trend is not testable.

    Examples
    --------
    >>> trend_test([[1, 2, 3, 4], [2, 3, 4, 5], [1, 3, 4, 6]]) < 0.001
    True
    """
    from scipy.stats import page_trend_test

    given = direction * np.atleast_2d(np.asarray(values, dtype=float))
    kept = given[np.isfinite(given).all(axis=1)]
    if len(kept) < 2 or kept.shape[1] < 3:
        return float("nan")
    return float(page_trend_test(kept).pvalue)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values so that any rejection at level q among all tests is false with probability at most q.

    Holm, Scand. J. Stat. 6, 65 (1979): p_(i) times the tests that are left, made monotone; no assumption on
    dependence.

    Parameters
    ----------
    p_values : array of float
        NaN (no test was made) stays NaN and does not count.

    Returns
    -------
    array of float

    Examples
    --------
    >>> holm([0.01, 0.04, np.nan, 0.03]).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    given = np.asarray(p_values, dtype=float)
    tested = np.flatnonzero(~np.isnan(given))
    order = tested[np.argsort(given.flat[tested], kind="stable")]
    adjusted = np.full(given.shape, np.nan)
    left = np.arange(order.size, 0, -1)
    adjusted.flat[order] = np.minimum(np.maximum.accumulate(given.flat[order] * left), 1.0)
    return adjusted


def equivalent(differences: ArrayLike, margin: float, level: float = 0.05) -> bool | None:
    """Whether a mean difference lies within a margin: two one-sided t tests (Schuirmann 1987).

    That a test does not reject is no evidence of equality; this is. The 1 - 2 level interval of the mean has
    to lie within (-margin, margin).

    Parameters
    ----------
    differences : (n_seeds,) array of float
    margin : float
        Smallest difference that would matter.
    level : float

    Returns
    -------
    bool or None
        None with fewer than two seeds: not testable.

    Examples
    --------
    >>> equivalent([0.001, -0.002, 0.0, 0.001], margin=0.01), equivalent([0.1], margin=1.0)
    (True, None)
    """
    found = paired_difference(differences, 1 - 2 * level)
    if np.isnan(found.lower):
        return None
    return bool(-margin < found.lower and found.upper < margin)
