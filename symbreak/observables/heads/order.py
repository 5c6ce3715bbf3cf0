"""Order parameters of broken head symmetry, each with its error, its null value and a p-value.

The symmetry is the exchange of heads. Every label picks its own head, so the average over labels of the order
vector vanishes even when each label is perfectly specialised: the order is that of a Potts glass, not of a
ferromagnet, and is measured label by label. With p_hl = c_hl / a_l, a_l = sum_h c_hl, every quantity here is
0 for p_hl = 1/H and 1 if each label lives in one head (the mutual information if, besides, heads share
labels equally). Finite counts give order without any: compare with the null, never with 0. The formulas take
heads of equal size; for unequal ones the symmetric value is not 0 and only the comparison with the null
(nodes shuffled) has a meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.matrices.field_matrices import check_groups
from symbreak.numerics.estimates import UNDEFINED, Estimate, compare_with_null, jackknife_error
from symbreak.observables.heads.appearance import appearance_of_heads, checked_appearance
from symbreak.observables.heads.information import committee_contrast, mutual_information
from symbreak.observables.heads.local_order import edwards_anderson, entropy_order, potts_order

#: Order parameters of a block by name; each maps appearances (..., heads, labels) to values (...).
ORDER_PARAMETERS: dict[str, Callable[[ArrayLike], NDArray[np.float64]]] = {
    "potts_order": potts_order,
    "edwards_anderson": edwards_anderson,
    "edwards_anderson_unbiased": partial(edwards_anderson, unbiased=True),
    "entropy_order": entropy_order,
    "mutual_information": mutual_information,
    "committee_contrast": committee_contrast,
}


def _without_each_label(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    n_labels = counts.shape[1]
    kept = np.array([np.delete(np.arange(n_labels), label) for label in range(n_labels)], dtype=int)
    return counts[:, kept.reshape(n_labels, -1)].transpose(1, 0, 2)


def without_each_node(membership: ArrayLike, head_of_node: ArrayLike) -> NDArray[np.int64]:
    """Appearances with one node left out at a time, shape (n_nodes, n_heads, n_labels): for the jackknife.

    Examples
    --------
    >>> without_each_node([[1, 0], [1, 1]], [1, 2]).tolist()
    [[[0, 0], [1, 1]], [[1, 0], [0, 0]]]
    """
    member = np.asarray(membership).astype(np.int64)
    counts = appearance_of_heads(member, head_of_node)
    left_out = np.repeat(counts[None], len(member), axis=0)
    left_out[np.arange(len(member)), check_groups(head_of_node) - 1] -= member
    return left_out


def order_parameters(
    appearance: ArrayLike,
    null_appearance: ArrayLike | None = None,
    n_nodes: int | None = None,
    names: Iterable[str] = tuple(ORDER_PARAMETERS),
    membership: ArrayLike | None = None,
    head_of_node: ArrayLike | None = None,
) -> dict[str, Estimate]:
    """Measure the order parameters of a block with standard error, null value and p-value.

    Parameters
    ----------
    appearance : (n_heads, n_labels) array of int
    null_appearance : (n_draws, n_heads, n_labels) array of int, optional
        Draws of the null model, from ``shuffle_nodes`` (or ``shuffle_nodes_per_label``). Without them the
        null fields are NaN.
    n_nodes
        Number of nodes of the block, for the bias of the mutual information.
    names
        Which of ``ORDER_PARAMETERS``.
    membership : (n_nodes, n_labels) array of bool, optional
        If given together with ``head_of_node``, the standard error is the jackknife over nodes within their
        heads; without, over labels.
    head_of_node : (n_nodes,) array of int, optional

    Returns
    -------
    dict of Estimate
        All NaN in a block of one head: it has no symmetry to break.

    Raises
    ------
    SymbreakError
        For an unknown name, or shapes that do not fit.

    Examples
    --------
    >>> apart = np.kron(np.eye(2, dtype=int), np.ones((32, 5), dtype=int))
    >>> heads = [1] * 32 + [2] * 32
    >>> from symbreak.observables.heads.nulls import shuffle_nodes
    >>> order = order_parameters(appearance_of_heads(apart, heads), shuffle_nodes(apart, heads, 99))
    >>> order["potts_order"].value, round(order["potts_order"].p_value, 2)
    (1.0, 0.01)
    """
    counts = checked_appearance(appearance)
    if counts.ndim != 2:
        raise SymbreakError(
            f"The appearances have shape {counts.shape}: measure one block (heads, labels) at a time."
        )
    null = None if null_appearance is None else checked_appearance(null_appearance)
    if null is not None and null.shape[1:] != counts.shape:
        raise SymbreakError(
            f"Null appearances of shape {null.shape} do not fit a block of shape {counts.shape}."
        )
    stratum = None
    if membership is not None and head_of_node is not None:
        left_out, stratum = without_each_node(membership, head_of_node), head_of_node
    else:
        left_out = _without_each_label(counts)
    result = {}
    for name in names:
        if name not in ORDER_PARAMETERS:
            raise SymbreakError(
                f"There is no order parameter {name!r}: choose among {', '.join(ORDER_PARAMETERS)}."
            )
        measure = ORDER_PARAMETERS[name]
        if name == "mutual_information" and n_nodes is not None:
            measure = partial(mutual_information, n_nodes=n_nodes)
        if len(counts) == 1:
            result[name] = UNDEFINED
            continue
        error = jackknife_error(measure(left_out), stratum)
        result[name] = compare_with_null(
            float(measure(counts)), error, None if null is None else measure(null)
        )
    return result
