"""Matrices of heads while the others are silenced at the input of the probe: the other reading of SHP.

P2 (arXiv:2506.23832) section 2 silences "all input nodes to the trained classifier head"; its Fig. 2 shows
silenced weights of the fully connected layer. The two differ by the weights of the sequence pooling: made by
all nodes together, or by the nodes of the head alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.clusters import scan_matrices
from symbreak.errors import SymbreakError
from symbreak.matrices import centre, clip
from symbreak.observables.nodes.folds import leave_out_folds, pool_folds
from symbreak.observables.nodes.snr import block_statistics


def centred_fields(
    fields: ArrayLike, feature_mean: ArrayLike, readout: ArrayLike, bias: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Fix the gauge of fields of heads as :func:`symbreak.matrices.centre` does that of their factors.

    Rows and columns lose their means; a kept bias comes back centred. With the pooling weights of the full
    pass the result is that of ``by_head(..., centred=True)``.

    Parameters
    ----------
    fields : (n_heads, n_labels, n_outputs) array of float
        With the bias, where there is one.
    feature_mean : (n_labels, n_nodes) array of float
    readout : (n_outputs, n_nodes) array of float
    bias : (n_outputs,) array of float, optional

    Returns
    -------
    (n_heads, n_labels, n_outputs) array of float

    Examples
    --------
    >>> centred_fields([[[1.0, 2.0], [3.0, 8.0]]], [[1.0], [2.0]], [[1.0], [3.0]])[0]
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    values = np.asarray(fields, dtype=np.float64)
    rows, columns = values.mean(axis=2, keepdims=True), values.mean(axis=1, keepdims=True)
    result = values - rows - columns + values.mean(axis=(1, 2), keepdims=True)
    offsets = centre(feature_mean, readout, bias)[2]
    return result if offsets is None else result + offsets


def common_share(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Common elements of Boolean matrices over the elements of either: Jaccard similarity of all pairs.

    Parameters
    ----------
    first : (n, ...) array of bool
    second : (m, ...) array of bool

    Returns
    -------
    (n, m) array of float
        NaN where both are empty.

    Examples
    --------
    >>> common_share([[True, True, False]], [[True, False, False], [False, False, True]])
    array([[0.5, 0. ]])
    """
    one = np.asarray(first).reshape(len(np.asarray(first)), -1).astype(np.float64)
    two = np.asarray(second).reshape(len(np.asarray(second)), -1).astype(np.float64)
    common = one @ two.T
    either = one.sum(axis=1)[:, None] + two.sum(axis=1) - common
    return np.where(either > 0, common / np.where(either > 0, either, 1.0), np.nan)


def fold_fields(fields: NDArray, fold_count: NDArray, head_of_node: NDArray) -> list[NDArray]:
    """Fields of heads over all images, and with one fold left out at a time.

    Parameters
    ----------
    fields : (n_heads, n_folds, n_labels, n_labels) array of float
    fold_count : (n_folds, n_labels) array of int
    head_of_node : (n_nodes,) array of int

    Returns
    -------
    list of (n_heads, n_labels, n_labels) arrays of float
        First pooled, then without each fold.

    Raises
    ------
    SymbreakError
        If the fields are not those of these heads.

    Examples
    --------
    >>> fields = np.arange(2.0)[None, :, None, None]
    >>> [float(part.squeeze()) for part in fold_fields(fields, np.ones((2, 1)), np.array([1]))]
    [0.5, 1.0, 0.0]
    """
    heads, folds, labels, outputs = np.shape(fields)
    if heads != head_of_node.max() or (folds, labels) != np.shape(fold_count):
        raise SymbreakError(
            f"head_field_input has shape {np.shape(fields)} and the nodes belong to {head_of_node.max()} "
            "heads; measure again."
        )
    flat = np.moveaxis(np.asarray(fields, dtype=np.float64), 0, 2).reshape(folds, labels, heads * outputs)
    parts = (pool_folds(flat, fold_count), *leave_out_folds(flat, fold_count))
    return [np.moveaxis(part.reshape(labels, heads, outputs), 1, 0) for part in parts]


def input_statistics(
    fields: NDArray, default: NDArray, thresholds: NDArray, rule: str, threads: int | None = None
) -> dict[str, NDArray]:
    """Statistics of head matrices silenced at the input of the probe, and their agreement with the default.

    Parameters
    ----------
    fields : (n_heads, n_labels, n_labels) array of float
        Mean output fields of each head alone.
    default : (n_heads, n_labels, n_labels) array of float
        Matrices of the same heads, silenced at the readout.
    thresholds : (n_thresholds,) array of float
    rule : str
    threads : int, optional

    Returns
    -------
    dict of (n_thresholds,) arrays of float
        The variables of :func:`symbreak.observables.block_statistics` with the prefix ``head_input_``;
        `agreement_input`, the Jaccard similarity of the elements above threshold of both readings, mean over
        heads; NaN where all matrices are empty.

    Examples
    --------
    >>> fields = np.random.default_rng(0).normal(size=(2, 5, 5))
    >>> input_statistics(fields, fields, np.array([0.3]), "first_fit")["agreement_input"]
    array([1.])
    """
    found = block_statistics(scan_matrices(fields, thresholds, rule, threads=threads))
    agreement = np.full(len(thresholds), np.nan)
    for i, cut in enumerate(thresholds):
        shares = np.diag(common_share(clip(fields, float(cut)), clip(default, float(cut))))
        if np.isfinite(shares).any():
            agreement[i] = np.nanmean(shares)
    values = {f"head_input_{name}": array.values for name, array in found.data_vars.items()}
    return values | {"agreement_input": agreement}
