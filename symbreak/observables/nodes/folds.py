"""Statistics of a block with errors over images: pooled estimates and a jackknife over folds."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from symbreak.clusters import scan
from symbreak.errors import SymbreakError
from symbreak.numerics.arrays import as_floats
from symbreak.observables.nodes.snr import block_statistics
from symbreak.store import describe


def pool_folds(feature_mean: ArrayLike, fold_count: ArrayLike) -> NDArray[np.float64]:
    r"""Pooled label means.

    .. math:: \mu_{ik} = \frac{\sum_f N_{fi}\, \mu_{fik}}{\sum_f N_{fi}}

    Parameters
    ----------
    feature_mean : (n_folds, n_labels, n_nodes) array of float
        Label means within every fold; ignored where the fold has no image of the label.
    fold_count : (n_folds, n_labels) array of int
        Images of every label in every fold.

    Returns
    -------
    (n_labels, n_nodes) array of float

    Raises
    ------
    SymbreakError
        If shapes do not fit or a label has no image.

    Examples
    --------
    >>> pool_folds([[[1.0]], [[4.0]]], [[2], [1]])
    array([[2.]])
    """
    sums, counts = _fold_sums(feature_mean, fold_count)
    total = counts.sum(axis=0)
    _check_images(counts, total, "images")
    return sums.sum(axis=0) / total[:, None]


def leave_out_folds(feature_mean: ArrayLike, fold_count: ArrayLike) -> NDArray[np.float64]:
    """Label means with one fold left out at a time, for :func:`jackknife`.

    Parameters
    ----------
    feature_mean, fold_count
        As in :func:`pool_folds`.

    Returns
    -------
    (n_folds, n_labels, n_nodes) array of float
        Element f leaves fold f out.

    Raises
    ------
    SymbreakError
        If shapes do not fit, there is only one fold, or all images of a label are in one fold.

    Examples
    --------
    >>> leave_out_folds([[[1.0]], [[4.0]]], [[2], [1]]).ravel()
    array([4., 1.])
    """
    sums, counts = _fold_sums(feature_mean, fold_count)
    if len(sums) < 2:
        raise SymbreakError("A single fold leaves nothing when it is left out: give at least two folds.")
    left = counts.sum(axis=0) - counts
    _check_images(counts, left.min(axis=0), "images in at least two folds")
    # Leaving out by subtraction would lose digits; with few folds adding up the others is cheap.
    others = np.stack([np.delete(sums, fold, axis=0).sum(axis=0) for fold in range(len(sums))])
    return others / left[:, :, None]


def _fold_sums(feature_mean: ArrayLike, fold_count: ArrayLike) -> tuple[NDArray, NDArray]:
    means = as_floats(feature_mean, "feature_mean", finite=False)
    counts = as_floats(fold_count, "fold_count")
    if means.ndim != 3 or counts.shape != means.shape[:2]:
        raise SymbreakError(
            f"feature_mean has shape {means.shape} and fold_count {counts.shape}: "
            "give (n_folds, n_labels, n_nodes) and (n_folds, n_labels)."
        )
    return np.where(counts[:, :, None] > 0, means * counts[:, :, None], 0.0), counts


def _check_images(counts: NDArray, left: NDArray, what: str) -> None:
    bad = (left <= 0) | (counts < 0).any(axis=0)
    if bad.any():
        raise SymbreakError(f"fold_count: label {int(bad.argmax())} needs {what}.")


def jackknife(replicates: ArrayLike) -> NDArray[np.float64]:
    r"""Standard error from estimates that leave one fold out.

    .. math:: \sigma^2 = \frac{F - 1}{F} \sum_f (\theta_{(f)} - \bar\theta)^2

    Parameters
    ----------
    replicates : (n_folds, ...) array of float

    Returns
    -------
    (...) array of float
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


def with_errors(table: xr.Dataset, replicates: Sequence[xr.Dataset]) -> xr.Dataset:
    """Add to every variable its jackknife standard error, ``_stderr``, from tables that leave a fold out.

    Examples
    --------
    >>> one, two, three = (xr.Dataset({"noise": value}) for value in (1.0, 2.0, 3.0))
    >>> round(float(with_errors(two, [one, two, three]).noise_stderr), 6)
    1.154701
    """
    for name in list(table.data_vars):
        error = jackknife([replicate[name].values for replicate in replicates])
        table[f"{name}_stderr"] = (table[name].dims, error)
    return table


def jackknife_statistics(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    thresholds: ArrayLike,
    fold_count: ArrayLike | None = None,
    rule: str = "first_fit",
    bias: ArrayLike | None = None,
    centred: bool = False,
    group_of_node: ArrayLike | None = None,
    internal: str = "minimum",
    threads: int | None = None,
) -> xr.Dataset:
    """Cluster statistics and SNR of one block at every threshold, with standard errors over images.

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) or (n_folds, n_labels, n_nodes) array of float
        Label means, over all images or within folds.
    readout : (n_labels, n_nodes) array of float
    thresholds : (n_thresholds,) array of float
        Fractions of the maximum in [0, 1).
    fold_count : (n_folds, n_labels) array of int, optional
        Images of every label in every fold; needed with folds.
    rule : {"first_fit", "min_cover", "largest_first"}
    bias : (n_labels,) array of float, optional
    centred : bool
    group_of_node : (n_nodes,) array of int, optional
        Head (or filter) of every node, counted from 1. If given, the matrices are those of heads (SHP,
        P2), the sums over their nodes; if not, those of single nodes (SNP, P1).
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
        found = scan(means, readout, thresholds, rule, bias, centred, group_of_node, threads=threads)
        return block_statistics(found, internal=internal)

    means = as_floats(feature_mean, "feature_mean", finite=False)
    if fold_count is None:
        return table(means)
    replicates = [table(left) for left in leave_out_folds(means, fold_count)]
    return describe(with_errors(table(pool_folds(means, fold_count)), replicates), "averages")
