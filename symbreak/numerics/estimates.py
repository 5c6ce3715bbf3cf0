"""What a number comes with: its standard error, its null value and a p-value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError


class Estimate(NamedTuple):
    """A measured quantity compared with what chance alone would give.

    Attributes
    ----------
    value
        The estimate; NaN where the quantity is undefined.
    standard_error
        Of the value; the function that returns it says over what (labels, nodes or seeds).
    null
        Mean of the same estimator under the null model: finite counts give "order" without any order.
    null_deviation
        Standard deviation of the estimator under the null model.
    p_value
        One-sided, (1 + #{T* >= T})/(1 + B).
    """

    value: float
    standard_error: float
    null: float
    null_deviation: float
    p_value: float

    def variables(self, name: str) -> dict[str, tuple[tuple[()], float]]:
        """Spread the estimate over variables of one number: `name`, ``name_stderr``, ``name_null``, …

        Examples
        --------
        >>> Estimate(1.0, 0.1, 0.2, 0.1, 0.01).variables("overlap")["overlap_p"]
        ((), 0.01)
        """
        return {f"{name}{suffix}": ((), value) for suffix, value in zip(SUFFIXES, self)}


#: Suffixes of the variables of an estimate, in its order.
SUFFIXES = ("", "_stderr", "_null", "_null_deviation", "_p")
UNDEFINED = Estimate(np.nan, np.nan, np.nan, np.nan, np.nan)


def permutation_p_value(observed: ArrayLike, null: ArrayLike) -> NDArray[np.float64]:
    """One-sided p-value of a statistic against B draws of its null model.

    p = (1 + #{T* >= T})/(1 + B): never zero, and valid for every B (Davison & Hinkley 1997, section 4.2;
    Phipson & Smyth 2010). Draws within a relative 1e-12 of the observed value count as ties.

    Parameters
    ----------
    observed : (...) array of float
    null : (n_draws, ...) array of float
        Draws along the first dimension.

    Returns
    -------
    (...) array of float
        NaN where the observed statistic is NaN. Undefined draws count as reached, which errs on the safe
        side.

    Raises
    ------
    SymbreakError
        If the shapes do not fit or there is no draw.

    Examples
    --------
    >>> float(permutation_p_value(3.0, [1.0, 2.0, 3.0]))
    0.5
    """
    value, draws = np.asarray(observed, dtype=float), np.asarray(null, dtype=float)
    if draws.ndim != value.ndim + 1 or draws.shape[1:] != value.shape or len(draws) == 0:
        raise SymbreakError(
            f"Null draws of shape {draws.shape} do not fit a statistic of shape {value.shape}: "
            "put one or more draws along a first dimension."
        )
    # A draw computed in another order of summation may differ from a true tie in its last bits.
    below = draws < value - 1e-12 * np.abs(value)
    return np.where(np.isnan(value), np.nan, (1 + (~below).sum(axis=0)) / (1 + len(draws)))


def compare_with_null(value: float, standard_error: float, null: ArrayLike | None) -> Estimate:
    """Put a value, its standard error and the draws of its null model together.

    Examples
    --------
    >>> compare_with_null(1.0, 0.1, [0.0, 0.2, 0.4]).p_value
    0.25
    """
    if null is None:
        return Estimate(float(value), float(standard_error), np.nan, np.nan, np.nan)
    draws = np.asarray(null, dtype=float)
    kept = draws[np.isfinite(draws)]
    mean = float(kept.mean()) if kept.size else np.nan
    deviation = float(kept.std(ddof=1)) if kept.size > 1 else np.nan
    return Estimate(
        float(value), float(standard_error), mean, deviation, float(permutation_p_value(float(value), draws))
    )


def jackknife_error(left_out: ArrayLike, stratum: ArrayLike | None = None) -> float:
    """Jackknife standard error from the estimates with one unit left out at a time.

    SE^2 = (n - 1)/n sum_i (t_(i) - mean t)^2; with strata (nodes within heads) the sum over strata of the
    same (Efron & Tibshirani 1993, chapter 11; Shao & Tu 1995, section 6.2 for strata).

    Parameters
    ----------
    left_out : (n_units,) array of float
    stratum : (n_units,) array of int, optional
        Units are exchangeable only within their stratum. A stratum of one unit adds nothing.

    Returns
    -------
    float
        NaN for fewer than two units.

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 4.0])
    >>> round(jackknife_error([(7.0 - v) / 2 for v in values]), 4)
    0.8819
    >>> round(float(values.std(ddof=1) / np.sqrt(3)), 4)
    0.8819
    """
    estimates = np.asarray(left_out, dtype=float)
    groups = np.zeros(len(estimates), dtype=int) if stratum is None else np.asarray(stratum)
    if len(estimates) < 2:
        return float("nan")
    variance = 0.0
    for group in np.unique(groups):
        part = estimates[groups == group]
        variance += (len(part) - 1) / len(part) * float(((part - part.mean()) ** 2).sum())
    return float(np.sqrt(variance))


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values so that rejecting where the result is <= q keeps the false-discovery rate at q.

    q_(i) = min over j >= i of (n/j p_(j)), at most 1 (Benjamini & Hochberg 1995); valid for independent or
    positively dependent tests. Use it once over all blocks x heads that a table shows.

    Parameters
    ----------
    p_values : (...) array of float
        Any shape. NaN (no test was made) stays NaN and does not count among the n.

    Returns
    -------
    (...) array of float

    Raises
    ------
    SymbreakError
        If a p-value lies outside [0, 1].

    Examples
    --------
    >>> [round(float(q), 6) for q in benjamini_hochberg([0.01, 0.04, 0.03, 0.5])]
    [0.04, 0.053333, 0.053333, 0.5]
    """
    given = np.asarray(p_values, dtype=float)
    tested = np.isfinite(given)
    values = given[tested]
    if ((values < 0) | (values > 1)).any():
        raise SymbreakError("A p-value lies outside [0, 1]: pass probabilities, NaN where no test was made.")
    adjusted = np.full(given.shape, np.nan)
    if values.size:
        from scipy.stats import false_discovery_control  # half a second, for few commands

        adjusted[tested] = false_discovery_control(values)
    return adjusted
