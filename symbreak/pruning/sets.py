"""Label sets of nodes, and which pairs of nodes they connect; arrays only, no network."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from symbreak.clusters import partitions
from symbreak.errors import SymbreakError

Sets = NDArray[np.bool_]

#: Sweeps in which pairs of nodes trade labels; the overlaps have long forgotten the start by then.
SWEEPS = 30


class Nodes(NamedTuple):
    """The nodes of one place: label means (labels, nodes), readout (outputs, nodes), kept bias or None."""

    feature_mean: NDArray
    readout: NDArray
    bias: NDArray | None = None


def label_sets(
    nodes: Nodes,
    threshold: float,
    rule: str = "first_fit",
    centred: bool = False,
    threads: int | None = None,
) -> Sets:
    r"""Labels in the diagonal clusters of every node.

    .. math:: S_k = \{ l : M_k[l, l] > \vartheta \max_{ij} M_k[i, j] \}

    Every such label is in exactly one cluster, whatever the rule (docs/method.md).

    Parameters
    ----------
    nodes : Nodes
    threshold : float
        Fraction of the signed maximum, in [0, 1).
    rule, centred, threads
        See :func:`symbreak.clusters.partitions`.

    Returns
    -------
    (nodes, labels) boolean array

    Raises
    ------
    SymbreakError
        If shapes do not fit or the threshold is not in [0, 1).

    Examples
    --------
    >>> nodes = Nodes(np.array([[1.0], [0.8], [-1.0]]), np.array([[1.0], [0.9], [-0.2]]))
    >>> label_sets(nodes, 0.5).tolist()
    [[True, True, False]]
    """
    return partitions(nodes.feature_mean, nodes.readout, threshold, rule, nodes.bias, centred, threads) > 0


def intersect(outputs: Sets, inputs: Sets) -> NDArray[np.bool_]:
    r"""Which pairs of nodes share a label: a Boolean matrix product, the labels as bits.

    .. math:: K[o, i] = [S_o \cap S_i \neq \emptyset] = \bigvee_l S_o[l] \wedge S_i[l]

    Parameters
    ----------
    outputs : (outputs, labels) boolean array
    inputs : (inputs, labels) boolean array

    Returns
    -------
    (outputs, inputs) boolean array
        In the shape of the weight of a fully connected layer.

    Raises
    ------
    SymbreakError
        If the sets are of different labels.

    Notes
    -----
    P1 (arXiv:2501.12900) section 3 and Fig. 6.

    Examples
    --------
    >>> intersect(np.array([[1, 0, 0]], bool), np.array([[1, 1, 0], [0, 1, 1]], bool)).tolist()
    [[True, False]]
    """
    if outputs.shape[1] != inputs.shape[1]:
        raise SymbreakError(
            f"The sets are of {outputs.shape[1]} and {inputs.shape[1]} labels: give those of one data set."
        )
    ours, theirs = _words(outputs), _words(inputs)
    shared = np.zeros((len(outputs), len(inputs)), dtype=bool)
    for word in range(ours.shape[1]):
        shared |= (ours[:, word, None] & theirs[None, :, word]) != 0
    return shared


def _words(sets: Sets) -> NDArray[np.uint64]:
    """Labels as bits of 64-bit words, (nodes, words)."""
    packed = np.packbits(sets, axis=1)
    missing = -packed.shape[1] % 8
    return np.ascontiguousarray(np.pad(packed, ((0, 0), (0, missing)))).view(np.uint64)


def expected_fraction(outputs: Sets, inputs: Sets) -> float:
    r"""Fraction of pairs that independent uniform sets of the same sizes would share a label in.

    .. math:: \Bigl\langle 1 - \binom{L-a}{b} \Big/ \binom{L}{b} \Bigr\rangle

    over all pairs of nodes with sets of a and b labels out of L.

    Examples
    --------
    >>> sets = np.zeros((2, 100), bool)
    >>> sets[:, :5] = True
    >>> round(expected_fraction(sets, sets), 4)
    0.2304
    """
    labels = outputs.shape[1]
    sizes = np.arange(labels + 1)
    ours = np.bincount(outputs.sum(1), minlength=labels + 1) / len(outputs)
    theirs = np.bincount(inputs.sum(1), minlength=labels + 1) / len(inputs)
    a, b = np.meshgrid(sizes, sizes, indexing="ij")
    rest = np.clip(labels - a - b, 0, None)
    logarithm = gammaln(labels - a + 1) - gammaln(rest + 1) + gammaln(labels - b + 1) - gammaln(labels + 1)
    disjoint = np.where(a + b > labels, 0.0, np.exp(logarithm))
    return float(ours @ (1 - disjoint) @ theirs)


def mean_size_for(fraction: float, other: Sets) -> float:
    """Mean set size at which balanced random sets share a label with `other` in this fraction of pairs.

    Examples
    --------
    >>> sets = np.zeros((2, 100), bool)
    >>> sets[:, :5] = True
    >>> round(mean_size_for(0.2304, sets), 2)
    5.0
    """
    labels = other.shape[1]
    fractions = [expected_fraction(_of_size(size, labels), other) for size in range(labels + 1)]
    return float(np.interp(fraction, fractions, np.arange(labels + 1)))


def _of_size(size: int, labels: int) -> Sets:
    return (np.arange(labels) < size)[None]


def balanced_sets(nodes: int, labels: int, total: int, generator: np.random.Generator) -> Sets:
    """Random label sets in which each label appears equally often, and each node has equally many.

    Both hold within one, as `total` need not be a multiple. The start is a cyclic list of labels dealt to
    the nodes, which is balanced; then pairs of nodes trade the labels that only one of them has, which
    changes neither sizes nor appearances (curveball trades: Strona et al., Nat. Commun. 5, 4114 (2014)).

    Parameters
    ----------
    nodes, labels : int
    total : int
        Appearances of all labels together, at most nodes * labels.
    generator : Generator

    Returns
    -------
    (nodes, labels) boolean array

    Raises
    ------
    SymbreakError
        If so many appearances do not fit.

    Notes
    -----
    A-ANDC, P1 (arXiv:2501.12900) section 5.

    Examples
    --------
    >>> sets = balanced_sets(6, 4, 12, np.random.default_rng(0))
    >>> sets.sum(0).tolist(), sets.sum(1).tolist()
    ([3, 3, 3, 3], [2, 2, 2, 2, 2, 2])
    """
    if not 0 <= total <= nodes * labels:
        raise SymbreakError(f"{total} appearances do not fit into {nodes} sets of at most {labels} labels.")
    sizes = np.full(nodes, total // nodes) + (np.arange(nodes) < total % nodes)
    dealt = np.arange(total) % labels
    sets = np.zeros((nodes, labels), dtype=bool)
    sets[np.repeat(np.arange(nodes), sizes), dealt] = True
    sets = sets[generator.permutation(nodes)][:, generator.permutation(labels)]
    for _ in range(SWEEPS if nodes > 1 else 0):
        _trade(sets, generator)
    return sets


def _trade(sets: Sets, generator: np.random.Generator) -> None:
    """Deal the labels that only one node of a pair has anew, for all pairs of a random pairing."""
    order = generator.permutation(len(sets))
    half = len(sets) // 2
    first, second = order[:half], order[half : 2 * half]
    single = sets[first] ^ sets[second]
    keys = np.where(single, generator.random(single.shape), np.inf)
    rank = keys.argsort(axis=1).argsort(axis=1)
    own = (sets[first] & single).sum(1, keepdims=True)
    common = sets[first] & sets[second]
    to_first = single & (rank < own)
    sets[first], sets[second] = common | to_first, common | (single & ~to_first)
