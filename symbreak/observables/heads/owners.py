"""Which head stands for which label: the papers' ownership rule, its curve in r, its chance level and
accuracies.

P1 (arXiv:2501.12900), section 4: head h is assigned the labels whose appearances in the diagonal clusters
of its node matrices are at least twice those of any other head. Heads are numbered from 1, owner 0 means no
head.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.numerics.estimates import permutation_p_value
from symbreak.observables.heads.appearance import appearance_of_heads, checked_appearance, count_nodes
from symbreak.observables.heads.chance import chance_of_ownership, checked_ratio
from symbreak.observables.heads.nulls import shuffle_nodes


def dominance(appearance: ArrayLike) -> NDArray[np.float64]:
    """Ratio of the largest to the second largest count of every label.

    A label is owned at ratio r > 1 iff its dominance is at least r.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int

    Returns
    -------
    (..., n_labels) array of float
        At least 1; infinite if only one head has the label (always so in a block of one head); NaN if none
        has it.

    Examples
    --------
    >>> dominance([[6, 3, 0, 2], [2, 0, 0, 2]])
    array([ 3., inf, nan,  1.])
    """
    counts = checked_appearance(appearance)
    ordered = np.sort(counts, axis=-2)
    largest = ordered[..., -1, :].astype(float)
    second = ordered[..., -2, :] if counts.shape[-2] > 1 else np.zeros_like(largest)
    with np.errstate(divide="ignore", invalid="ignore"):
        return largest / second


def ownership(appearance: ArrayLike, ratio: float = 2.0) -> NDArray[np.int64]:
    """Assign every label to the head that has it at least ``ratio`` times as often as any other head.

    Head h owns label l iff c_hl > 0 and c_hl >= r c_h'l for all h' != h (P1, section 4, r = 2).

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int
    ratio
        r >= 1. At r = 1 a tie of the largest counts leaves the label without owner.

    Returns
    -------
    (..., n_labels) array of int
        Head from 1, or 0 for no owner. A label that never appears has none. In a block of one head, head 1
        owns all labels that appear: true, and no sign of specialisation (``chance_of_ownership`` gives 1
        for it).

    Raises
    ------
    SymbreakError
        If the counts are none or the ratio is below 1.

    Examples
    --------
    >>> ownership([[6, 3, 0, 2], [2, 0, 0, 3]])
    array([1, 1, 0, 0])
    """
    counts, ratio = checked_appearance(appearance), checked_ratio(ratio)
    lead = dominance(counts)
    # NaN (no appearance) and a tie at r = 1 compare false: no owner.
    owned = (lead >= ratio) & (lead > 1)
    return np.where(owned, counts.argmax(axis=-2) + 1, 0)


def count_owned(owner: ArrayLike, n_heads: int) -> NDArray[np.int64]:
    """Count the labels that each head owns.

    Parameters
    ----------
    owner : (..., n_labels) array of int
        Head from 1, 0 for none.
    n_heads
        Number of heads.

    Returns
    -------
    (..., n_heads) array of int

    Examples
    --------
    >>> count_owned([1, 1, 0, 3], n_heads=3)
    array([2, 0, 1])
    """
    heads = np.arange(1, n_heads + 1)
    return (np.asarray(owner)[..., None, :] == heads[:, None]).sum(axis=-1)


def ownership_curve(appearance: ArrayLike, ratios: ArrayLike) -> NDArray[np.int64]:
    """Labels owned per head at every ratio: the whole curve, of which the papers show one point.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int
    ratios : (n_ratios,) array of float
        Each at least 1.

    Returns
    -------
    (..., n_heads, n_ratios) array of int
        Its sum over heads falls monotonically in r. ``chance_of_ownership`` at each ratio gives the null
        curve.

    Raises
    ------
    SymbreakError
        As in ``ownership``.

    Examples
    --------
    >>> ownership_curve([[6, 3, 0], [2, 1, 0]], [1, 2, 3, 4]).sum(axis=0)
    array([2, 2, 2, 0])
    """
    counts = checked_appearance(appearance)
    curve = [
        count_owned(ownership(counts, float(ratio)), counts.shape[-2])
        for ratio in np.atleast_1d(np.asarray(ratios))
    ]
    return np.stack(curve, axis=-1)


class OwnershipTest(NamedTuple):
    """Owned labels compared with their chance level, per head and in total.

    Attributes
    ----------
    n_owned, expected, deviation, p_value
        Per head, shape (n_heads,): labels owned; exact mean and sampled standard deviation of the same when
        nodes are shuffled among heads; one-sided p-value of the shuffle.
    total, total_expected, total_deviation, total_p_value
        The same for the sum over heads.
    standard_error
        Of the total, over labels taken as independent: sqrt(L f (1 - f)) with f = total / L.
    """

    n_owned: NDArray[np.int64]
    expected: NDArray[np.float64]
    deviation: NDArray[np.float64]
    p_value: NDArray[np.float64]
    total: int
    total_expected: float
    total_deviation: float
    total_p_value: float
    standard_error: float


def ownership_test(
    membership: ArrayLike,
    head_of_node: ArrayLike,
    ratio: float = 2.0,
    n_shuffles: int = 999,
    seed: int = 0,
) -> OwnershipTest:
    """Count owned labels and compare with nodes shuffled among the heads.

    The expected numbers are exact (``chance_of_ownership``), deviations and p-values come from the shuffles,
    which keep the labels of one node together.

    Parameters
    ----------
    membership : (n_nodes, n_labels) array of bool
        Is the label in a cluster of the node?
    head_of_node : (n_nodes,) array of int
        Head of every node, from 1.
    ratio, n_shuffles, seed
        Ratio r of the rule; number and seed of the shuffles.

    Returns
    -------
    OwnershipTest

    Raises
    ------
    SymbreakError
        If shapes do not fit, or as in ``ownership``.

    Examples
    --------
    >>> apart = np.kron(np.eye(2, dtype=int), np.ones((32, 5), dtype=int))
    >>> test = ownership_test(apart, [1] * 32 + [2] * 32)
    >>> test.n_owned.tolist(), round(test.total_expected, 2), test.total_p_value
    ([5, 5], 0.06, 0.006)
    """
    counts, nodes = appearance_of_heads(membership, head_of_node), count_nodes(head_of_node)
    draws = shuffle_nodes(membership, head_of_node, n_shuffles, seed)
    return compare_ownership(counts, draws, nodes, ratio)


def compare_ownership(
    counts: NDArray[np.int64], draws: NDArray[np.int32], nodes: NDArray[np.int64], ratio: float
) -> OwnershipTest:
    """Test appearances (head, label) against those of shuffled nodes (draw, head, label).

    Examples
    --------
    >>> compare_ownership(np.eye(2), np.ones((3, 2, 2)), np.array([2, 2]), 2.0).total_p_value
    0.25
    """
    n_owned = count_owned(ownership(counts, ratio), len(nodes))
    null = count_owned(ownership(draws, ratio), len(nodes))
    expected = chance_of_ownership(counts.sum(axis=0), nodes, ratio).sum(axis=1)
    share = n_owned.sum() / counts.shape[1]
    return OwnershipTest(
        n_owned,
        expected,
        null.std(axis=0),
        permutation_p_value(n_owned, null),
        int(n_owned.sum()),
        float(expected.sum()),
        float(null.sum(axis=1).std()),
        float(permutation_p_value(n_owned.sum(), null.sum(axis=1))),
        float(np.sqrt(counts.shape[1] * share * (1 - share))),
    )
