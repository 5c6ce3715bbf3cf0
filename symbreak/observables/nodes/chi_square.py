"""Do all labels appear equally often? A chi-square with the null that the papers' "almost" lacks."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError


class Uniformity(NamedTuple):
    """Test of equal appearances; floats, or arrays over the leading axes of the counts."""

    statistic: float | NDArray[np.float64]
    """Chi-square, with mean n_labels - 1 under the null."""
    degrees_of_freedom: int
    """n_labels - 1."""
    p_value: float | NDArray[np.float64]
    """Probability of at least this statistic under the null."""
    mean: float | NDArray[np.float64]
    """Mean appearances of a label: the signal of P1 equation 1."""
    variation: float | NDArray[np.float64]
    """Standard deviation over labels divided by the mean."""
    variation_null: float | NDArray[np.float64]
    """The same as expected under the null."""


def uniformity(
    appearance: ArrayLike, diagonal: ArrayLike | None = None, n_matrices: int | None = None
) -> Uniformity:
    r"""Test whether all labels appear equally often in the clusters of a set of matrices.

    Null: matrix k holds :math:`d_k` different labels drawn uniformly, independently of all other
    matrices. Then the appearances :math:`a_l` have

    .. math:: \langle a_l \rangle = \sum_k p_k, \quad
              \mathrm{Var}\,a_l = v = \sum_k p_k (1 - p_k), \quad
              \mathrm{Cov}(a_l, a_m) = -\frac{v}{N_l - 1}, \qquad p_k = d_k / N_l,

    and :math:`X^2 = \frac{N_l - 1}{N_l v} \sum_l (a_l - \bar a)^2` has exactly the mean
    :math:`N_l - 1`; for many matrices it follows a chi-square law with that many degrees of freedom.
    Pearson's statistic, which ignores that a matrix holds a label at most once, has :math:`v = \bar a`.

    Parameters
    ----------
    appearance : (..., n_labels) array of float
        Number of matrices whose clusters contain the label.
    diagonal : (..., n_matrices) array of float, optional
        Labels in clusters :math:`d_k` of every matrix.
    n_matrices : int, optional
        Used without `diagonal`: all matrices are taken to hold equally many labels, which gives the
        largest possible v and so a p-value that is too large rather than too small. Without either,
        Pearson's v is used, which is larger still.

    Returns
    -------
    Uniformity
        The statistic is 0 and the p-value 1 where nothing can vary (no label, or all labels in every
        matrix that has any).

    Raises
    ------
    SymbreakError
        If there is one label only, or `diagonal` does not add up to `appearance`.

    Notes
    -----
    P1 (arXiv:2501.12900) Fig. 4a shows the appearances and calls them almost equal. The same function
    serves the appearances of one head.

    Examples
    --------
    >>> even = uniformity([10, 11, 9, 10], n_matrices=20)
    >>> round(even.statistic, 2), round(even.p_value, 2)
    (0.3, 0.96)
    >>> uniformity([20, 1, 1, 18], n_matrices=20).p_value < 1e-6
    True
    """
    counts = np.asarray(appearance, dtype=np.float64)
    n_labels = counts.shape[-1] if counts.ndim else 0
    if n_labels < 2:
        raise SymbreakError("appearance has fewer than two labels: there is nothing to compare.")
    mean = counts.mean(axis=-1)
    variance = _null_variance(counts.sum(axis=-1), n_labels, diagonal, n_matrices)
    squares = ((counts - mean[..., None]) ** 2).sum(axis=-1)
    varies = variance > 1e-12
    scale = (n_labels - 1) / n_labels / np.where(varies, variance, 1.0)
    statistic = np.where(varies, scale * squares, 0.0)
    positive = np.where(mean > 0, mean, 1.0)
    return Uniformity(
        _plain(statistic),
        n_labels - 1,
        _plain(_chi_square_tail(statistic, n_labels - 1)),
        _plain(mean),
        _plain(np.sqrt(squares / n_labels) / positive),
        _plain(np.sqrt(variance) / positive),
    )


def _plain(values: NDArray[np.float64]) -> float | NDArray[np.float64]:
    """Arrays without axes become floats."""
    return float(values) if np.ndim(values) == 0 else values


def _null_variance(
    total: NDArray, n_labels: int, diagonal: ArrayLike | None, n_matrices: int | None
) -> NDArray[np.float64]:
    if diagonal is not None:
        held = np.asarray(diagonal, dtype=np.float64)
        if held.shape[:-1] != total.shape or not np.array_equal(held.sum(axis=-1), total):
            raise SymbreakError(
                "diagonal does not add up to the sum of appearance: give the diagonal of every matrix "
                "that was counted, on the last axis."
            )
        share = held / n_labels
        return (share * (1 - share)).sum(axis=-1)
    if n_matrices is None:
        return total / n_labels
    if n_matrices < 1 or (total > n_matrices * n_labels).any():
        raise SymbreakError(
            f"n_matrices is {n_matrices}: there are more appearances than that many matrices hold."
        )
    share = total / n_labels / n_matrices
    return n_matrices * share * (1 - share)


def _chi_square_tail(statistic: NDArray, degrees: int) -> NDArray[np.float64]:
    from scipy.special import gammaincc  # here, because only this function of the wing's core needs scipy

    return gammaincc(degrees / 2, statistic / 2)
