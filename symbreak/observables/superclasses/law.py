"""Filling of superclasses by randomly chosen labels: the exact law of Table 4 of P1.

P1 (arXiv:2501.12900), section 4, draws n of the L labels 50,000 times and counts superclasses with 1/5 ...
5/5 of their labels drawn. All of that is exact mathematics. With G superclasses of s labels the generating
function (sum_i C(s, i) t_i x^i)^G, coefficient of x^n, over C(L, n), is the joint law of the numbers N_i of
superclasses with i labels drawn; everything here is read off from it in exact integers and turned into
floats at the very end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import SymbreakError

Sizes = int | Sequence[int]


def superclass_sizes(n_superclasses: int = 20, superclass_size: Sizes = 5) -> tuple[int, ...]:
    """Return the number of labels of every superclass.

    Parameters
    ----------
    n_superclasses
        Number of superclasses; not used if ``superclass_size`` lists them.
    superclass_size
        Labels per superclass, one number for all or one for each.

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> superclass_sizes(3, 5), superclass_sizes(superclass_size=[2, 4])
    ((5, 5, 5), (2, 4))
    """
    listed = np.atleast_1d(np.asarray(superclass_size))
    sizes = listed if np.ndim(superclass_size) else np.repeat(listed, n_superclasses)
    if sizes.size == 0 or sizes.dtype.kind not in "iu" or (sizes < 0).any() or sizes.max() == 0:
        raise SymbreakError("The superclass sizes must be positive integers, one for all or one for each.")
    return tuple(int(size) for size in sizes)


def checked_draw(n_owned: int, sizes: tuple[int, ...]) -> int:
    """Return the number of labels drawn, from 0 to all of them, or refuse it.

    Examples
    --------
    >>> checked_draw(3, (2, 2))
    3
    """
    if not 0 <= n_owned <= sum(sizes) or int(n_owned) != n_owned:
        raise SymbreakError(
            f"{n_owned} labels cannot be drawn from {sum(sizes)}: pass a number from 0 to that."
        )
    return int(n_owned)


def _choose(n: int, k: int) -> int:
    return comb(n, k) if 0 <= k <= n else 0


def superclass_law(n_owned: int, n_superclasses: int = 20, superclass_size: Sizes = 5) -> NDArray[np.float64]:
    """Expected numbers of superclasses with 0, 1, ..., s labels filled when n labels are drawn at random.

    E[N_i] = sum_g C(s_g, i) C(L - s_g, n - i) / C(L, n), for equal sizes G C(s, i) C(L - s, n - i) / C(L, n):
    the exact form of the simulation in Table 4 (middle) of P1.

    Parameters
    ----------
    n_owned
        Number n of labels of the head, drawn without replacement from all L.
    n_superclasses, superclass_size
        G superclasses of s labels; or a list of sizes, then s is the largest.

    Returns
    -------
    (s + 1,) array of float
        Its sum is G, its sum weighted by i is n.

    Raises
    ------
    SymbreakError
        If n is not a number of labels between 0 and L.

    Examples
    --------
    >>> superclass_law(23).round(4)
    array([5.2486, 8.2684, 4.9163, 1.3766, 0.1811, 0.0089])
    """
    sizes = superclass_sizes(n_superclasses, superclass_size)
    n, total = checked_draw(n_owned, sizes), sum(sizes)
    return np.array(
        [
            sum(_choose(s, i) * _choose(total - s, n - i) for s in sizes) / comb(total, n)
            for i in range(max(sizes) + 1)
        ]
    )


def superclass_covariance(
    n_owned: int, n_superclasses: int = 20, superclass_size: Sizes = 5
) -> NDArray[np.float64]:
    """Exact covariance matrix of the numbers N_0 ... N_s of superclasses; its diagonal are the variances.

    E[N_i N_j] = delta_ij E[N_i] + sum_{g != g'} C(s_g, i) C(s_g', j) C(L - s_g - s_g', n - i - j) / C(L, n).

    Parameters
    ----------
    n_owned, n_superclasses, superclass_size
        As in ``superclass_law``.

    Returns
    -------
    (s + 1, s + 1) array of float
        Of one draw; the mean of 50,000 draws has 1/50,000 of it.

    Raises
    ------
    SymbreakError
        As in ``superclass_law``.

    Examples
    --------
    >>> np.sqrt(np.diag(superclass_covariance(23))).round(2)
    array([1.33, 2.2 , 1.64, 0.95, 0.41, 0.09])
    """
    sizes = superclass_sizes(n_superclasses, superclass_size)
    n, total, largest = checked_draw(n_owned, sizes), sum(sizes), max(sizes)
    multiplicity = Counter(sizes)
    draws = comb(total, n)
    mean = [
        Fraction(sum(m * _choose(s, i) * _choose(total - s, n - i) for s, m in multiplicity.items()), draws)
        for i in range(largest + 1)
    ]
    covariance = np.empty((largest + 1, largest + 1))
    for i in range(largest + 1):
        for j in range(largest + 1):
            pairs = sum(
                m * (other_m - (s == other)) * _choose(s, i) * _choose(other, j)
                * _choose(total - s - other, n - i - j)
                for s, m in multiplicity.items()
                for other, other_m in multiplicity.items()
            )  # fmt: skip
            covariance[i, j] = Fraction(pairs, draws) + (i == j) * mean[i] - mean[i] * mean[j]
    return covariance


@lru_cache(maxsize=512)
def _ways(n: int, sizes: tuple[int, ...], scores: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Ways to draw n labels by total score, if filling i labels of superclass g scores ``scores[g][i]``."""
    ways: dict[tuple[int, int], int] = {(0, 0): 1}
    for size, score in zip(sizes, scores):
        longer: dict[tuple[int, int], int] = {}
        for (drawn, total), count in ways.items():
            for i in range(min(size, n - drawn) + 1):
                key = (drawn + i, total + score[i])
                longer[key] = longer.get(key, 0) + count * comb(size, i)
        ways = longer
    final = {total: count for (drawn, total), count in ways.items() if drawn == n}
    return tuple(final.get(total, 0) for total in range(max(final) + 1))


def score_tail(
    n_owned: int, sizes: tuple[int, ...], score: Callable[[int, int], int], n_values: int
) -> NDArray[np.float64]:
    """Exact P(sum over superclasses of score(labels drawn, size) >= k) for k = 0 ... n_values - 1.

    Examples
    --------
    >>> score_tail(2, (2, 2), lambda drawn, size: drawn == size, 2).round(4)
    array([1.    , 0.3333])
    """
    n = checked_draw(n_owned, sizes)
    table = tuple(tuple(int(score(i, size)) for i in range(size + 1)) for size in sizes)
    ways = _ways(n, sizes, table)
    return np.array([sum(ways[k:]) / comb(sum(sizes), n) for k in range(n_values)])


def superclass_tail(
    n_owned: int,
    n_superclasses: int = 20,
    superclass_size: Sizes = 5,
    filling: int | None = None,
    at_least: bool = False,
) -> NDArray[np.float64]:
    """Exact probability that k or more superclasses are filled, for every k.

    For completely filled ones P(N_s >= k) = sum_{j >= k} (-1)^(j-k) C(j-1, k-1) C(G, j) C(L-sj, n-sj) / C(L,
    n); computed for any filling from the generating function, where nothing cancels.

    Parameters
    ----------
    n_owned, n_superclasses, superclass_size
        As in ``superclass_law``.
    filling
        Count superclasses with exactly this many labels drawn; None counts the completely filled ones.
    at_least
        Count superclasses with ``filling`` or more labels drawn instead.

    Returns
    -------
    (G + 1,) array of float
        P(N >= 0) = 1, P(N >= 1), ..., P(N >= G).

    Raises
    ------
    SymbreakError
        As in ``superclass_law``.

    Examples
    --------
    >>> tail = superclass_tail(23)
    >>> float(f"{tail[1]:.2e}"), float(f"{tail[2]:.2e}")
    (0.00893, 1.26e-05)
    """
    sizes = superclass_sizes(n_superclasses, superclass_size)

    def score(drawn: int, size: int) -> int:
        if filling is None:
            return int(drawn == size > 0)
        return int(drawn >= filling) if at_least else int(drawn == filling)

    return score_tail(n_owned, sizes, score, len(sizes) + 1)
