"""What a claim of the papers is, and how a verdict on it is found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from symbreak.results.averages import mean_and_error

#: A difference must exceed this many standard errors to count.
CERTAIN = 2.0
#: A p-value must be below this to count.
LEVEL = 0.05

HOLDS, FAILS, OPEN = "holds", "does not hold", "not testable here"


class Claim(NamedTuple):
    """One claim and what was measured."""

    claim: str
    printed: str
    ours: str
    null: str
    verdict: str


def judge_trend(chosen: xr.Dataset, name: str, claim: str, printed: str, sign: int, null: str = "") -> Claim:
    """Compare the last block with the first: a trend holds if they differ by two standard errors.

    Examples
    --------
    >>> values = {"snr": ("block", [1.0, 3.0]), "snr_stderr": ("block", [0.1, 0.1])}
    >>> rising = xr.Dataset(values, {"block": [1, 2]})
    >>> judge_trend(rising, "snr", "SNR rises", "1.74 to 3.28", 1).verdict
    'holds'
    """
    mean, error = mean_and_error(chosen, name)
    values = mean.values
    rank = spearmanr(chosen.block.values, values).statistic if len(values) > 2 else np.nan
    difference = float(values[-1] - values[0])
    scatter = float(np.nan_to_num(np.hypot(error.values[0], error.values[-1])))
    ours = (
        f"{plain(values[0], error.values[0])} to {plain(values[-1], error.values[-1])}; "
        f"rank correlation with the block {rank:+.2f}"
    )
    holds = sign * difference > CERTAIN * scatter
    return Claim(claim, printed, ours, null, HOLDS if holds else FAILS)


def against_chance(heads: xr.Dataset, name: str) -> tuple[float, float]:
    """Chance level of the last block, mean over seeds, and the largest p-value of the seeds.

    Examples
    --------
    >>> values = {"n_null": (("seed", "block"), [[1.0], [3.0]]), "n_p": (("seed", "block"), [[0.01], [0.2]])}
    >>> against_chance(xr.Dataset(values), "n")
    (2.0, 0.2)
    """
    chance, worst = heads[f"{name}_null"], heads[f"{name}_p"]
    if "seed" in chance.dims:
        chance, worst = chance.mean("seed"), worst.max("seed", skipna=False)
    return float(chance[-1]), float(worst[-1])


def plain(value: float, error: float) -> str:
    """Write a value with its error, as far as there is one.

    Examples
    --------
    >>> plain(2.766, 0.004), plain(34.5, np.nan)
    ('2.77 ± 0.00', '34.5')
    """
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f}" + ("" if np.isnan(error) else f" ± {error:.{digits}f}")
