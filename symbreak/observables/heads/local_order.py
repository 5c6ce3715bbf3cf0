"""Order of single labels: how unevenly the heads share the appearances of a label.

With p_hl = c_hl / a_l, a_l = sum_h c_hl, every quantity is 0 for p_hl = 1/H and 1 if the label lives in one
head.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.observables.heads.appearance import checked_appearance


def head_shares(appearance: ArrayLike) -> NDArray[np.float64]:
    """Share of each head in the appearances of a label, p_hl = c_hl / sum_h c_hl.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int

    Returns
    -------
    (..., n_heads, n_labels) array of float
        NaN for a label that never appears.

    Examples
    --------
    >>> head_shares([[3, 0], [1, 0]])
    array([[0.75,  nan],
           [0.25,  nan]])
    """
    counts = checked_appearance(appearance)
    total = counts.sum(axis=-2, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), np.nan)


def label_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the labels for which the quantity is defined, NaN if there are none.

    Examples
    --------
    >>> float(label_mean(np.array([1.0, 0.0, np.nan])))
    0.5
    """
    defined = ~np.isnan(values)
    number = defined.sum(axis=-1)
    total = np.where(defined, values, 0.0).sum(axis=-1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _from_symmetric(values: NDArray[np.float64], n_heads: int) -> NDArray[np.float64]:
    """Map 1/H to 0 and 1 to 1; NaN for a single head, which has no symmetry to break."""
    return (n_heads * values - 1) / (n_heads - 1) if n_heads > 1 else np.full_like(values, np.nan)


def local_potts_order(appearance: ArrayLike) -> NDArray[np.float64]:
    """Potts order of every label, m_l = (H max_h p_hl - 1)/(H - 1).

    Wu, Rev. Mod. Phys. 54, 235 (1982). 0 symmetric, 1 in a single head.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int

    Returns
    -------
    (..., n_labels) array of float
        NaN for labels that never appear and in a block of one head.

    Examples
    --------
    >>> local_potts_order([[4, 2, 0], [0, 2, 0]])
    array([ 1.,  0., nan])
    """
    shares = head_shares(appearance)
    return _from_symmetric(shares.max(axis=-2), shares.shape[-2])


def local_edwards_anderson(appearance: ArrayLike, unbiased: bool = False) -> NDArray[np.float64]:
    """Edwards-Anderson order of every label, q_l = (H Y_l - 1)/(H - 1) with Y_l = sum_h p_hl^2.

    Edwards & Anderson, J. Phys. F 5, 965 (1975); for Potts spins Gross, Kanter & Sompolinsky, Phys. Rev.
    Lett. 55, 304 (1985). 1/Y_l is the effective number of heads of the label. The unbiased form replaces
    p^2 by c(c - 1)/(a(a - 1)) (Simpson 1949): its mean under multinomial counts is that of the true shares.
    With nodes assigned at random (no replacement) its mean is -1/(D - 1) for D nodes, almost 0.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int
    unbiased
        Remove the bias of finite counts; may then be negative.

    Returns
    -------
    (..., n_labels) array of float
        NaN for labels that never appear (the unbiased form: fewer than twice) and in a block of one head.

    Examples
    --------
    >>> local_edwards_anderson([[4, 2, 1], [0, 2, 0]])
    array([1., 0., 1.])
    >>> local_edwards_anderson([[4, 2, 1], [0, 2, 0]], unbiased=True).round(3)
    array([ 1.   , -0.333,    nan])
    """
    counts = checked_appearance(appearance)
    total = counts.sum(axis=-2)
    lost = 1 if unbiased else 0
    squares = (counts * (counts - lost)).sum(axis=-2)
    pairs = total * (total - lost)
    concentration = np.where(pairs > 0, squares / np.maximum(pairs, 1), np.nan)
    return _from_symmetric(concentration, counts.shape[-2])


def local_entropy_order(appearance: ArrayLike) -> NDArray[np.float64]:
    """Entropy order of every label, 1 - S_l with S_l = -sum_h p_hl ln p_hl / ln H.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int

    Returns
    -------
    (..., n_labels) array of float
        NaN for labels that never appear and in a block of one head.

    Examples
    --------
    >>> local_entropy_order([[4, 2, 0], [0, 2, 0]])
    array([ 1.,  0., nan])
    """
    shares = head_shares(appearance)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    negative_entropy = (shares * logs).sum(axis=-2)
    n_heads = shares.shape[-2]
    return 1 + negative_entropy / np.log(n_heads) if n_heads > 1 else np.full_like(negative_entropy, np.nan)


def potts_order(appearance: ArrayLike) -> NDArray[np.float64]:
    """Mean over labels of :func:`local_potts_order`.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int

    Returns
    -------
    (...) array of float

    Examples
    --------
    >>> float(potts_order([[4, 2, 0], [0, 2, 0]]))
    0.5
    """
    return label_mean(local_potts_order(appearance))


def edwards_anderson(appearance: ArrayLike, unbiased: bool = False) -> NDArray[np.float64]:
    """Mean over labels of :func:`local_edwards_anderson`.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int
    unbiased
        Remove the bias of finite counts.

    Returns
    -------
    (...) array of float

    Examples
    --------
    >>> float(edwards_anderson([[4, 2, 0], [0, 2, 0]]))
    0.5
    """
    return label_mean(local_edwards_anderson(appearance, unbiased))


def entropy_order(appearance: ArrayLike) -> NDArray[np.float64]:
    """Mean over labels of :func:`local_entropy_order`.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int

    Returns
    -------
    (...) array of float

    Examples
    --------
    >>> float(entropy_order([[4, 2, 0], [0, 2, 0]]))
    0.5
    """
    return label_mean(local_entropy_order(appearance))
