"""Readouts in closed form, from sums over one pass of the inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

#: Regularisations that are tried, in parts of the mean eigenvalue of the Gram matrix.
STRENGTHS = np.logspace(-7, 1, 17)


class RidgeSums:
    """Gram matrix of pooled features and their products with the labels, float64, apart for each fold.

    The readout without bias that minimises ``|Y - X W|^2 + s |W|^2`` is ``(X'X + s)^-1 X'Y``: no more than
    these sums is needed, however many inputs there are. Targets are 1 for the label and 0 for the others,
    minus their mean, so that the weights of a node sum to zero over the labels, as gradients of the softmax
    leave them (Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 3.4.1).

    Parameters
    ----------
    nodes : int
        Number of pooled features.
    folds : int
        Parts of the inputs, dealt in turn, that are held out to choose the regularisation.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> labels = np.arange(60) % 3
    >>> sums = RidgeSums(4)
    >>> sums.add(np.eye(4)[labels] + 0.1 * generator.normal(size=(60, 4)), labels)
    >>> readout, strength = sums.solve()
    >>> readout.shape, readout[:, :3].argmax(1).tolist()
    ((3, 4), [0, 1, 2])
    """

    def __init__(self, nodes: int, folds: int = 5) -> None:
        self.gram = np.zeros((folds, nodes, nodes))
        self.by_label = np.zeros((folds, 0, nodes))
        self.count = np.zeros((folds, 0), dtype=np.int64)
        self._inputs = 0

    def add(self, features: NDArray, labels: NDArray) -> None:
        """Add pooled features, (inputs, nodes), and their labels, integers from 0."""
        features = np.asarray(features, dtype=np.float64)
        self._make_room(int(labels.max(initial=-1)) + 1)
        folds = len(self.gram)
        for fold in range(folds):
            rows = slice((fold - self._inputs) % folds, None, folds)
            own = features[rows]
            self.gram[fold] += own.T @ own
            onehot = np.eye(self.count.shape[1])[labels[rows]]
            self.by_label[fold] += onehot.T @ own
            self.count[fold] += onehot.sum(0).astype(np.int64)
        self._inputs += len(features)

    def _make_room(self, labels: int) -> None:
        missing = labels - self.count.shape[1]
        if missing > 0:
            self.by_label = np.pad(self.by_label, ((0, 0), (0, missing), (0, 0)))
            self.count = np.pad(self.count, ((0, 0), (0, missing)))

    def solve(self) -> tuple[NDArray[np.float64], float]:
        """Readout, (labels, nodes), and the regularisation of least squared error on held-out folds."""
        products = self.by_label - self.by_label.sum(1, keepdims=True) / self.by_label.shape[1]
        gram, product = self.gram.sum(0), products.sum(0)
        errors = sum(
            _held_out_errors(gram - own, product - own_product, own, own_product)
            for own, own_product, count in zip(self.gram, products, self.count)
            if count.sum() < self.count.sum()
        )
        strength = float(STRENGTHS[np.argmin(errors)])
        scale = np.trace(gram) / len(gram) or 1.0
        regular = gram + strength * scale * np.eye(len(gram))
        return linalg.solve(regular, product.T, assume_a="pos").T, strength


def _held_out_errors(gram: NDArray, product: NDArray, own: NDArray, own_product: NDArray) -> NDArray:
    """Squared error on a fold of the readouts fitted to the others, for each strength, up to a constant."""
    values, vectors = linalg.eigh(gram, driver="evd")
    values = np.clip(values, 0, None)
    rotated, own_rotated = product @ vectors, own_product @ vectors
    inner = vectors.T @ own @ vectors
    scale = values.mean() or 1.0
    errors = []
    for strength in STRENGTHS:
        readout = rotated / (values + strength * scale)
        errors.append(np.sum((readout @ inner) * readout) - 2 * np.sum(readout * own_rotated))
    return np.array(errors)
