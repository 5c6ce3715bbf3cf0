"""Readouts by multinomial logistic regression on pooled features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

#: Regularisations that are tried, for features of mean square 1.
STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2)


def logistic_readout(features: NDArray, labels: NDArray, n_labels: int) -> tuple[NDArray[np.float64], float]:
    """Fit a readout without bias by L-BFGS; the regularisation is chosen on every fifth input.

    Minimised is the mean cross-entropy plus ``s / 2`` times the squared weights of features scaled to a mean
    square of 1 (Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 4.4).

    Parameters
    ----------
    features : (inputs, nodes) array of float
        Pooled features.
    labels : (inputs,) array of int
        From 0.
    n_labels : int
        Number of labels.

    Returns
    -------
    readout : (labels, nodes) array of float
        Weights of the features as they are given.
    strength : float
        The regularisation s.

    Examples
    --------
    >>> labels = np.arange(60) % 3
    >>> readout, _ = logistic_readout(np.eye(4)[labels], labels, 3)
    >>> readout[:, :3].argmax(1).tolist()
    [0, 1, 2]
    """
    scale = float(np.sqrt(np.mean(np.square(features, dtype=np.float64)))) or 1.0
    scaled = np.asarray(features, dtype=np.float64) / scale
    held = np.arange(len(labels)) % 5 == 4
    losses, start = [], np.zeros((n_labels, features.shape[1]))
    for strength in STRENGTHS:
        start = _fit(scaled[~held], labels[~held], start, strength)
        losses.append(_loss(start, scaled[held], labels[held])[0])
    strength = STRENGTHS[int(np.argmin(losses))]
    return _fit(scaled, labels, np.zeros_like(start), strength) / scale, strength


def _loss(readout: NDArray, features: NDArray, labels: NDArray) -> tuple[float, NDArray]:
    """Mean cross-entropy and its gradient."""
    logs = special.log_softmax(features @ readout.T, axis=1)
    rows = np.arange(len(labels))
    excess = np.exp(logs)
    excess[rows, labels] -= 1
    return -float(logs[rows, labels].mean()), excess.T @ features / len(labels)


def _fit(features: NDArray, labels: NDArray, start: NDArray, strength: float) -> NDArray:
    def cost(flat: NDArray) -> tuple[float, NDArray]:
        readout = flat.reshape(start.shape)
        loss, gradient = _loss(readout, features, labels)
        return loss + strength / 2 * float(np.sum(readout**2)), (gradient + strength * readout).ravel()

    found = optimize.minimize(cost, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return found.x.reshape(start.shape)
