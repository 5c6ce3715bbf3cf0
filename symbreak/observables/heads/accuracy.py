"""Single-head accuracies and ownership: does the head that owns a label also recognise it best?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.numerics.estimates import Estimate, compare_with_null


class AccuracyAgreement(NamedTuple):
    """Does the owner of a label also recognise it best?

    Attributes
    ----------
    agreement
        Share of owned labels whose owner has the highest single-head accuracy (ties shared).
    advantage
        Mean over owned labels of the owner's accuracy minus the mean accuracy of the other heads.
    n_labels
        Number of owned labels, over which both are averaged.
    """

    agreement: Estimate
    advantage: Estimate
    n_labels: int


def best_head_credit(head_accuracy: ArrayLike) -> NDArray[np.float64]:
    """Share one point per label among the heads with the highest accuracy.

    Parameters
    ----------
    head_accuracy : (n_heads, n_labels) array of float
        Accuracy of each label with the fields of one head only (P1, Fig. 8, lower graphs).

    Returns
    -------
    (n_heads, n_labels) array of float
        1 for a single best head, 1/k for k tied ones.

    Examples
    --------
    >>> best_head_credit([[0.9, 0.5], [0.1, 0.5]])
    array([[1. , 0.5],
           [0. , 0.5]])
    """
    accuracy = np.asarray(head_accuracy, dtype=float)
    if accuracy.ndim != 2 or not np.isfinite(accuracy).all():
        raise SymbreakError("The single-head accuracies must be finite numbers of shape (heads, labels).")
    best = accuracy == accuracy.max(axis=0)
    return best / best.sum(axis=0)


def best_head_agreement(
    owner: ArrayLike, head_accuracy: ArrayLike, n_shuffles: int = 999, seed: int = 0
) -> AccuracyAgreement:
    """Compare the owner of every label with the head that recognises it best.

    P1 states that the correspondence is "strong, not perfect" (section 4, Fig. 8); here is its size. The null
    shuffles the owners among the owned labels, so that each head keeps the number of its labels; the standard
    errors are over labels.

    Parameters
    ----------
    owner : (n_labels,) array of int
        Head from 1, 0 for none; labels without owner take no part.
    head_accuracy : (n_heads, n_labels) array of float
    n_shuffles, seed
        Number and seed of the shuffles.

    Returns
    -------
    AccuracyAgreement
        Estimates are NaN if no label has an owner; the advantage is NaN in a block of one head.

    Raises
    ------
    SymbreakError
        If the shapes differ or an owner is no head.

    Examples
    --------
    >>> accuracy = np.array([[0.9, 0.8, 0.2, 0.1], [0.1, 0.3, 0.6, 0.7]])
    >>> result = best_head_agreement([1, 1, 2, 0], accuracy)
    >>> result.agreement.value, round(result.advantage.value, 6), result.n_labels
    (1.0, 0.566667, 3)
    """
    accuracy, owners = np.asarray(head_accuracy, dtype=float), np.asarray(owner)
    credit = best_head_credit(accuracy)
    n_heads, n_labels = accuracy.shape
    if owners.shape != (n_labels,) or (owners < 0).any() or (owners > n_heads).any():
        raise SymbreakError(f"The owners do not fit accuracies of {n_heads} heads and {n_labels} labels.")
    owned = np.flatnonzero(owners)
    others = (
        (accuracy.sum(axis=0) - accuracy) / (n_heads - 1) if n_heads > 1 else np.full_like(accuracy, np.nan)
    )
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(owners[owned] - 1, (n_shuffles, 1)), axis=1)

    def over_labels(table: NDArray[np.float64]) -> Estimate:
        values = table[owners[owned] - 1, owned]
        error = float(values.std(ddof=1) / np.sqrt(owned.size)) if owned.size > 1 else np.nan
        null = table[shuffled, owned].mean(axis=1) if owned.size else np.full(n_shuffles, np.nan)
        return compare_with_null(float(values.mean()) if owned.size else np.nan, error, null)

    return AccuracyAgreement(over_labels(credit), over_labels(accuracy - others), int(owned.size))
