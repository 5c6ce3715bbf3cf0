"""Claims of P2 (arXiv:2506.23832), section 4, on soft committees."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.papers.claims.claim import FAILS, HOLDS, OPEN, Claim


def judge_committees(committees: xr.Dataset) -> list[Claim]:
    """Test whether a committee gains on its members, and whether different networks gain more than seeds.

    Parameters
    ----------
    committees : Dataset
        File of committees of an experiment.

    Returns
    -------
    list of Claim
        A difference holds if its bootstrap interval over images lies on the claimed side of zero; the gain of
        different networks must exceed that of seeds over the mean and over the best member, and their lack of
        agreement that of independent errors, for unequal members give either without being diverse. Without
        seeds or without different networks the comparison is open.

    Examples
    --------
    >>> from symbreak.observables import committee_tables
    >>> from symbreak.planted.votes import independent_members
    >>> table = committee_tables(independent_members(accuracies=[0.8, 0.8, 0.8], images=500))
    >>> [claim.verdict for claim in judge_committees(table)]
    ['holds', 'not testable here', 'not testable here']
    """
    return [_gain(committees), _diverse(committees), _agreement(committees)]


def _gain(committees: xr.Dataset) -> Claim:
    """The committee of everybody, or the largest named one."""
    largest = int(np.argmax(committees.group_members.values))
    group = committees.isel(group=largest)
    low, high = float(group.group_gain_lower), float(group.group_gain_upper)
    over_best = float(group.group_gain_best)
    return Claim(
        "a soft committee is more accurate than its members",
        "0.851, members 0.813, the best 0.822 (P2 Table 5)",
        f"{float(group.group_accuracy):.3f} with {int(group.group_members)} members of mean accuracy "
        f"{float(group.group_mean_member):.3f}: gain {float(group.group_gain):+.3f} "
        f"[{low:+.3f}, {high:+.3f}] over their mean, {over_best:+.3f} over the best",
        "0: no gain",
        HOLDS if low > 0 and over_best > 0 else FAILS,
    )


def _diverse(committees: xr.Dataset) -> Claim:
    claim = "committees of different networks gain more than committees of seeds of one network"
    printed = "0.851 compared with 0.822 (P2 section 4)"
    if "gain_difference" not in committees:
        return Claim(claim, printed, "needs seeds and different networks", "", OPEN)
    size = int(committees.committee_size.where(committees.gain_difference.notnull()).max())
    chosen = committees.sel(committee_size=size)
    words, lowest = [], np.inf
    for name, over in (("gain", "their mean member"), ("gain_best", "their best member")):
        low, high = (float(chosen[f"{name}_difference_{end}"]) for end in ("lower", "upper"))
        lowest = min(lowest, low)
        diverse, same, difference = (
            float(chosen[key]) for key in (f"diverse_{name}", f"same_{name}", f"{name}_difference")
        )
        words.append(
            f"over {over} {diverse:+.3f} compared with {same:+.3f}, difference {difference:+.3f} "
            f"[{low:+.3f}, {high:+.3f}]"
        )
    ours = f"{size} members: {'; '.join(words)}"
    return Claim(claim, printed, ours, "0: no difference", HOLDS if lowest > 0 else FAILS)


def _agreement(committees: xr.Dataset) -> Claim:
    claim = "different networks agree less than seeds of one network"
    printed = "0.87 compared with 0.885, 0.692 if independent (P2 section 4)"
    if "agreement_difference" not in committees:
        return Claim(claim, printed, "needs seeds and different networks", "", OPEN)
    low, high = float(committees.agreement_difference_lower), float(committees.agreement_difference_upper)
    diverse, same = (float(committees[f"{name}_agreement_independent"]) for name in ("diverse", "same"))
    return Claim(
        claim,
        printed,
        f"{float(committees.diverse_agreement):.3f} compared with {float(committees.same_agreement):.3f}; "
        f"difference {float(committees.agreement_difference):+.3f} [{low:+.3f}, {high:+.3f}]",
        f"{diverse:.3f} compared with {same:.3f}, difference {diverse - same:+.3f}, "
        "if all errors were independent",
        HOLDS if high < min(0.0, diverse - same) else FAILS,
    )
