"""Claims of P2 (arXiv:2506.23832), section 4, on soft committees."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import norm

from symbreak.errors import SymbreakError
from symbreak.observables import architecture_test
from symbreak.papers.claims.claim import SMALLEST_ACCURACY, UNDECIDED, UNTESTABLE, Claim, decide

_PERMUTED = "0: no difference; p where seeds and networks are paired at random"


def judge_committees(committees: xr.Dataset) -> list[Claim]:
    """Test whether a committee gains on its members, and whether different networks gain more than seeds.

    Parameters
    ----------
    committees : Dataset
        File of committees of an experiment.

    Returns
    -------
    list of Claim
        The gain is tested over images, for these trained networks. Whether different networks agree less, or
        gain more, than seeds of one is tested by permuting which networks are seeds of each other; without
        seeds or without different networks it is not testable.

    Examples
    --------
    >>> from symbreak.observables import committee_tables
    >>> from symbreak.planted.votes import independent_members
    >>> table = committee_tables(independent_members(accuracies=[0.8, 0.8, 0.8], images=500))
    >>> [claim.verdict for claim in judge_committees(table)]
    ['holds', 'not testable', 'not testable']
    """
    return [_gain(committees), _diverse(committees), _agreement(committees)]


def _gain(committees: xr.Dataset) -> Claim:
    """The committee of everybody, or the largest named one."""
    largest = int(np.argmax(committees.group_members.values))
    group = committees.isel(group=largest)
    low, high = float(group.group_gain_lower), float(group.group_gain_upper)
    gain, over_best = float(group.group_gain), float(group.group_gain_best)
    confidence = float(committees.attrs.get("confidence", np.nan))
    width = 2 * norm.isf((1 - confidence) / 2)  # of an interval, in standard errors
    error = (float(group.group_accuracy_upper) - float(group.group_accuracy_lower)) / width
    # the best member errs with the committee: as if independent, the error is rather too large
    error_best = float(np.hypot(error, committees.member_accuracy_stderr.max()))
    tests = [(gain, _p(gain, (high - low) / width)), (over_best, _p(over_best, error_best))]
    effect, p = min(tests)
    p = float(np.max([one for _, one in tests])) if effect > 0 else p
    return Claim(
        "a soft committee is more accurate than its members",
        "0.851, members 0.813, the best 0.822 (P2 Table 5)",
        f"{float(group.group_accuracy):.3f} with {int(group.group_members)} members of mean accuracy "
        f"{float(group.group_mean_member):.3f}: gain {gain:+.3f} "
        f"[{low:+.3f}, {high:+.3f}] over their mean, {over_best:+.3f} over the best",
        "0: no gain; errors over images, for these networks",
        decide(p, effect, SMALLEST_ACCURACY),
        p,
    )


def _p(value: float, error: float) -> float:
    """Two-sided p-value of a normal estimate; NaN without an error."""
    return float(2 * norm.sf(abs(value) / error)) if error > 0 else np.nan


def _diverse(committees: xr.Dataset) -> Claim:
    claim = "committees of different networks gain more than committees of seeds of one network"
    printed = "0.851 compared with 0.822 (P2 section 4)"
    if "gain_difference" not in committees:
        return Claim(claim, printed, "needs seeds and different networks", "", UNTESTABLE)
    size = int(committees.committee_size.where(committees.gain_difference.notnull()).max())
    chosen = committees.sel(committee_size=size)
    words = []
    for name, over in (("gain", "their mean member"), ("gain_best", "their best member")):
        diverse, same, difference, low, high = (
            float(chosen[key])
            for key in (
                *(f"diverse_{name}", f"same_{name}", f"{name}_difference"),
                *(f"{name}_difference_{end}" for end in ("lower", "upper")),
            )
        )
        words.append(
            f"over {over} {diverse:+.3f} compared with {same:+.3f}, difference {difference:+.3f} "
            f"[{low:+.3f}, {high:+.3f}] over images"
        )
    ours = f"{size} members: {'; '.join(words)}"
    tables = [_gain_of_pairs(committees, name) for name in ("gain", "gain_best")]
    if any(np.isnan(table[np.triu_indices(len(table), 1)]).any() for table in tables):
        null = "intervals over images do not test networks, and the file lacks the gain of some pairs"
        return Claim(claim, printed, ours, null, UNDECIDED)
    tests = [_permuted(committees, -table) for table in tables]
    p = float(np.max([one for _, one in tests]))
    effect = min(one for one, _ in tests)
    return Claim(claim, printed, ours, _PERMUTED, decide(p, effect, SMALLEST_ACCURACY), p)


def _gain_of_pairs(committees: xr.Dataset, name: str) -> NDArray[np.float64]:
    """Gain of every committee of two, NaN where the file does not hold it."""
    table = np.full((committees.sizes["member"],) * 2, np.nan)
    for belongs, gain in zip(committees.is_member.values, committees[name].values):
        members = np.flatnonzero(belongs)
        if members.size == 2:
            table[tuple(members)] = table[tuple(members[::-1])] = gain
    return table


def _permuted(committees: xr.Dataset, table: NDArray[np.float64]) -> tuple[float, float]:
    """Pairs of one network minus pairs of two, and its p-value where the pairing is permuted."""
    try:
        found = architecture_test(table, committees.network.values)
    except SymbreakError:  # a pair without a number
        return np.nan, np.nan
    return found.value, found.p_value


def _agreement(committees: xr.Dataset) -> Claim:
    claim = "different networks agree less than seeds of one network"
    printed = "0.87 compared with 0.885, 0.692 if independent (P2 section 4)"
    if "agreement_difference" not in committees:
        return Claim(claim, printed, "needs seeds and different networks", "", UNTESTABLE)
    low, high = float(committees.agreement_difference_lower), float(committees.agreement_difference_upper)
    diverse, same = (float(committees[f"{name}_agreement_independent"]) for name in ("diverse", "same"))
    effect, p = _permuted(committees, (committees.agreement - committees.agreement_independent).values)
    return Claim(
        claim,
        printed,
        f"{float(committees.diverse_agreement):.3f} compared with {float(committees.same_agreement):.3f}; "
        f"difference {float(committees.agreement_difference):+.3f} [{low:+.3f}, {high:+.3f}] over images",
        f"{diverse:.3f} compared with {same:.3f}, difference {diverse - same:+.3f}, "
        "if all errors were independent; p of the agreement beyond that, where seeds and networks are paired "
        "at random",
        decide(p, effect, SMALLEST_ACCURACY),
        p,
    )
