"""Members of committees, what their committees recognise, and intervals over images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from symbreak.config import Committee as Settings
from symbreak.errors import SymbreakError
from symbreak.observables.committees.members import Member, require_same_images
from symbreak.observables.committees.outputs import Outputs
from symbreak.observables.committees.vote import (
    Agreement,
    Committee,
    agreement,
    bootstrap_intervals,
    checked_fields,
    correct_committees,
    grow_committee,
)


class Bench:
    """Members, and what every committee of them recognises; each committee is evaluated once.

    Members are taken one by one, so that of many only one is in memory at a time; their outputs lie in
    `outputs` from then on.

    Raises
    ------
    SymbreakError
        If there are fewer than two, one comes twice, or labels or images differ.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self.outputs, self.members = Outputs(), list[Member]()
        first: Member | None = None
        for member in members:
            first = first or member
            require_same_images(member, first)
            if any(member[:2] == other[:2] for other in self.members):
                name = f"{member.network} (seed {member.seed})"
                raise SymbreakError(f"The member {name} comes twice; give each network and seed once.")
            checked_fields(member.fields[None], member.truth)
            self.outputs.append(member.fields)
            self.members.append(member._replace(fields=np.empty((0, 0)), truth=first.truth))
        if first is None or len(self.members) < 2:
            raise SymbreakError(
                f"A committee needs two members or more and here {'is one' if self.members else 'are none'}; "
                "train another seed or network, or name other experiments in `committee.others`."
            )
        self.truth = first.truth.astype(np.int64)
        self.known: dict[Committee, NDArray[np.bool_]] = {}
        self.single = self.correct([(place,) for place in range(len(self.members))])
        self.pairs: Agreement = agreement(self.single)

    def correct(self, committees: Sequence[Committee]) -> NDArray[np.bool_]:
        """Recognised images (committees, images)."""
        new = [committee for committee in dict.fromkeys(committees) if committee not in self.known]
        if new:
            found = np.empty((len(new), len(self.truth)), dtype=np.bool_)
            for images, fields in self.outputs.by_images():
                found[:, images] = correct_committees(fields, self.truth[images], new)
            self.known |= dict(zip(new, found))
        return np.stack([self.known[committee] for committee in committees])

    def grown(
        self, members: Sequence[int], largest: int, images: NDArray[np.bool_] | None = None
    ) -> list[Committee]:
        """Greedy committees of the most accurate of some members, at most `largest` of them."""
        accuracy = self.single if images is None else self.single[:, images]
        order = np.argsort(-accuracy[list(members)].mean(axis=1), kind="stable")[:largest]
        best = sorted(int(members[place]) for place in order)
        found = grow_committee(self.outputs.of(best), self.truth, images)
        return [tuple(best[place] for place in one) for one in found]

    def evaluated(self, committees: Sequence[Committee]) -> NDArray[np.float64]:
        """Mean over committees of recognised images, of those of their members, of their best (3, images)."""
        accuracy = self.single.mean(axis=1)
        means = [self.single[list(committee)].mean(axis=0) for committee in committees]
        best = [max(committee, key=accuracy.__getitem__) for committee in committees]
        parts = [
            self.correct(committees).mean(axis=0),
            np.mean(means, axis=0),
            self.single[best].mean(axis=0),
        ]
        return np.stack(parts)

    def latencies(self, committees: Sequence[Committee], name: str) -> dict[str, NDArray[np.float64]]:
        """Latency of committees: the slowest member in parallel, the sum in series."""
        of_member = np.array([getattr(member, name) for member in self.members], dtype=float)
        parts = [of_member[list(committee)] for committee in committees]
        return {
            "parallel": np.array([part.max() for part in parts]),
            "serial": np.array([part.sum() for part in parts]),
        }


def with_intervals(
    per_image: dict[str, list[NDArray]], dim: str, values: Sequence[int], settings: Settings
) -> xr.Dataset:
    """Means over images of some quantities, with bootstrap intervals (P2 gives none) on the same draws.

    Parameters
    ----------
    per_image : dict
        Name -> one array (images,) for each of `values`.
    dim : str
        Name of the dimension of `values`.
    values : sequence of int
    settings : Committee
        Confidence, draws and seed.

    Returns
    -------
    Dataset
        ``name``, ``name_lower``, ``name_upper`` on `dim`; empty if there is nothing.

    Examples
    --------
    >>> found = with_intervals({"share": [np.arange(100) < 80]}, "committee_size", [2], Settings())
    >>> found.share.values.tolist(), bool(found.share_lower[0] < 0.8 < found.share_upper[0])
    ([0.8], True)
    """
    if not per_image:
        return xr.Dataset()
    flat = [row for rows in per_image.values() for row in rows]
    low, high = bootstrap_intervals(flat, settings.confidence, settings.n_bootstrap, settings.seed)
    means = np.array([row.mean() for row in flat])
    named: dict[str, Any] = {}
    for place, name in enumerate(per_image):
        part = slice(place * len(values), (place + 1) * len(values))
        for suffix, table in (("", means), ("_lower", low), ("_upper", high)):
            named[name + suffix] = (dim, table[part])
    return xr.Dataset(named, coords={dim: list(values)})
