"""The count array of the head analysis: which head stands how often for which label.

Everything about heads starts from ``appearance``, an integer array of shape (n_heads, n_labels): in how many
node matrices of a head do the diagonal clusters contain the label (P1, section 4; at most the number of nodes
of that head). Leading dimensions (shuffles, thresholds, epochs) are allowed where a docstring writes ``...``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.matrices.field_matrices import check_groups


def checked_appearance(appearance: ArrayLike) -> NDArray[np.int64]:
    """Return the counts as integers of shape (..., n_heads, n_labels), or refuse them in one sentence.

    Raises
    ------
    SymbreakError
        If the array has fewer than two dimensions, no head, or anything but counts 0, 1, 2, ... in it.

    Examples
    --------
    >>> checked_appearance([[3, 0], [1, 2]]).shape
    (2, 2)
    """
    counts = np.asarray(appearance)
    if counts.ndim < 2 or counts.shape[-2] == 0:
        raise SymbreakError(
            f"The appearances have shape {counts.shape}, not (heads, labels): pass one row per head."
        )
    whole = counts.astype(np.int64) if counts.dtype.kind in "biu" or np.isfinite(counts).all() else None
    if whole is None or (counts.dtype.kind not in "biu" and (whole != counts).any()) or (whole < 0).any():
        raise SymbreakError(
            "The appearances contain something that is no count: pass integers 0, 1, 2, ... and no NaN."
        )
    return whole


def assign_nodes(n_nodes: int, n_heads: int) -> NDArray[np.int64]:
    """Return the head (from 1) of every node: contiguous equal slices, as attention concatenates its heads.

    Parameters
    ----------
    n_nodes, n_heads
        Width of the tap and number of heads; the width must be a multiple of the number of heads.

    Returns
    -------
    (n_nodes,) array of int

    Raises
    ------
    SymbreakError
        If the heads do not divide the nodes.

    Examples
    --------
    >>> assign_nodes(6, 3)
    array([1, 1, 2, 2, 3, 3])
    """
    if n_heads < 1 or n_nodes < 1 or n_nodes % n_heads:
        raise SymbreakError(
            f"{n_heads} heads do not divide {n_nodes} nodes into equal slices: "
            "choose a number of heads that divides the width, or pass the head of every node."
        )
    return np.repeat(np.arange(1, n_heads + 1), n_nodes // n_heads)


def count_nodes(head_of_node: ArrayLike) -> NDArray[np.int64]:
    """Count the nodes of every head.

    Parameters
    ----------
    head_of_node : (n_nodes,) array of int
        Head of every node, from 1.

    Returns
    -------
    (n_heads,) array of int

    Examples
    --------
    >>> count_nodes([1, 1, 2])
    array([2, 1])
    """
    return np.bincount(check_groups(head_of_node))[1:]


def checked_membership(membership: ArrayLike) -> NDArray[np.bool_]:
    """Return the memberships as a Boolean (nodes, labels) array, or refuse them in one sentence.

    Examples
    --------
    >>> checked_membership([[1, 0], [1, 1]]).sum()
    np.int64(3)
    """
    member = np.asarray(membership)
    if member.ndim != 2 or not np.isin(member, (0, 1)).all():
        raise SymbreakError(
            "The memberships must be zeros and ones of shape (nodes, labels): 1 if a cluster has the label."
        )
    return member.astype(bool)


def appearance_of_heads(membership: ArrayLike, head_of_node: ArrayLike) -> NDArray[np.int64]:
    """Add up the node matrices of each head that contain a label in their diagonal clusters.

    c_hl = sum over the nodes k of head h of [label l lies in a cluster of node k] (P1, section 4).

    Parameters
    ----------
    membership : (n_nodes, n_labels) array of bool
        Is the label in a cluster of the node? See :func:`symbreak.clusters.membership`.
    head_of_node : (n_nodes,) array of int
        Head of every node, from 1.

    Returns
    -------
    (n_heads, n_labels) array of int

    Raises
    ------
    SymbreakError
        If the shapes differ or the heads are not numbered 1..H.

    Examples
    --------
    >>> appearance_of_heads([[1, 0], [1, 1], [0, 1]], [1, 1, 2])
    array([[2, 1],
           [0, 1]])
    """
    member = checked_membership(membership)
    heads = check_groups(head_of_node, member.shape[0])
    total = np.zeros((int(heads.max()), member.shape[1]), dtype=np.int64)
    np.add.at(total, heads - 1, member)
    return total


def coarse_grain(appearance: ArrayLike, superclass: ArrayLike) -> NDArray[np.int64]:
    """Add up the appearances of the labels of each superclass.

    Order parameters of the result ask whether heads divide the superclasses, not just the labels.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int
    superclass : (n_labels,) array of int
        Superclass of every label from 0; -1 for a label without one, which is left out.

    Returns
    -------
    (..., n_heads, n_superclasses) array of int

    Examples
    --------
    >>> coarse_grain([[3, 1, 5], [0, 2, 2]], [0, 0, -1])
    array([[4],
           [2]])
    """
    counts = checked_appearance(appearance)
    group = checked_superclass(superclass, counts.shape[-1])
    member = group[:, None] == np.arange(group.max(initial=-1) + 1)[None, :]
    return counts @ member.astype(np.int64)


def checked_superclass(superclass: ArrayLike, n_labels: int) -> NDArray[np.int64]:
    """Return the superclass of every label (from 0, -1 for none), or refuse it in one sentence.

    Examples
    --------
    >>> checked_superclass([0, 1, -1], n_labels=3)
    array([ 0,  1, -1])
    """
    group = np.asarray(superclass)
    if group.shape != (n_labels,) or group.dtype.kind not in "iu":
        raise SymbreakError(
            f"The superclasses have shape {group.shape} for {n_labels} labels: "
            "give every label one integer, -1 if it has none."
        )
    if (group < -1).any():
        raise SymbreakError("A superclass is numbered below -1: number them from 0 and write -1 for none.")
    return group.astype(np.int64)
