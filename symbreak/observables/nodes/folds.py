"""Statistics of a block with errors over images: pooled estimates and a jackknife over folds."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from symbreak.clusters import scan, scan_matrices
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head
from symbreak.observables.nodes.snr import block_statistics
from symbreak.store import describe


def pool_folds(feature_mean: ArrayLike, fold_count: ArrayLike) -> tuple[NDArray, NDArray]:
    r"""Pooled label means, and the label means with one fold left out at a time.

    .. math:: \mu_{ik} = \frac{\sum_f N_{fi}\, \mu_{fik}}{\sum_f N_{fi}}

    Parameters
    ----------
    feature_mean : (fold, labels, nodes) array
        Label means within every fold; ignored where the fold has no image of the label.
    fold_count : (fold, labels) integers
        Images of every label in every fold.

    Returns
    -------
    pooled : (labels, nodes) array
    without : (fold, labels, nodes) array
        Element f leaves fold f out.

    Raises
    ------
    SymbreakError
        If shapes do not fit, there is only one fold, or all images of a label are in one fold.

    Examples
    --------
    >>> pooled, without = pool_folds([[[1.0]], [[4.0]]], [[2], [1]])
    >>> pooled.ravel(), without.ravel()
    (array([2.]), array([4., 1.]))
    """
    means = np.asarray(feature_mean, dtype=np.float64)
    counts = np.asarray(fold_count, dtype=np.float64)
    if means.ndim != 3 or counts.shape != means.shape[:2] or len(means) < 2:
        raise SymbreakError(
            f"feature_mean has shape {means.shape} and fold_count {counts.shape}: "
            "give (fold, labels, nodes) and (fold, labels) with at least two folds."
        )
    left = counts.sum(axis=0) - counts
    if (counts < 0).any() or (left <= 0).any():
        label = int(np.argwhere(left <= 0)[0, 1]) if (left <= 0).any() else int(np.argwhere(counts < 0)[0, 1])
        raise SymbreakError(f"fold_count: label {label} needs images in at least two folds.")
    sums = np.where(counts[:, :, None] > 0, means * counts[:, :, None], 0.0)
    total = sums.sum(axis=0)
    # Leaving out by subtraction would lose digits; with few folds adding up the others is cheap.
    others = np.stack([np.delete(sums, fold, axis=0).sum(axis=0) for fold in range(len(sums))])
    return total / counts.sum(axis=0)[:, None], others / left[:, :, None]


def jackknife(replicates: ArrayLike) -> NDArray[np.float64]:
    r"""Standard error from estimates that leave one fold out.

    .. math:: \sigma^2 = \frac{F - 1}{F} \sum_f (\theta_{(f)} - \bar\theta)^2

    Parameters
    ----------
    replicates : (fold, ...) array

    Returns
    -------
    (...) array
        NaN where a replicate is not finite.

    Notes
    -----
    Efron and Stein, Ann. Stat. 9, 586 (1981). For a mean it is the ordinary standard error; for a
    minimum over labels, which is not smooth, it is only a guide.

    Examples
    --------
    >>> float(jackknife([1.0, 2.0, 3.0]))
    1.1547005383792515
    """
    values = np.asarray(replicates, dtype=np.float64)
    finite = np.isfinite(values).all(axis=0)
    safe = np.where(finite, values, 0.0)
    spread = ((safe - safe.mean(axis=0)) ** 2).sum(axis=0)
    return np.where(finite, np.sqrt((len(values) - 1) / len(values) * spread), np.nan)


def jackknife_statistics(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    thresholds: ArrayLike,
    fold_count: ArrayLike | None = None,
    rule: str = "first_fit",
    bias: ArrayLike | None = None,
    centred: bool = False,
    head_of_node: ArrayLike | None = None,
    internal: str = "minimum",
    threads: int | None = None,
) -> xr.Dataset:
    """Cluster statistics and SNR of one block at every threshold, with standard errors over images.

    Parameters
    ----------
    feature_mean : (labels, nodes) or (fold, labels, nodes) array
        Label means, over all images or within folds.
    readout : (labels, nodes) array
    thresholds : (thresholds,) array
        Fractions of the maximum in [0, 1).
    fold_count : (fold, labels) integers, optional
        Images of every label in every fold; needed with folds.
    rule : {"first_fit", "min_cover", "largest_first"}
    bias : (labels,) array, optional
    centred : bool
    head_of_node : (nodes,) integers, optional
        Head of every node, counted from 1. If given, the matrices are those of heads (SHP, P2), the
        sums over their nodes; if not, those of single nodes (SNP, P1).
    internal : {"minimum", "mean"}
        See :func:`block_statistics`.
    threads : int, optional

    Returns
    -------
    Dataset
        The variables of :func:`block_statistics` on (threshold); with folds each also with
        ``_stderr``, the jackknife standard error.

    Raises
    ------
    SymbreakError
        If shapes do not fit or an option is unknown.

    Notes
    -----
    P1 (arXiv:2501.12900) Tables 1 and 2 and P2 (arXiv:2506.23832) Tables 1 and 2, with errors that
    the papers do not give. The estimate comes from the pooled means.

    Examples
    --------
    >>> folds = [[[1.0], [0.2]], [[0.8], [0.3]], [[0.9], [0.1]]]
    >>> table = jackknife_statistics(folds, [[1.0], [0.9]], [0.5], fold_count=[[5, 5]] * 3)
    >>> float(table.diagonal[0]), float(table.diagonal_stderr[0])
    (1.0, 0.0)
    """

    def table(means: NDArray) -> xr.Dataset:
        if head_of_node is None:
            found = scan(means, readout, thresholds, rule, bias, centred, threads=threads)
        else:
            stack = by_head(means, readout, head_of_node, bias, centred)
            found = scan_matrices(stack, thresholds, rule, threads=threads)
        return block_statistics(found, internal=internal)

    means = np.asarray(feature_mean, dtype=np.float64)
    if fold_count is None:
        return table(means)
    pooled, without = pool_folds(means, fold_count)
    result = table(pooled)
    replicates = [table(left) for left in without]
    for name in list(result.data_vars):
        error = jackknife([replicate[name].values for replicate in replicates])
        result[f"{name}_stderr"] = (result[name].dims, error)
    return describe(result, "averages")
