"""Readouts by stochastic gradient steps, as the papers train them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

#: Recipe of the probes (P1, section 2): what `probes` of an experiment has as defaults.
EPOCHS, BATCH, RATE, DECAY, SMOOTHING = 30, 128, 1e-3, 5e-2, 0.1
FACTOR, INTERVALS = 0.78, 3
#: Fewest steps: few inputs are passed more often.
STEPS = 1000
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def adamw_readout(
    features: NDArray, labels: NDArray, n_labels: int, seed: int = 0
) -> tuple[NDArray[np.float64], float]:
    """Fit a readout without bias by AdamW on the cross-entropy with label smoothing.

    30 epochs in batches of 128 (more of few inputs: 1,000 steps at least) at a learning rate of 0.001, times
    0.78 after each third of them, weight decay 0.05, label smoothing 0.1 (P1, arXiv:2501.12900, section 2;
    Loshchilov and Hutter, arXiv:1711.05101). Features are scaled to a mean square of 1 before.

    Parameters
    ----------
    features : (inputs, nodes) array of float
        Pooled features.
    labels : (inputs,) array of int
        From 0.
    n_labels : int
        Number of labels.
    seed : int
        Of the order of inputs.

    Returns
    -------
    readout : (labels, nodes) array of float
        Weights of the features as they are given.
    decay : float
        The weight decay.

    Examples
    --------
    >>> labels = np.arange(600) % 3
    >>> readout, _ = adamw_readout(np.eye(4)[labels], labels, 3)
    >>> readout[:, :3].argmax(1).tolist()
    [0, 1, 2]
    """
    scale = float(np.sqrt(np.mean(np.square(features, dtype=np.float64)))) or 1.0
    scaled = np.asarray(features, dtype=np.float64) / scale
    rng = np.random.default_rng(seed)
    targets = np.full((n_labels, n_labels), SMOOTHING / n_labels) + (1 - SMOOTHING) * np.eye(n_labels)
    weights = rng.normal(scale=0.02, size=(n_labels, scaled.shape[1]))
    mean, square, step = np.zeros_like(weights), np.zeros_like(weights), 0
    n_batches = max(1, len(labels) // BATCH)
    epochs = max(EPOCHS, -(-STEPS // n_batches))
    for epoch in range(epochs):
        rate = RATE * FACTOR ** (INTERVALS * epoch // epochs)
        for batch in np.array_split(rng.permutation(len(labels)), n_batches):
            step += 1
            chances = special.softmax(scaled[batch] @ weights.T, axis=1)
            gradient = (chances - targets[labels[batch]]).T @ scaled[batch] / len(batch)
            mean = BETA_1 * mean + (1 - BETA_1) * gradient
            square = BETA_2 * square + (1 - BETA_2) * gradient**2
            corrected = np.sqrt(square / (1 - BETA_2**step)) + EPSILON
            weights = weights * (1 - rate * DECAY) - rate * mean / (1 - BETA_1**step) / corrected
    return weights / scale, DECAY
