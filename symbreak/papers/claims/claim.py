"""What a claim of the papers is, and how p-values and effects become a verdict on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from symbreak.numerics.combining import combine_seeds, combined_p_value, combined_two_sided, holm
from symbreak.results.averages import with_seeds
from symbreak.results.render import with_error

#: A p-value, adjusted for all claims of a scorecard, must not exceed this for a verdict to stand.
LEVEL = 0.05
#: Accuracies that differ by less do not matter.
SMALLEST_ACCURACY = 0.005

HOLDS, FAILS, AS_CHANCE = "holds", "does not hold", "holds, as chance does"
UNDECIDED, UNTESTABLE = "undecided", "not testable"


class Claim(NamedTuple):
    """One claim, what was measured, and the p-value of the test behind the verdict (NaN: no test)."""

    claim: str
    printed: str
    ours: str
    null: str
    verdict: str
    p: float = np.nan


def decide(p: float, effect: float, smallest: float = 0.0) -> str:
    """Verdict of one test: significant in the claimed direction and large enough, or in the other one.

    Parameters
    ----------
    p : float
        NaN: no test could be made.
    effect : float
        Positive in the claimed direction.
    smallest : float
        Smallest effect that matters.

    Examples
    --------
    >>> decide(0.01, 0.2), decide(0.01, -0.2), decide(0.01, 0.2, smallest=0.5), decide(0.3, 0.2)
    ('holds', 'does not hold', 'undecided', 'undecided')
    >>> decide(np.nan, 0.2)
    'not testable'
    """
    if np.isnan(p) or np.isnan(effect):
        return UNTESTABLE
    if p > LEVEL or 0 <= effect < smallest or effect == 0:
        return UNDECIDED
    return HOLDS if effect > 0 else FAILS


def adjust(rows: pd.DataFrame) -> pd.DataFrame:
    """Holm's p-values over all tested claims; what no longer is significant becomes undecided.

    Examples
    --------
    >>> rows = pd.DataFrame({"verdict": ["holds", "holds", "not testable"], "p": [0.001, 0.04, np.nan]})
    >>> adjust(pd.concat([rows, rows.iloc[1:2]])).verdict.tolist()
    ['holds', 'undecided', 'not testable', 'undecided']
    """
    adjusted = rows.assign(p_holm=holm(rows.p.to_numpy(dtype=float)))
    claimed = adjusted.verdict.isin([HOLDS, FAILS, AS_CHANCE])
    adjusted.loc[claimed & ~(adjusted.p_holm <= LEVEL), "verdict"] = UNDECIDED
    return adjusted


def per_seed(dataset: xr.Dataset, name: str) -> NDArray[np.float64]:
    """Values of every seed, (n_seeds, ...), also of a file of one seed.

    Examples
    --------
    >>> per_seed(xr.Dataset({"snr": ("block", [1.0, 2.0])}), "snr").shape
    (1, 2)
    """
    return with_seeds(dataset)[name].transpose("seed", ...).values.astype(float)


class Chance(NamedTuple):
    """Excess of the last block over chance, its p-value of all seeds, and both in words."""

    excess: float
    p: float
    words: str


def against_chance(heads: xr.Dataset, name: str, two_sided: bool = False) -> Chance:
    """Compare the last block with chance; the p-values of the seeds are combined, NaN if one is missing.

    Parameters
    ----------
    heads : Dataset
        Holds ``{name}``, ``{name}_null`` and ``{name}_p``.
    name : str
    two_sided : bool
        Whether the p-values of the file are two-sided.

    Examples
    --------
    >>> block = ("seed", "block")
    >>> values = {"n": (block, [[5.0], [7.0]]), "n_null": (block, [[1.0], [3.0]])}
    >>> found = against_chance(xr.Dataset(values | {"n_p": (block, [[0.01], [0.1]])}), "n")
    >>> found.excess, round(found.p, 4), found.words
    (4.0, 0.0054, '2.0 by chance, p = 0.0054, at most 0.05 in 50% of the seeds')
    """
    last = heads.isel(block=-1)
    value, chance, p_values = (per_seed(last, key) for key in (name, f"{name}_null", f"{name}_p"))
    share = combine_seeds(p_values).share
    p = combined_two_sided(p_values, value > chance) if two_sided else combined_p_value(p_values)
    words = f"{chance.mean():.1f} by chance, {'two-sided ' * two_sided}p = {p:.2g}, "
    words += f"at most {LEVEL:g} in {share:.0%} of the seeds"
    excess = float((value - chance).mean())
    return Chance(excess, p, "a seed without a test" if np.isnan(p) else words)


def untested(claim: str, printed: str, ours: str, null: str, values: Sequence[float]) -> Claim:
    """A claim whose null in the file does not test it: undecided at best, not testable without values."""
    missing = np.isnan(np.asarray(values, dtype=float)).any()
    return Claim(claim, printed, ours, null, UNTESTABLE if missing else UNDECIDED)


def plain(value: float, error: float) -> str:
    """Write a value with its error, as far as there is one.

    Examples
    --------
    >>> plain(2.766, 0.004), plain(34.5, np.nan)
    ('2.766 ± 0.004', '34.5')
    """
    return " ± ".join(filter(None, with_error(value, error)))
