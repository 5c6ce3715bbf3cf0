"""The filling table of the heads (Table 4 of P1) with what chance gives and p-values that say so."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.observables.heads.appearance import checked_superclass
from symbreak.observables.superclasses.law import (
    score_tail,
    superclass_covariance,
    superclass_law,
    superclass_tail,
)


def _owned_in_superclass(owner: ArrayLike, superclass: ArrayLike, n_heads: int) -> NDArray[np.int64]:
    """Labels of each superclass that each head owns, shape (n_heads, n_superclasses)."""
    owners = np.asarray(owner)
    group = checked_superclass(superclass, owners.size)
    if owners.dtype.kind not in "iu" or (owners < 0).any() or (owners > n_heads).any():
        raise SymbreakError(f"An owner is not one of the heads 1 to {n_heads} or 0 for none.")
    if (group < 0).all():
        raise SymbreakError("No label has a superclass: leave the superclass table out for this data set.")
    count = np.zeros((n_heads, int(group.max()) + 1), dtype=np.int64)
    counted = (owners > 0) & (group >= 0)
    np.add.at(count, (owners[counted] - 1, group[counted]), 1)
    return count


def fill_superclasses(owner: ArrayLike, superclass: ArrayLike, n_heads: int) -> NDArray[np.int64]:
    """Count for every head the superclasses of which it owns 0, 1, ..., s labels (P1, Table 4).

    Parameters
    ----------
    owner : (n_labels,) array of int
        Head that owns each label, from 1; 0 for none (``ownership``).
    superclass : (n_labels,) array of int
        Superclass of each label, from 0; a label with -1 is left out.
    n_heads
        Number of heads.

    Returns
    -------
    (n_heads, s + 1) array of int
        s is the size of the largest superclass. Rows add up to the number of superclasses.

    Raises
    ------
    SymbreakError
        If the arrays do not fit or no label has a superclass.

    Examples
    --------
    >>> fill_superclasses([1, 1, 2, 0, 2], [0, 0, 1, 1, -1], n_heads=2)
    array([[1, 0, 1],
           [1, 1, 0]])
    """
    count = _owned_in_superclass(owner, superclass, n_heads)
    group = np.asarray(superclass)
    largest = int(np.bincount(group[group >= 0]).max())
    return (count[:, :, None] == np.arange(largest + 1)).sum(axis=1)


class SuperclassTest(NamedTuple):
    """Filling of the superclasses by the labels of each head, compared with random sets of the same size.

    Attributes
    ----------
    n_owned
        Shape (n_heads,): labels with a superclass that the head owns.
    filling
        Shape (n_heads, s + 1): superclasses of which the head owns i labels.
    expected, deviation
        Exact mean and standard deviation of the same for random labels.
    p_value
        Exact P(N_i >= observed) for every i. The i of one head are not independent.
    pairs, pairs_expected, pairs_p_value
        Shape (n_heads,): pairs of owned labels that share a superclass, sum_g C(k_g, 2); its exact mean for
        random labels and P(pairs >= observed). One number per head that sees concentration at any filling:
        the p-value to carry into Benjamini-Hochberg over blocks x heads.
    """

    n_owned: NDArray[np.int64]
    filling: NDArray[np.int64]
    expected: NDArray[np.float64]
    deviation: NDArray[np.float64]
    p_value: NDArray[np.float64]
    pairs: NDArray[np.int64]
    pairs_expected: NDArray[np.float64]
    pairs_p_value: NDArray[np.float64]


def superclass_test(owner: ArrayLike, superclass: ArrayLike, n_heads: int) -> SuperclassTest:
    """Fill the superclasses with the labels of each head and test them against labels drawn at random.

    The null draws, for each head alone, as many labels as it owns uniformly from all labels that have a
    superclass (null 1 of the head analysis); everything is exact. Superclasses may have unequal sizes. All
    heads at once: ``full_superclasses_tail`` and ``shuffle_taxonomy``.

    Parameters
    ----------
    owner, superclass, n_heads
        As in ``fill_superclasses``.

    Returns
    -------
    SuperclassTest

    Raises
    ------
    SymbreakError
        As in ``fill_superclasses``.

    Examples
    --------
    >>> superclass = np.repeat(np.arange(20), 5)
    >>> owner = np.where(np.arange(100) < 23, 1, 0)
    >>> table = superclass_test(owner, superclass, n_heads=1)
    >>> table.filling[0].tolist(), table.expected[0].round(2).tolist()
    ([15, 0, 0, 1, 0, 4], [5.25, 8.27, 4.92, 1.38, 0.18, 0.01])
    >>> bool(table.pairs_p_value[0] < 1e-9)
    True
    """
    count = _owned_in_superclass(owner, superclass, n_heads)
    filling = fill_superclasses(owner, superclass, n_heads)
    group = np.asarray(superclass)
    sizes = tuple(int(size) for size in np.bincount(group[group >= 0]))
    total = sum(sizes)
    n_owned, pairs = count.sum(axis=1), (count * (count - 1) // 2).sum(axis=1)
    share = sum(size * (size - 1) for size in sizes) / max(total * (total - 1), 1)
    expected, deviation, p_value, pairs_p_value = [], [], [], []
    for head, number in enumerate(n_owned.tolist()):
        expected.append(superclass_law(number, superclass_size=sizes))
        deviation.append(np.sqrt(np.diag(superclass_covariance(number, superclass_size=sizes))))
        p_value.append(
            [
                superclass_tail(number, superclass_size=sizes, filling=i)[observed]
                for i, observed in enumerate(filling[head])
            ]
        )
        tail = score_tail(number, sizes, lambda drawn, _: drawn * (drawn - 1) // 2, int(pairs[head]) + 1)
        pairs_p_value.append(tail[-1])
    return SuperclassTest(
        n_owned,
        filling,
        np.array(expected),
        np.array(deviation),
        np.array(p_value),
        pairs,
        n_owned * (n_owned - 1) / 2 * share,
        np.array(pairs_p_value),
    )
