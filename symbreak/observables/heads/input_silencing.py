"""Matrices of heads whose fellows are silenced at the input of the probe: the other reading of SHP.

P2 (arXiv:2506.23832) section 2 silences "all input nodes to the trained classifier head"; its Fig. 2 shows
silenced weights of the fully connected layer. The two differ by the weights of the sequence pooling: made by
all nodes together, or by the nodes of the head alone.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from symbreak.clusters import scan_matrices
from symbreak.config import Statistics
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head, centre, clip
from symbreak.observables.heads.resemblance import common_share
from symbreak.observables.nodes.folds import jackknife, pool_folds
from symbreak.observables.nodes.snr import block_statistics


def centred_fields(
    fields: ArrayLike, feature_mean: ArrayLike, readout: ArrayLike, bias: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Fix the gauge of fields of heads as :func:`symbreak.matrices.centre` does that of their factors.

    Rows and columns lose their means; a kept bias comes back centred. With the pooling weights of the full
    pass the result is that of ``by_head(..., centred=True)``.

    Parameters
    ----------
    fields : (heads, labels, outputs) array
        With the bias, where there is one.
    feature_mean : (labels, nodes) array
    readout : (outputs, nodes) array
    bias : (outputs,) array, optional

    Returns
    -------
    (heads, labels, outputs) float64 array

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


def head_input_tables(
    fields: NDArray,
    feature_mean: NDArray,
    readout: NDArray,
    fold_count: NDArray,
    head_of_node: NDArray,
    thresholds: NDArray,
    settings: Statistics,
    bias: NDArray | None = None,
    threads: int | None = None,
) -> xr.Dataset:
    """Statistics of head matrices silenced at the input of the probe, and their agreement with the default.

    Parameters
    ----------
    fields : (heads, fold, labels, outputs) array
        Mean output fields of each head alone (``head_field_input`` of the moments).
    feature_mean, readout, fold_count, head_of_node, thresholds, settings, bias, threads
        As in :func:`symbreak.observables.heads.resemblance.head_matrix_tables`.

    Returns
    -------
    Dataset
        On (threshold): the variables of :func:`symbreak.observables.block_statistics` with the prefix
        ``head_input_``; ``agreement_input``, the Jaccard similarity of the elements above threshold of both
        readings, mean over heads; each with its jackknife error over folds, ``_stderr``.

    Raises
    ------
    SymbreakError
        If the fields are not those of these heads.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> heads, cuts, count = np.array([1, 1, 2, 2]), np.array([0.3]), np.ones((3, 5))
    >>> mean, readout = random.normal(size=(3, 5, 4)), random.normal(size=(5, 4))
    >>> fields = np.stack([by_head(fold, readout, heads) for fold in mean], axis=1)
    >>> table = head_input_tables(fields, mean, readout, count, heads, cuts, Statistics())
    >>> float(table.agreement_input[0]), "head_input_snr_stderr" in table
    (1.0, True)
    """
    heads, folds, labels, outputs = np.shape(fields)
    if heads != head_of_node.max() or (folds, labels) != np.shape(fold_count) or outputs != len(readout):
        raise SymbreakError(
            f"head_field_input has shape {np.shape(fields)} and the nodes belong to {head_of_node.max()} "
            "heads; measure again."
        )
    flat = np.moveaxis(np.asarray(fields, dtype=np.float64), 0, 2).reshape(folds, labels, heads * outputs)
    pooled, without = pool_folds(flat, fold_count)
    pooled_mean, mean_without = pool_folds(feature_mean, fold_count)

    def table(part: NDArray, means: NDArray) -> dict[str, NDArray]:
        stack = np.moveaxis(part.reshape(labels, heads, outputs), 1, 0)
        if settings.centred:
            stack = centred_fields(stack, means, readout, bias)
        found = block_statistics(scan_matrices(stack, thresholds, settings.rule, threads=threads))
        default = by_head(means, readout, head_of_node, bias, settings.centred)
        values = {f"head_input_{name}": array.values for name, array in found.data_vars.items()}
        return values | {"agreement_input": _agreement(stack, default, thresholds)}

    replicates = [table(*left) for left in zip(without, mean_without)]
    result = xr.Dataset(coords={"threshold": thresholds})
    for name, values in table(pooled, pooled_mean).items():
        result[name] = ("threshold", values)
        result[f"{name}_stderr"] = ("threshold", jackknife([replicate[name] for replicate in replicates]))
    return result


def _agreement(one: NDArray, two: NDArray, thresholds: NDArray) -> NDArray[np.float64]:
    """Mean over heads of the Jaccard similarity, NaN where all matrices are empty."""
    result = np.full(len(thresholds), np.nan)
    for i, cut in enumerate(thresholds):
        shares = np.diag(common_share(clip(one, float(cut)), clip(two, float(cut))))
        if np.isfinite(shares).any():
            result[i] = np.nanmean(shares)
    return result
