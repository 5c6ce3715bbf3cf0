"""Worlds without a network: Gaussian class means with the best linear readout, and planted blocks."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import SymbreakError

Floats = NDArray[np.float64]


class LinearWorld(NamedTuple):
    """Class means in folds, readout and bias of a linear world, and what is known about it."""

    feature_mean: Floats
    """(fold, labels, nodes): means over the images of each fold."""
    fold_count: NDArray[np.int64]
    """(fold, labels): images of each label in each fold."""
    readout: Floats
    """(labels, nodes): the Bayes-optimal linear readout."""
    bias: Floats
    """(labels,): its bias."""
    true_mean: Floats
    """(labels, nodes): class means without sampling noise."""
    accuracy: float
    """Fraction of fresh images that the readout labels correctly."""
    alignment: float
    """Expected correlation of a node's class means with its weights."""


def linear_gaussian(
    n_labels: int = 100,
    n_nodes: int = 256,
    separation: float = 0.225,
    anisotropy: float = 0.65,
    offset: float = 1.2,
    n_folds: int = 5,
    images_per_label: int = 100,
    seed: int = 0,
) -> LinearWorld:
    r"""Linear-Gaussian null: what the matrices look like without any network.

    Images of label i are Gaussian feature vectors with mean :math:`m_i` and covariance
    :math:`\Sigma`, the same for all labels. The readout is the optimum of softmax regression,

    .. math:: W = m\,\Sigma^{-1}, \qquad b_i = -\tfrac12 m_i^T \Sigma^{-1} m_i + \mathrm{const}, \qquad
              m_{ik} \sim N(0, \mathrm{separation}^2) .

    :math:`\Sigma` has randomly oriented axes with lognormal variances :math:`\lambda`, scaled so that
    :math:`\langle 1/\lambda \rangle = 1`: `separation` alone then sets the accuracy, and `anisotropy`,
    the standard deviation s of :math:`\ln\lambda`, sets how far weights follow class means: the
    correlation of :math:`m_{ik}` with :math:`W_{ik}` is :math:`e^{-s^2/2}` for many nodes.

    Parameters
    ----------
    n_labels, n_nodes : int
    separation : float
        Spread of the class means of a node, in units of the (harmonic) noise of an image.
    anisotropy : float
        Spread of the logarithm of the noise variances; 0 makes weights proportional to means.
    offset : float
        Spread, in units of `separation`, of a constant per node added to all images; the bias absorbs
        it, so predictions do not change, but the matrices do.
    n_folds : int
        Folds into which the images that make the means are divided.
    images_per_label : int
        Images of every label, divided evenly among the folds, and as many fresh ones for `accuracy`.
    seed : int

    Returns
    -------
    LinearWorld

    Raises
    ------
    SymbreakError
        If a size is not positive or there are fewer images than folds.

    Notes
    -----
    Own construction. Run through the same pipeline as a network it shows which part of the
    statistics of P1 (arXiv:2501.12900) Tables 1 and 2 any linear readout has: the defaults, chosen for
    an accuracy near the network's, give about N_c = 3.4, C_s = 3.2, diag = 10.7, n = 340 at threshold 0.3.

    Examples
    --------
    >>> world = linear_gaussian(n_labels=20, n_nodes=64, separation=0.5, seed=1)
    >>> world.feature_mean.shape, world.readout.shape, world.accuracy > 0.9
    ((5, 20, 64), (20, 64), True)
    """
    if min(n_labels, n_nodes, n_folds) < 1 or images_per_label < n_folds:
        raise SymbreakError(
            f"linear_gaussian got {n_labels} labels, {n_nodes} nodes, {n_folds} folds and {images_per_label} "
            "images per label: all must be positive, with at least one image in every fold."
        )
    generator = np.random.default_rng(seed)
    means = separation * generator.normal(size=(n_labels, n_nodes))
    shift = offset * separation * generator.normal(size=n_nodes)
    variance = np.exp(anisotropy * generator.normal(size=n_nodes))
    variance *= np.mean(1 / variance)
    axes = np.linalg.qr(generator.normal(size=(n_nodes, n_nodes)))[0]
    readout = (means @ axes / variance) @ axes.T
    bias = -0.5 * (means * readout).sum(axis=1) - readout @ shift
    bias -= bias.mean()  # a common constant changes no prediction; trained readouts keep it near zero

    edges = np.linspace(0, images_per_label, n_folds + 1).astype(np.int64)
    fold_count = np.repeat((edges[1:] - edges[:-1])[:, None], n_labels, axis=1)
    noise = generator.normal(size=(n_folds, n_labels, n_nodes)) * np.sqrt(variance / fold_count[..., None])
    return LinearWorld(
        feature_mean=means + shift + noise @ axes.T,
        fold_count=fold_count,
        readout=readout,
        bias=bias,
        true_mean=means + shift,
        accuracy=_accuracy(
            (means + shift) @ readout.T + bias,
            (readout @ axes) * np.sqrt(variance),
            images_per_label,
            generator,
        ),
        alignment=float(np.mean(1 / variance) / np.sqrt(np.mean(1 / variance**2))),
    )


