"""Matrices of heads (SHP) beside the mean of their node matrices (HP): P2 section 2, Fig. 4, Table 1.

With the bias silenced the matrix of a head is the sum of its raw node matrices, so a mean of raw ones agrees
with it exactly at every threshold. The papers normalise each node matrix by its own maximum first: weak nodes
then count as much as strong ones, and only for this mean is the agreement a finding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from symbreak.clusters import scan_matrices
from symbreak.config import Statistics
from symbreak.matrices import by_head, centre, check_factors, clip
from symbreak.observables.nodes.folds import jackknife, jackknife_statistics, pool_folds

#: Statistics of the averaged node matrices that are kept beside those of the heads' own.
COMPARED = ("n_clusters", "diagonal", "noise")


def averaged_nodes(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    head_of_node: ArrayLike,
    bias: ArrayLike | None = None,
    centred: bool = False,
    normalised: bool = True,
) -> NDArray[np.float64]:
    """Average the node matrices of each head, each divided by its own maximum or raw.

    HP_h = (1/d_h) sum over nodes k of head h of M_k / max M_k (P2, arXiv:2506.23832, section 2, Fig. 4).

    Parameters
    ----------
    feature_mean, readout, head_of_node, bias, centred
        As in :func:`symbreak.matrices.by_head`.
    normalised : bool
        Divide by the signed maximum first. Nodes without a positive finite maximum then add nothing, as
        everywhere.

    Returns
    -------
    (heads, labels, outputs) float64 array

    Raises
    ------
    SymbreakError
        If shapes do not fit.

    Examples
    --------
    >>> mean, readout = [[1.0, 4.0]], [[2.0, 1.0]]
    >>> averaged_nodes(mean, readout, [1, 1], normalised=False)[0], averaged_nodes(mean, readout, [1, 1])[0]
    (array([[3.]]), array([[1.]]))
    """
    means, weights, offsets = (centre if centred else check_factors)(feature_mean, readout, bias)
    scale = np.ones(means.shape[1])
    if normalised:
        # The maximum of a rank-one matrix lies at a corner: largest or smallest mean times all weights.
        extremes = np.stack([means.max(axis=0), means.min(axis=0)])[:, None, :] * weights
        maximum = (extremes if offsets is None else extremes + offsets[:, None]).max(axis=(0, 1))
        usable = np.isfinite(maximum) & (maximum > 0)
        scale = np.where(usable, 1.0 / np.where(usable, maximum, 1.0), 0.0)
    heads = np.asarray(head_of_node)
    sums = by_head(np.where(scale > 0, means, 0.0) * scale, np.where(scale > 0, weights, 0.0), heads)
    if offsets is not None:
        sums = (
            sums
            + np.array([scale[heads == head].sum() for head in range(1, len(sums) + 1)])[:, None, None]
            * offsets
        )
    return sums / np.bincount(heads)[1:, None, None]


def common_share(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Common elements of Boolean matrices over the elements of either: Jaccard similarity of all pairs.

    Parameters
    ----------
    first : bool (n, ...)
    second : bool (m, ...)

    Returns
    -------
    (n, m) float64 array
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


def compare_matrices(
    heads: NDArray, nodes: NDArray, raw: NDArray, thresholds: ArrayLike
) -> dict[str, NDArray]:
    """Agreement of clipped head matrices with averaged node matrices at every threshold.

    Parameters
    ----------
    heads, nodes, raw : (heads, labels, labels) arrays
        Matrices of heads, mean normalised and mean raw node matrices.
    thresholds : (thresholds,) array

    Returns
    -------
    dict of (thresholds,) arrays
        `agreement`, `agreement_raw` (mean over heads of the Jaccard similarity of all elements above
        threshold), `agreement_labels` (of the labels on the diagonal), `agreement_other_heads` (of different
        heads: the level that heads have in common anyway; NaN for one head). Heads where both matrices are
        empty are left out.

    Examples
    --------
    >>> one = np.array([[[1.0, 0.0], [0.0, 0.6]]])
    >>> {k: v.tolist() for k, v in compare_matrices(one, 2 * one, one[:, ::-1], [0.5]).items()}
    {'agreement': [1.0], 'agreement_raw': [0.0], 'agreement_labels': [1.0], 'agreement_other_heads': [nan]}
    """
    names = ("agreement", "agreement_raw", "agreement_labels", "agreement_other_heads")
    result = {name: np.full(np.size(thresholds), np.nan) for name in names}
    other = ~np.eye(len(heads), dtype=bool)
    for i, cut in enumerate(np.asarray(thresholds)):
        above, mean, plain = (clip(stack, float(cut)) for stack in (heads, nodes, raw))
        shares = common_share(above, mean)
        diagonals = common_share(*(np.diagonal(stack, axis1=1, axis2=2) for stack in (above, mean)))
        for name, values in zip(
            names, (np.diag(shares), np.diag(common_share(above, plain)), np.diag(diagonals), shares[other])
        ):
            if np.isfinite(values).any():
                result[name][i] = np.nanmean(values)
    return result


def head_matrix_tables(
    feature_mean: NDArray,
    readout: NDArray,
    fold_count: NDArray,
    head_of_node: NDArray,
    thresholds: NDArray,
    settings: Statistics,
    bias: NDArray | None = None,
    threads: int | None = None,
) -> xr.Dataset:
    """Statistics of head matrices (SHP) and their agreement with averaged node matrices (HP).

    Parameters
    ----------
    feature_mean : (fold, labels, nodes) array
    readout : (labels, nodes) array
    fold_count : (fold, labels) integers
    head_of_node : (nodes,) integers
    thresholds : (thresholds,) array
    settings : Statistics
        Rule and gauge.
    bias : (labels,) array, optional
    threads : int, optional

    Returns
    -------
    Dataset
        On (threshold): the variables of :func:`symbreak.observables.jackknife_statistics` with the prefix
        ``head_`` (P2, arXiv:2506.23832, Table 1: N_label, N_inter, N_noise are signal, noise_internal,
        noise_external); some of the averaged node matrices with ``node_mean_``; those of
        :func:`compare_matrices`; each with its jackknife error over folds, ``_stderr``.

    Raises
    ------
    SymbreakError
        If shapes do not fit.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> table = head_matrix_tables(random.normal(size=(3, 5, 4)), random.normal(size=(5, 4)), np.ones((3, 5)),
    ...     np.array([1, 1, 2, 2]), np.array([0.3]), Statistics())
    >>> float(table.agreement_raw[0]), "head_snr_stderr" in table
    (1.0, True)
    """
    options: dict[str, Any] = {"bias": bias, "centred": settings.centred}
    shp = jackknife_statistics(
        feature_mean,
        readout,
        thresholds,
        fold_count,
        settings.rule,
        head_of_node=head_of_node,
        threads=threads,
        **options,
    )
    result = xr.Dataset({f"head_{name}": variable for name, variable in shp.data_vars.items()}, shp.coords)

    def compared(means: NDArray) -> dict[str, NDArray]:
        nodes = averaged_nodes(means, readout, head_of_node, **options)
        values = compare_matrices(
            by_head(means, readout, head_of_node, **options),
            nodes,
            averaged_nodes(means, readout, head_of_node, normalised=False, **options),
            thresholds,
        )
        scanned = scan_matrices(nodes, thresholds, settings.rule, threads=threads)
        return values | {f"node_mean_{name}": scanned[name].mean("head").values for name in COMPARED}

    pooled, without = pool_folds(feature_mean, fold_count)
    replicates = [compared(left) for left in without]
    for name, values in compared(pooled).items():
        result[name] = ("threshold", values)
        result[f"{name}_stderr"] = ("threshold", jackknife([replicate[name] for replicate in replicates]))
    return result
