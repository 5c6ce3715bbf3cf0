"""How often a head seems to own a label when nodes are assigned to heads at random: exact laws.

If the nodes are assigned to the heads at random, a label with a appearances falls on the heads by the
multivariate hypergeometric law, P(c_1..c_H) = prod_h C(d_h, c_h) / C(D, a) with d_h nodes in head h and D
nodes in all. The papers do not give this chance level; a count of owned labels means nothing without it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.observables.heads.appearance import checked_appearance


@njit(nogil=True, cache=True)
def largest_rival(count: int, ratio: float) -> int:
    """Return the largest count that another head may have if ``count`` is to own the label.

    The quotient is compared, not the product: 11/10 >= 1.1 holds in floating point, 11 >= 1.1*10 does not.

    Examples
    --------
    >>> largest_rival(7, 2.0), largest_rival(11, 1.1), largest_rival(4, 1.0)
    (3, 10, 3)
    """
    rival = count - 1
    while rival > 0 and count / rival < ratio:
        rival -= 1
    return rival


@njit(nogil=True, cache=True)
def _binomial_weights(n, tilt):
    weights = np.empty(n + 1)
    for j in range(n + 1):
        log_weight = math.lgamma(n + 1.0) - math.lgamma(j + 1.0) - math.lgamma(n - j + 1.0)
        weights[j] = math.exp(log_weight + j * math.log(tilt) + (n - j) * math.log1p(-tilt))
    return weights


@njit(nogil=True, cache=True)
def _multiply(polynomial, weights, highest, degree):
    """Multiply by ``weights`` up to the power ``highest``, keep the powers up to ``degree``."""
    product = np.zeros(degree + 1)
    for i in range(degree + 1):
        if polynomial[i] != 0.0:
            for j in range(min(highest, degree - i, len(weights) - 1) + 1):
                product[i + j] += polynomial[i] * weights[j]
    return product


@njit(nogil=True, cache=True)
def _chance_of_head(total, head, nodes, ratio):
    """P(head owns | total) from products of binomials: every term is positive, nothing cancels."""
    n_nodes = nodes.sum()
    tilt = (total + 0.5) / (n_nodes + 1.0)  # any tilt cancels in the quotient; this one avoids underflow
    own = _binomial_weights(nodes[head], tilt)
    sum_of_products = 0.0
    for count in range(1, min(nodes[head], total) + 1):
        rest, rival = total - count, largest_rival(count, ratio)
        if rival * (len(nodes) - 1) < rest:
            continue
        others = np.zeros(rest + 1)
        others[0] = 1.0
        for other in range(len(nodes)):
            if other != head:
                others = _multiply(others, _binomial_weights(nodes[other], tilt), rival, rest)
        sum_of_products += own[count] * others[rest]
    return sum_of_products / _binomial_weights(n_nodes, tilt)[total]


@njit(nogil=True, cache=True)
def _chance_of_maximum(total, largest, nodes):
    """P(some head has >= largest of the total): the first head that reaches it is unique, so terms add up."""
    n_nodes = nodes.sum()
    tilt = (total + 0.5) / (n_nodes + 1.0)
    before = np.zeros(total + 1)
    before[0] = 1.0
    remaining = n_nodes
    chance = 0.0
    for head in range(len(nodes)):
        remaining -= nodes[head]
        weights = _binomial_weights(nodes[head], tilt)
        after = _binomial_weights(remaining, tilt)
        for i in range(total + 1):
            for j in range(largest, min(nodes[head], total - i) + 1):
                if total - i - j <= remaining:
                    chance += before[i] * weights[j] * after[total - i - j]
        before = _multiply(before, weights, largest - 1, total)
    return chance / _binomial_weights(n_nodes, tilt)[total]


def _checked_sizes(nodes_per_head: ArrayLike) -> NDArray[np.int64]:
    nodes = np.atleast_1d(np.asarray(nodes_per_head))
    if nodes.ndim != 1 or nodes.size == 0 or nodes.dtype.kind not in "iu" or (nodes < 1).any():
        raise SymbreakError("The numbers of nodes per head must be one positive integer for every head.")
    return nodes.astype(np.int64)


def checked_ratio(ratio: float) -> float:
    """Return the ratio of the ownership rule, which is at least 1, or refuse it.

    Examples
    --------
    >>> checked_ratio(2)
    2.0
    """
    if not ratio >= 1:
        raise SymbreakError(f"The ownership ratio is {ratio}: it must be at least 1, the papers use 2.")
    return float(ratio)


def chance_of_ownership(
    n_appearances: ArrayLike, nodes_per_head: ArrayLike, ratio: float = 2.0
) -> NDArray[np.float64]:
    """Exact probability that each head owns a label by chance, given the label's number of appearances.

    P_h(a) = sum_c C(d_h, c) [x^(a-c)] prod_{h' != h} sum_{j <= c/r} C(d_h', j) x^j / C(D, a): nodes
    assigned to heads at random (null 2 of the head analysis). The sum over heads is the chance that the
    label has an owner, the sum over labels the number of owned labels to be expected by chance.

    Parameters
    ----------
    n_appearances : (n_labels,) array of int
        Appearances a_l = sum_h c_hl of every label, 0..D.
    nodes_per_head : (n_heads,) array of int
        Number of nodes d_h of every head; unequal heads are allowed.
    ratio
        Ownership ratio r >= 1.

    Returns
    -------
    (n_heads, n_labels) array of float
        Relative accuracy about 1e-12. A label that never appears has no owner: 0. With one head: 1.

    Raises
    ------
    SymbreakError
        If a label has more appearances than there are nodes, or the ratio is below 1.

    Examples
    --------
    >>> [round(float(p), 2) for p in chance_of_ownership([5, 10, 20, 37], [64] * 4).sum(axis=0)]
    [0.53, 0.23, 0.07, 0.01]
    """
    nodes, ratio = _checked_sizes(nodes_per_head), checked_ratio(ratio)
    totals = np.atleast_1d(np.asarray(n_appearances)).astype(np.int64)
    if (totals < 0).any() or (totals > nodes.sum()).any():
        raise SymbreakError(
            f"A label appears in fewer than 0 or more than {nodes.sum()} nodes: check the counts."
        )
    chance = np.zeros((len(nodes), totals.size))
    for total in np.unique(totals[totals > 0]):
        by_size = {
            size: _chance_of_head(total, int(np.flatnonzero(nodes == size)[0]), nodes, ratio)
            for size in np.unique(nodes)
        }
        chance[:, totals == total] = np.array([by_size[size] for size in nodes])[:, None]
    return chance


def binomial_chance_of_ownership(
    probability: ArrayLike, nodes_per_head: ArrayLike, ratio: float = 2.0
) -> NDArray[np.float64]:
    """Probability that a label has an owner if it enters every node independently with one probability.

    P = sum_h sum_c B(c; d_h, p) prod_{h' != h} F(c/r; d_h', p), with B and F the binomial law and its sum.
    This is the crudest null: it shows at which density the rule fires most often by chance (55 of 100 labels
    near one label per node for four heads of 64).

    Parameters
    ----------
    probability : (...) array of float
        Chance that a node's clusters contain the label: mean number of labels per node / number of labels.
    nodes_per_head : (n_heads,) array of int
    ratio
        Ownership ratio r >= 1.

    Returns
    -------
    (...) array of float

    Raises
    ------
    SymbreakError
        If a probability lies outside [0, 1] or the ratio is below 1.

    Examples
    --------
    >>> round(100 * float(binomial_chance_of_ownership(0.02, [64] * 4)), 1)
    46.5
    """
    from scipy.stats import binom

    nodes, ratio = _checked_sizes(nodes_per_head), checked_ratio(ratio)
    chance = np.asarray(probability, dtype=float)[..., None]
    if not ((chance >= 0) & (chance <= 1)).all():
        raise SymbreakError("The probability that a node contains a label must lie in [0, 1].")
    total = np.zeros(chance.shape[:-1])
    for head, size in enumerate(nodes):
        counts = np.arange(1, size + 1)
        rivals = np.array([largest_rival(int(count), ratio) for count in counts])
        terms = binom.pmf(counts, size, chance)
        for other, other_size in enumerate(nodes):
            if other != head:
                terms = terms * binom.cdf(rivals, other_size, chance)
        total += terms.sum(axis=-1)
    return total


def label_p_values(appearance: ArrayLike, nodes_per_head: ArrayLike) -> NDArray[np.float64]:
    """Exact p-value of every label's largest count, nodes assigned to heads at random.

    P(max_h c_hl >= observed | a_l).

    Unlike the rule ">= r times any other head" it knows how much evidence there is: three appearances in one
    head own a label but prove nothing. Adjust over labels with ``benjamini_hochberg``.

    Parameters
    ----------
    appearance : (n_heads, n_labels) array of int
    nodes_per_head : (n_heads,) array of int

    Returns
    -------
    (n_labels,) array of float
        1 for a label that never appears and for a block of one head.

    Raises
    ------
    SymbreakError
        If the shapes differ or a count exceeds the nodes of its head.

    Examples
    --------
    >>> [round(float(p), 4) for p in label_p_values([[3, 9, 0], [0, 1, 0]], [16, 16])]
    [0.2258, 0.0059, 1.0]
    """
    counts, nodes = checked_appearance(appearance), _checked_sizes(nodes_per_head)
    if counts.ndim != 2 or len(nodes) != len(counts):
        raise SymbreakError(f"{len(nodes)} head sizes do not fit appearances of shape {counts.shape}.")
    if (counts > nodes[:, None]).any():
        raise SymbreakError("A label appears in more node matrices of a head than the head has nodes.")
    values = np.ones(counts.shape[1])
    for label, (total, largest) in enumerate(zip(counts.sum(axis=0), counts.max(axis=0))):
        if total > 0:
            values[label] = min(1.0, _chance_of_maximum(total, largest, nodes))
    return values
