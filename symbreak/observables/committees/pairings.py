"""Do networks of different architectures agree less, or gain more, than seeds of one? Pairings permuted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.numerics.estimates import UNDEFINED, Estimate

#: Fewer pairings than this are all enumerated: the p-value is exact.
ENUMERATED = 20_000


def n_groupings(sizes: Sequence[int]) -> int:
    """Ways to divide members into unnamed groups of these sizes.

    Examples
    --------
    >>> n_groupings([2] * 6), n_groupings([2, 2, 1])
    (10395, 15)
    """
    ways = factorial(sum(sizes))
    for size in sizes:
        ways //= factorial(size)
    for size in set(sizes):
        ways //= factorial(list(sizes).count(size))
    return ways


def groupings(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Every division of members 0, 1, ... into unnamed groups of these sizes, as a group for each member.

    Examples
    --------
    >>> [division for division in groupings([2, 2])]
    [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]]
    """
    left = sorted(sizes, reverse=True)
    division = [-1] * sum(sizes)

    def fill(number: int, remaining: list[int]) -> Iterator[list[int]]:
        free = [member for member, group in enumerate(division) if group < 0]
        if not free:
            yield list(division)
            return
        first = free[0]  # the group of the first free member may have any of the sizes that are left
        for size in sorted(set(remaining), reverse=True):
            rest = list(remaining)
            rest.remove(size)
            for others in combinations(free[1:], size - 1):
                for member in (first, *others):
                    division[member] = number
                yield from fill(number + 1, rest)
                for member in (first, *others):
                    division[member] = -1

    yield from fill(0, left)


@lru_cache(maxsize=8)
def _every_grouping(sizes: tuple[int, ...]) -> NDArray[np.int64]:
    return np.array(list(groupings(sizes)))


def architecture_test(
    pairs: ArrayLike, architecture: ArrayLike, n_draws: int = 9_999, seed: int = 0
) -> Estimate:
    """Difference of a quantity of pairs within and between architectures; who belongs to which is permuted.

    The value is the mean over pairs of one architecture minus the mean over pairs of two. If architectures
    meant nothing, any division of the networks into groups of the same sizes would do as well: all of them
    are enumerated where there are fewer than 20,000 (exact p-value), else drawn. A bootstrap over images
    alone answers another question: its interval excludes zero in 68 % of cases in which networks are divided
    at random.

    Parameters
    ----------
    pairs : (n_networks, n_networks) array of float
        Agreement, or the gain of the committee of two, of every pair; the diagonal is not read.
    architecture : (n_networks,) array
        Name or number of each network's architecture; seeds share it.
    n_draws, seed : int
        Draws, where divisions are too many to enumerate.

    Returns
    -------
    Estimate
        One-sided: large where pairs of one architecture have more. Pass ``-gain`` to ask whether different
        architectures gain more. `standard_error`: jackknife over networks. NaN if there is no pair of one
        architecture or none of two.

    Raises
    ------
    SymbreakError
        If the table is not square, symmetric and finite off its diagonal.

    Notes
    -----
    Permutation of group labels: Good, Permutation, Parametric and Bootstrap Tests of Hypotheses (2005),
    chapter 3. P2 (arXiv:2506.23832) section 4 states the claim without a test.

    Examples
    --------
    >>> alike = np.where(np.kron(np.eye(3), np.ones((3, 3))) > 0, 0.8, 0.7)
    >>> found = architecture_test(alike, np.repeat([0, 1, 2], 3))
    >>> round(found.value, 3), round(found.p_value * 280)
    (0.1, 1)
    """
    table = np.asarray(pairs, dtype=float)
    group = np.unique(np.asarray(architecture), return_inverse=True)[1].reshape(-1)
    n = group.size
    upper = np.triu_indices(n, 1)
    if table.shape != (n, n) or not np.isfinite(table[upper]).all():
        raise SymbreakError(f"A table of shape {table.shape} does not hold a finite number for {n} networks.")
    if not np.allclose(table[upper], table.T[upper]):
        raise SymbreakError("The table of pairs is not symmetric: a pair has one number.")
    sizes = np.bincount(group)
    if not (sizes > 1).any() or sizes.size < 2:
        return UNDEFINED
    values = table[upper]

    def difference(divisions: NDArray) -> NDArray[np.float64]:
        same = divisions[:, upper[0]] == divisions[:, upper[1]]
        within, between = same @ values, (~same) @ values
        return within / same.sum(1) - between / (~same).sum(1)

    value = float(difference(group[None])[0])
    if n_groupings(sizes.tolist()) < ENUMERATED:
        null = difference(_every_grouping(tuple(sizes.tolist())))
        p_value = float((null >= value - 1e-12).mean())
    else:
        rng = np.random.default_rng(seed)
        null = difference(rng.permuted(np.tile(group, (n_draws, 1)), axis=1))
        p_value = float((1 + (null >= value - 1e-12).sum()) / (1 + n_draws))
    return Estimate(
        value, _jackknife_over_networks(table, group), float(null.mean()), float(null.std()), p_value
    )


def _jackknife_over_networks(table: NDArray, group: NDArray) -> float:
    """Standard error of the difference with one network left out at a time; NaN where one leaves no pair."""
    left_out = []
    for network in range(group.size):
        kept = np.delete(np.arange(group.size), network)
        one, two = np.triu_indices(kept.size, 1)
        same = group[kept][one] == group[kept][two]
        values = table[np.ix_(kept, kept)][one, two]
        if not same.any() or same.all():
            return float("nan")
        left_out.append(values[same].mean() - values[~same].mean())
    n = len(left_out)
    return float(np.sqrt((n - 1) / n * ((np.array(left_out) - np.mean(left_out)) ** 2).sum()))
