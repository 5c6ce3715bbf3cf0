"""Replicas: do independent trainings, or two blocks, divide the labels alike, and how does the order
fluctuate?

Heads have no names: replicas are compared after the best relabelling of the heads (Hungarian algorithm). What
fluctuates from seed to seed needs many seeds: the Binder cumulant and the susceptibilities refuse fewer
than ten.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.numerics.estimates import UNDEFINED, Estimate, compare_with_null, jackknife_error
from symbreak.observables.heads.appearance import checked_appearance
from symbreak.observables.heads.local_order import head_shares, local_edwards_anderson, potts_order

#: Fewer seeds than this say nothing about fluctuations between seeds.
MINIMUM_SEEDS = 10


class ReplicaOverlap(NamedTuple):
    """Overlap of two replicas and the relabelling of heads that gives it.

    Attributes
    ----------
    overlap
        Estimate; the null shuffles the labels of the second replica, the standard error is over labels.
    relabelling
        Shape (n_heads,): head (from 1) of the second replica that plays the role of head 1, 2, ... of the
        first.
    n_labels
        Labels that appear in both replicas; only they are compared.
    """

    overlap: Estimate
    relabelling: NDArray[np.int64]
    n_labels: int


def _align(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[float, NDArray[np.int64]]:
    """Best overlap over relabellings of deviations p - 1/H of shape (n_heads, n_labels)."""
    from scipy.optimize import linear_sum_assignment

    n_heads, n_labels = first.shape
    products = first @ second.T
    rows, columns = linear_sum_assignment(products, maximize=True)
    return float(products[rows, columns].sum()) * n_heads / (n_heads - 1) / n_labels, columns


def _deviations(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one, two = head_shares(first), head_shares(second)
    if one.ndim != 2 or one.shape != two.shape:
        raise SymbreakError(
            f"Replicas with appearances of shapes {one.shape} and {two.shape} have no overlap: "
            "both must have the same number of heads and the same labels."
        )
    both = ~(np.isnan(one[0]) | np.isnan(two[0]))
    return one[:, both] - 1 / len(one), two[:, both] - 1 / len(two)


def replica_overlap(
    first: ArrayLike,
    second: ArrayLike,
    n_shuffles: int = 999,
    seed: int = 0,
    permute: Callable[[np.random.Generator], NDArray[np.int64]] | None = None,
) -> ReplicaOverlap:
    """Overlap of the ways in which two replicas divide the labels, maximised over relabellings of the heads.

    q_ab = max_pi (1/L) sum_l H/(H - 1) sum_h (p^a_hl - 1/H)(p^b_pi(h)l - 1/H), the replica overlap of a
    Potts glass (Gross, Kanter & Sompolinsky, Phys. Rev. Lett. 55, 304 (1985)). 1: both put each label into
    one head, and alike; q_aa is the Edwards-Anderson order. The maximum over pi is positive by chance, about
    0.04 for independent, fully specialised replicas of 4 heads and 100 labels: the null gives this level.

    Parameters
    ----------
    first, second : (n_heads, n_labels) array of int
        Appearances of two seeds, or of two blocks with the same number of heads.
    n_shuffles, seed
        Number and seed of the label shuffles.
    permute : callable, optional
        Draws a permutation of the labels that appear in both; default: all permutations alike. See
        :func:`symbreak.observables.overlap_test` for the null that keeps similar labels together.

    Returns
    -------
    ReplicaOverlap
        NaN in blocks of one head or if no label appears in both.

    Raises
    ------
    SymbreakError
        If the numbers of heads or labels differ.

    Examples
    --------
    >>> division = np.kron(np.eye(3, dtype=int), np.full((1, 9), 7))
    >>> result = replica_overlap(division, division[[1, 2, 0]], n_shuffles=99)
    >>> round(result.overlap.value, 9), result.relabelling.tolist(), result.overlap.p_value
    (1.0, [3, 1, 2], 0.01)
    """
    one, two = _deviations(first, second)
    n_heads, n_labels = one.shape
    if n_heads == 1 or n_labels == 0:
        return ReplicaOverlap(UNDEFINED, np.arange(1, n_heads + 1), n_labels)
    value, columns = _align(one, two)
    left_out = [
        _align(np.delete(one, label, axis=1), np.delete(two, label, axis=1))[0]
        for label in (range(n_labels) if n_labels > 1 else ())
    ]
    rng = np.random.default_rng(seed)
    draw = permute or (lambda generator: generator.permutation(n_labels))
    null = [_align(one, two[:, draw(rng)])[0] for _ in range(n_shuffles)]
    return ReplicaOverlap(compare_with_null(value, jackknife_error(left_out), null), columns + 1, n_labels)


def overlap_matrix(appearances: ArrayLike) -> NDArray[np.float64]:
    """Aligned overlaps q_ab of all pairs of replicas; their histogram off the diagonal is P(q).

    Parameters
    ----------
    appearances : (n_seeds, n_heads, n_labels) array of int

    Returns
    -------
    (n_seeds, n_seeds) array of float
        Symmetric. The diagonal is the Edwards-Anderson order of each replica. NaN for blocks of one head.

    Raises
    ------
    SymbreakError
        If the array has another number of dimensions.

    Examples
    --------
    >>> division = np.kron(np.eye(2, dtype=int), np.full((1, 4), 7))
    >>> overlap_matrix([division, division[::-1]]).round(9)
    array([[1., 1.],
           [1., 1.]])
    """
    counts = _checked_replicas(appearances)
    n_seeds = len(counts)
    overlap = np.full((n_seeds, n_seeds), np.nan)
    for a in range(n_seeds):
        for b in range(a, n_seeds):
            one, two = _deviations(counts[a], counts[b])
            if len(one) > 1 and one.shape[1]:
                overlap[a, b] = overlap[b, a] = _align(one, two)[0]
    return overlap


def _checked_replicas(appearances: ArrayLike, minimum: int = 1, quantity: str = "") -> NDArray[np.int64]:
    counts = checked_appearance(appearances)
    if counts.ndim != 3:
        raise SymbreakError(f"The appearances have shape {counts.shape}, not (seeds, heads, labels).")
    if len(counts) < minimum:
        raise SymbreakError(
            f"The {quantity} needs at least {minimum} seeds and there are {len(counts)}: it measures how "
            "trainings fluctuate, which so few do not show, so train more seeds or leave it out."
        )
    return counts


def _over_seeds(
    measure: Callable[[NDArray[np.int64]], float],
    counts: NDArray[np.int64],
    null_appearances: ArrayLike | None,
) -> Estimate:
    if counts.shape[1] == 1:
        return UNDEFINED
    left_out = [measure(np.delete(counts, seed, axis=0)) for seed in range(len(counts))]
    null = None
    if null_appearances is not None:
        draws = checked_appearance(null_appearances)
        if draws.shape[1:] != counts.shape:
            raise SymbreakError(
                f"Null appearances of shape {draws.shape} do not fit replicas of {counts.shape}."
            )
        null = [measure(draw) for draw in draws]
    return compare_with_null(measure(counts), jackknife_error(left_out), null)


def _binder(counts: NDArray[np.int64]) -> float:
    square = local_edwards_anderson(counts)
    square = square[~np.isnan(square)]
    components = counts.shape[-2] - 1
    if square.size == 0 or not square.any():
        return float("nan")
    kurtosis = float((square**2).mean() / square.mean() ** 2)
    return (components + 2) / 2 * (1 - components / (components + 2) * kurtosis)


def binder_cumulant(appearances: ArrayLike, null_appearances: ArrayLike | None = None) -> Estimate:
    r"""Normalised Binder cumulant of the local order vector with n = H - 1 components.

    .. math:: U = \frac{n + 2}{2} \left[1 - \frac{n}{n + 2}
              \frac{\langle |m|^4 \rangle}{\langle |m|^2 \rangle^2}\right]

    is 0 for Gaussian fluctuations around symmetry and 1 for perfect order (Binder, Z. Phys. B 43, 119 (1981);
    normalised for n components as reviewed by Sandvik, AIP Conf. Proc. 1297, 135 (2010)). The vector of a
    label is its H shares in the simplex, :math:`|m_l|^2 = \frac{H}{H - 1} \sum_h (p_{hl} - 1/H)^2`; averages
    run over seeds and labels. Labels with few appearances fluctuate more and push U of a symmetric block
    below 0: that is what the null is for.

    Parameters
    ----------
    appearances : (n_seeds, n_heads, n_labels) array of int
        At least ten seeds.
    null_appearances : (n_draws, n_seeds, n_heads, n_labels) array of int, optional
        In each draw the nodes of every seed are shuffled among its heads.

    Returns
    -------
    Estimate
        Standard error by the jackknife over seeds.

    Raises
    ------
    SymbreakError
        With fewer than ten seeds.

    Examples
    --------
    >>> division = np.kron(np.eye(2, dtype=int), np.full((1, 4), 7))
    >>> binder_cumulant(np.repeat(division[None], 10, axis=0)).value
    1.0
    """
    return _over_seeds(
        _binder, _checked_replicas(appearances, MINIMUM_SEEDS, "Binder cumulant"), null_appearances
    )


def _susceptibility(counts: NDArray[np.int64]) -> float:
    return counts.shape[-1] * float(potts_order(counts).var(ddof=1))


def susceptibility(appearances: ArrayLike, null_appearances: ArrayLike | None = None) -> Estimate:
    """Fluctuation of the Potts order between trainings, chi = L (<M^2> - <M>^2), M = <m_l>_l.

    The variance is the unbiased one, with S - 1 below for S seeds.

    Parameters
    ----------
    appearances, null_appearances
        As in ``binder_cumulant``.

    Returns
    -------
    Estimate
        Standard error by the jackknife over seeds.

    Raises
    ------
    SymbreakError
        With fewer than ten seeds.

    Examples
    --------
    >>> division = np.kron(np.eye(2, dtype=int), np.full((1, 4), 7))
    >>> susceptibility(np.repeat(division[None], 10, axis=0)).value
    0.0
    """
    return _over_seeds(
        _susceptibility, _checked_replicas(appearances, MINIMUM_SEEDS, "susceptibility"), null_appearances
    )


def _overlap_susceptibility(counts: NDArray[np.int64]) -> float:
    overlap = overlap_matrix(counts)[np.triu_indices(len(counts), 1)]
    return counts.shape[-1] * float(overlap.var(ddof=1))


def overlap_susceptibility(appearances: ArrayLike, null_appearances: ArrayLike | None = None) -> Estimate:
    """Spin-glass susceptibility, chi_SG = L (<q^2> - <q>^2) over pairs of seeds, heads aligned.

    Parameters
    ----------
    appearances, null_appearances
        As in ``binder_cumulant``. Each draw of the null aligns all pairs again: 199 draws are enough.

    Returns
    -------
    Estimate
        Standard error by the jackknife over seeds (both members of a pair at once).

    Raises
    ------
    SymbreakError
        With fewer than ten seeds.

    Examples
    --------
    >>> division = np.kron(np.eye(2, dtype=int), np.full((1, 4), 7))
    >>> round(overlap_susceptibility(np.repeat(division[None], 10, axis=0)).value, 9)
    0.0
    """
    counts = _checked_replicas(appearances, MINIMUM_SEEDS, "overlap susceptibility")
    return _over_seeds(_overlap_susceptibility, counts, null_appearances)
