"""Means of features per label: the one grouped reduction that all matrices are made of."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.numerics.arrays import as_array, as_floats
from symbreak.numerics.compiling import kernel
from symbreak.numerics.threads import spread, thread_count


@kernel
def _add_rows(features, labels, sums, first, last):
    # Each column is summed in sample order whatever the number of threads: the result is bitwise stable.
    for sample in range(features.shape[0]):
        row = sums[labels[sample], first:last]
        values = features[sample, first:last]
        for column in range(row.size):  # from zero: indices that cannot be negative let the loop vectorise
            row[column] += values[column]


def label_means(
    features: ArrayLike, labels: ArrayLike, n_labels: int, threads: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    r"""Mean feature vector of every label, accumulated in float64.

    .. math:: \mu_{ik} = \frac{1}{N_i} \sum_{s:\, \ell(s) = i} x_{sk}

    Parameters
    ----------
    features : (n_samples, n_nodes) array of float
        float32 is read as it is; other types are converted to float64.
    labels : (n_samples,) array of int
        Label of every sample, 0 ... n_labels - 1.
    n_labels : int
        Number of labels.
    threads : int, optional
        Threads over columns; the result does not depend on it.

    Returns
    -------
    mean : (n_labels, n_nodes) array of float
        NaN for a label without samples.
    count : (n_labels,) array of int
        Samples of every label.

    Raises
    ------
    SymbreakError
        If shapes disagree or a label lies outside 0 ... n_labels - 1.

    Notes
    -----
    Means and not sums, so that unbalanced label sets do not tilt the matrices of P1 section 2.

    Examples
    --------
    >>> mean, count = label_means([[1.0, 2.0], [3.0, 6.0], [5.0, 5.0]], [0, 0, 1], 2)
    >>> mean, count
    (array([[2., 4.],
           [5., 5.]]), array([2, 1]))
    """
    plain = as_array(features, "features")
    values = np.ascontiguousarray(plain if plain.dtype == np.float32 else as_floats(plain, "features"))
    targets = np.ascontiguousarray(as_array(labels, "labels"))
    if values.ndim != 2 or targets.shape != values.shape[:1]:
        raise SymbreakError(
            f"features has shape {values.shape} and labels {targets.shape}: "
            "give (samples, nodes) and one label for each sample."
        )
    if targets.size and not np.issubdtype(targets.dtype, np.integer):
        raise SymbreakError(f"labels has type {targets.dtype}: give integers.")
    targets = targets.astype(np.int64, copy=False)
    if targets.size and (targets.min() < 0 or targets.max() >= n_labels):
        raise SymbreakError(
            f"labels run from {targets.min()} to {targets.max()}: they must lie in 0 ... {n_labels - 1}."
        )
    sums = np.zeros((n_labels, values.shape[1]))
    edges = np.linspace(0, values.shape[1], thread_count(threads) + 1).astype(np.int64)
    spread(lambda part: _add_rows(values, targets, sums, *part), pairwise(edges), threads)
    count = np.bincount(targets, minlength=n_labels)
    with np.errstate(invalid="ignore"):
        return sums / count[:, None], count
