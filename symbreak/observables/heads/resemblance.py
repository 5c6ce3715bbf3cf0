"""Matrices of heads (SHP) compared with the mean of their node matrices (HP): P2 section 2, Fig. 4, Table 1.

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
from symbreak.matrices import by_head, check_factors, clip
from symbreak.observables.heads.input_silencing import (
    centred_fields,
    common_share,
    fold_fields,
    input_statistics,
)
from symbreak.observables.nodes.folds import leave_out_folds, pool_folds, with_errors
from symbreak.observables.nodes.per_block import threshold_grid
from symbreak.observables.nodes.snr import block_statistics

#: Statistics of the averaged node matrices that are kept with those of the heads' own.
COMPARED = ("n_clusters", "diagonal", "noise")


def averaged_nodes(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    group_of_node: ArrayLike,
    bias: ArrayLike | None = None,
    centred: bool = False,
    normalised: bool = True,
) -> NDArray[np.float64]:
    """Average the node matrices of each head, each divided by its own maximum or raw.

    HP_h = (1/d_h) sum over nodes k of head h of M_k / max M_k (P2, arXiv:2506.23832, section 2, Fig. 4).

    Parameters
    ----------
    feature_mean, readout, group_of_node, bias, centred
        As in :func:`symbreak.matrices.by_head`.
    normalised : bool
        Divide by the signed maximum first. Nodes without a positive finite maximum then add nothing, as
        everywhere.

    Returns
    -------
    (n_heads, n_labels, n_outputs) array of float

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
    means, weights, offsets = check_factors(feature_mean, readout, bias, centred)
    scale = np.ones(means.shape[1])
    if normalised:
        # The maximum of a rank-one matrix lies at a corner: largest or smallest mean times all weights.
        extremes = np.stack([means.max(axis=0), means.min(axis=0)])[:, None, :] * weights
        maximum = (extremes if offsets is None else extremes + offsets[:, None]).max(axis=(0, 1))
        usable = np.isfinite(maximum) & (maximum > 0)
        scale = np.where(usable, 1.0 / np.where(usable, maximum, 1.0), 0.0)
    groups = np.asarray(group_of_node)
    sums = by_head(np.where(scale > 0, means, 0.0) * scale, np.where(scale > 0, weights, 0.0), groups)
    if offsets is not None:
        times = [scale[groups == group].sum() for group in range(1, len(sums) + 1)]
        sums = sums + np.array(times)[:, None, None] * offsets
    return sums / np.bincount(groups)[1:, None, None]


def compare_matrices(
    heads: NDArray, nodes: NDArray, raw: NDArray, thresholds: ArrayLike
) -> dict[str, NDArray]:
    """Agreement of clipped head matrices with averaged node matrices at every threshold.

    Parameters
    ----------
    heads, nodes, raw : (n_heads, n_labels, n_labels) arrays of float
        Matrices of heads, mean normalised and mean raw node matrices.
    thresholds : (n_thresholds,) array of float

    Returns
    -------
    dict of (n_thresholds,) arrays of float
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
    folds: tuple[NDArray, NDArray],
    readout: NDArray,
    bias: NDArray | None,
    head_of_node: NDArray,
    settings: Statistics,
    alone: NDArray | None = None,
    threads: int | None = None,
) -> xr.Dataset:
    """Statistics of head matrices (SHP) and their agreement with averaged node matrices (HP).

    Parameters
    ----------
    folds : (n_folds, n_labels, n_nodes) array of float and (n_folds, n_labels) array of int
        Label means within folds, and the images that they are over.
    readout : (n_labels, n_nodes) array of float
    bias : (n_labels,) array of float, optional
    head_of_node : (n_nodes,) array of int
    settings : Statistics
        Thresholds, rule and gauge.
    alone : (n_heads, n_folds, n_labels, n_labels) array of float, optional
        Mean output fields of each head, the others silenced at the input of the probe
        (`head_field_input` of the moments).
    threads : int, optional

    Returns
    -------
    Dataset
        On (threshold): the variables of :func:`symbreak.observables.block_statistics` with the prefix
        ``head_`` (P2, arXiv:2506.23832, Table 1: N_label, N_inter, N_noise are signal, noise_internal,
        noise_external); some of the averaged node matrices with ``node_mean_``; those of
        :func:`compare_matrices`; with `alone` also those of
        :func:`symbreak.observables.heads.input_silencing.input_statistics`; each with its jackknife error
        over folds, ``_stderr``.

    Raises
    ------
    SymbreakError
        If shapes do not fit.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> folds = random.normal(size=(3, 5, 4)), np.ones((3, 5))
    >>> table = head_matrix_tables(
    ...     folds, random.normal(size=(5, 4)), None, np.array([1, 1, 2, 2]), Statistics(thresholds=3)
    ... )
    >>> float(table.agreement_raw[0]), "head_snr_stderr" in table
    (1.0, True)
    """
    factors: dict[str, Any] = {
        "readout": readout, "group_of_node": head_of_node, "bias": bias, "centred": settings.centred
    }  # fmt: skip
    cuts = threshold_grid(settings.thresholds)

    def measure(means: NDArray, fields: NDArray | None) -> xr.Dataset:
        heads, nodes = by_head(means, **factors), averaged_nodes(means, **factors)
        raw = averaged_nodes(means, **factors, normalised=False)
        scanned = [scan_matrices(stack, cuts, settings.rule, threads=threads) for stack in (heads, nodes)]
        values = {f"head_{name}": array for name, array in block_statistics(scanned[0]).data_vars.items()}
        values |= {f"node_mean_{name}": scanned[1][name].mean("head") for name in COMPARED}
        compared = compare_matrices(heads, nodes, raw, cuts)
        if fields is not None:
            gauged = centred_fields(fields, means, readout, bias) if settings.centred else fields
            compared |= input_statistics(gauged, heads, cuts, settings.rule, threads)
        return xr.Dataset(values | {name: ("threshold", array) for name, array in compared.items()})

    pooled, left_out = pool_folds(*folds), leave_out_folds(*folds)
    inputs = [None] * (1 + len(left_out)) if alone is None else fold_fields(alone, folds[1], head_of_node)
    replicates = [measure(means, fields) for means, fields in zip(left_out, inputs[1:])]
    return with_errors(measure(pooled, inputs[0]), replicates)
