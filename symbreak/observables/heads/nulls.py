"""Null models by shuffling: nodes among heads, superclass names among labels.

Every shuffle keeps what the null says is real (the matrices of the nodes, the labels of the heads) and
destroys only what is tested. Kernels are serial and release the interpreter lock; the seed fixes every draw.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.matrices.field_matrices import check_groups
from symbreak.observables.heads.appearance import checked_membership, checked_superclass


@njit(nogil=True, cache=True)
def _shuffle(rng, values):
    for last in range(len(values) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        values[last], values[other] = values[other], values[last]


@njit(nogil=True, cache=True)
def _shuffle_nodes(rng, node_of_entry, label_of_entry, head_of_node, appearance):
    heads = head_of_node.copy()
    for draw in range(appearance.shape[0]):
        _shuffle(rng, heads)
        for entry in range(len(node_of_entry)):
            appearance[draw, heads[node_of_entry[entry]], label_of_entry[entry]] += 1


@njit(nogil=True, cache=True)
def _shuffle_labels_apart(rng, totals, head_of_node, appearance):
    heads = head_of_node.copy()
    n_nodes = len(heads)
    for draw in range(appearance.shape[0]):
        for label in range(len(totals)):
            for drawn in range(totals[label]):
                other = drawn + int(rng.random() * (n_nodes - drawn))
                heads[drawn], heads[other] = heads[other], heads[drawn]
                appearance[draw, heads[drawn], label] += 1


@njit(nogil=True, cache=True)
def _shuffle_taxonomy(rng, owner, superclass, n_superclasses, filling):
    names = superclass.copy()
    n_heads = filling.shape[1]
    count = np.zeros((n_heads, n_superclasses), dtype=np.int64)
    for draw in range(filling.shape[0]):
        _shuffle(rng, names)
        count[:] = 0
        for label in range(len(owner)):
            if owner[label] > 0 and names[label] >= 0:
                count[owner[label] - 1, names[label]] += 1
        for head in range(n_heads):
            for group in range(n_superclasses):
                filling[draw, head, count[head, group]] += 1


def _checked_draws(n_shuffles: int) -> int:
    if n_shuffles < 1:
        raise SymbreakError(f"{n_shuffles} shuffles make no null model: ask for at least 1, better 999.")
    return int(n_shuffles)


def shuffle_nodes(
    membership: ArrayLike, head_of_node: ArrayLike, n_shuffles: int = 999, seed: int = 0
) -> NDArray[np.int32]:
    """Deal the nodes out to the heads again, sizes kept, and count appearances each time.

    The node matrices are untouched, so labels that share a cluster stay together: the null for every
    statistic of a whole block. For one label it is the multivariate hypergeometric law of
    ``chance_of_ownership``.

    Parameters
    ----------
    membership : (n_nodes, n_labels) array of bool
        Is the label in a cluster of the node?
    head_of_node : (n_nodes,) array of int
        Head of every node, from 1.
    n_shuffles
        Number B of draws.
    seed
        Of numpy's default generator.

    Returns
    -------
    (n_draws, n_heads, n_labels) array of int

    Raises
    ------
    SymbreakError
        If the shapes differ or no draw is asked for.

    Examples
    --------
    >>> null = shuffle_nodes([[1, 0], [1, 1], [0, 1], [0, 1]], [1, 1, 2, 2], n_shuffles=3, seed=1)
    >>> null.shape, null.sum(axis=1).tolist()
    ((3, 2, 2), [[2, 3], [2, 3], [2, 3]])
    """
    member = checked_membership(membership)
    heads = check_groups(head_of_node, member.shape[0]) - 1
    node, label = np.nonzero(member)
    appearance = np.zeros((_checked_draws(n_shuffles), int(heads.max()) + 1, member.shape[1]), dtype=np.int32)
    _shuffle_nodes(np.random.default_rng(seed), node, label, heads, appearance)
    return appearance


def shuffle_nodes_per_label(
    n_appearances: ArrayLike, nodes_per_head: ArrayLike, n_shuffles: int = 999, seed: int = 0
) -> NDArray[np.int32]:
    """Draw every label's counts from its own multivariate hypergeometric law, labels independent.

    For when only the appearances were stored, not the clusters of single nodes. It forgets that labels of one
    cluster move together, so its p-values for whole blocks are too small if clusters are large: prefer
    ``shuffle_nodes``.

    Parameters
    ----------
    n_appearances : (n_labels,) array of int
        Total appearances of every label, 0..number of nodes.
    nodes_per_head : (n_heads,) array of int
    n_shuffles, seed
        As in ``shuffle_nodes``.

    Returns
    -------
    (n_draws, n_heads, n_labels) array of int

    Raises
    ------
    SymbreakError
        If a label has more appearances than there are nodes.

    Examples
    --------
    >>> shuffle_nodes_per_label([4, 0], [2, 2], n_shuffles=2).tolist()
    [[[2, 0], [2, 0]], [[2, 0], [2, 0]]]
    """
    totals = np.atleast_1d(np.asarray(n_appearances)).astype(np.int64)
    nodes = np.atleast_1d(np.asarray(nodes_per_head)).astype(np.int64)
    if (totals < 0).any() or (totals > nodes.sum()).any():
        raise SymbreakError(
            f"A label appears in fewer than 0 or more than {nodes.sum()} nodes: check the counts."
        )
    heads = np.repeat(np.arange(len(nodes)), nodes)
    appearance = np.zeros((_checked_draws(n_shuffles), len(nodes), len(totals)), dtype=np.int32)
    _shuffle_labels_apart(np.random.default_rng(seed), totals, heads, appearance)
    return appearance


def shuffle_taxonomy(
    owner: ArrayLike, superclass: ArrayLike, n_heads: int, n_shuffles: int = 999, seed: int = 0
) -> NDArray[np.int32]:
    """Shuffle the superclass names over the labels, heads' sets kept, and fill the superclasses each time.

    Tests whether heads collect labels that belong together (null 3 of the head analysis), for all heads at
    once: their sets stay disjoint. Labels without superclass take part, so the number of owned labels with a
    superclass varies from draw to draw.

    Parameters
    ----------
    owner : (n_labels,) array of int
        Head that owns each label, from 1; 0 for none.
    superclass : (n_labels,) array of int
        Superclass of each label, from 0; -1 for none.
    n_heads
        Number of heads.
    n_shuffles, seed
        As in ``shuffle_nodes``.

    Returns
    -------
    (n_draws, n_heads, n_fillings) array of int
        Number of superclasses with 0, 1, ..., s of their labels owned by the head.

    Raises
    ------
    SymbreakError
        If the arrays do not fit.

    Examples
    --------
    >>> shuffle_taxonomy([1, 1, 2, 0], [0, 0, 1, 1], n_heads=2, n_shuffles=5).sum(axis=2).tolist()[0]
    [2, 2]
    """
    owners = np.asarray(owner).astype(np.int64)
    group = checked_superclass(superclass, owners.size)
    if (owners < 0).any() or (owners > n_heads).any():
        raise SymbreakError(f"An owner is not one of the heads 1 to {n_heads} or 0 for none.")
    if (group < 0).all():
        raise SymbreakError("No label has a superclass: leave the superclass table out for this data set.")
    sizes = np.bincount(group[group >= 0])
    shape = (_checked_draws(n_shuffles), n_heads, int(sizes.max()) + 1)
    filling = np.zeros(shape, dtype=np.int32)
    _shuffle_taxonomy(np.random.default_rng(seed), owners, group, len(sizes), filling)
    return filling