def _accuracy(
    mean_field: Floats, noise_readout: Floats, images_per_label: int, generator: np.random.Generator
) -> float:
    """Fraction of images with the largest field on their own label, from white noise along the axes."""
    n_labels, n_nodes = noise_readout.shape
    correct = 0
    for _ in range(images_per_label):
        fields = mean_field + generator.normal(size=(n_labels, n_nodes)) @ noise_readout.T
        correct += int((fields.argmax(axis=1) == np.arange(n_labels)).sum())
    return correct / (images_per_label * n_labels)


class BlockMatrix(NamedTuple):
    """Matrix with planted clusters and noise."""

    matrix: Floats
    """(labels, labels) raw fields."""
    cluster_of: NDArray[np.int64]
    """(labels,): planted cluster of every label, 0 for none; numbered by smallest member."""
    noise: int
    """Planted elements above threshold outside the clusters."""


def block_matrix(
    sizes: tuple[int, ...], n_labels: int = 100, noise: int = 0, threshold: float = 0.3, seed: int = 0
) -> BlockMatrix:
    """Matrix with known clusters: squares of the given sizes on random labels, and scattered noise.

    Elements within squares and noise elements lie well above `threshold` times the maximum, all
    others well below. Noise never makes two clusters compatible: of every pair of labels (i, j) only
    one element can be noise, so that every rule must find exactly the planted clusters.

    Parameters
    ----------
    sizes : tuple of int
        Cluster sizes; at most `n_labels` in all.
    n_labels : int
    noise : int
        Number of noise elements; half of the off-diagonal elements outside clusters at most.
    threshold : float
        Between 0 and 1.
    seed : int

    Returns
    -------
    BlockMatrix

    Raises
    ------
    SymbreakError
        If clusters or noise do not fit into the matrix.

    Examples
    --------
    >>> planted = block_matrix((3, 2), n_labels=10, noise=4)
    >>> np.bincount(planted.cluster_of), planted.noise
    (array([5, 3, 2]), 4)
    """
    if min(sizes, default=1) < 1 or sum(sizes) > n_labels:
        raise SymbreakError(f"Clusters of sizes {sizes} need positive sizes and at most {n_labels} labels.")
    generator = np.random.default_rng(seed)
    labels = generator.permutation(n_labels)
    groups = [np.sort(part) for part in np.split(labels, np.cumsum(sizes))[:-1]]
    cluster_of = np.zeros(n_labels, np.int64)
    inside = np.zeros((n_labels, n_labels), bool)
    for number, group in enumerate(sorted(groups, key=lambda part: part[0]), 1):
        cluster_of[group] = number
        inside[np.ix_(group, group)] = True
    first, second = np.nonzero(np.triu(~inside, 1))
    if noise > len(first):
        raise SymbreakError(f"There is room for {len(first)} noise elements, not for {noise}.")
    picked = generator.choice(len(first), noise, replace=False)
    flipped = generator.random(noise) < 0.5
    rows = np.where(flipped, second[picked], first[picked])
    columns = np.where(flipped, first[picked], second[picked])
    above = inside.copy()
    above[rows, columns] = True
    low, high = (
        generator.uniform(-1, 0.9 * threshold, above.shape),
        generator.uniform(threshold, 1, above.shape),
    )
    matrix = np.where(above, 0.1 * threshold + 0.9 * high, low)
    if above.any():
        matrix.flat[np.flatnonzero(above)[0]] = 1.0
    return BlockMatrix(matrix, cluster_of, noise)
