"""Worlds in which the truth about heads is known: planted owners, planted order, and none at all.

They need no network and no training, take well under a second, and every estimator of the head analysis is
tested against them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import SymbreakError
from symbreak.observables import assign_nodes


class HeadGainWorld(NamedTuple):
    """A linear Gaussian world whose heads see the labels with unequal gains.

    Attributes
    ----------
    feature_mean
        Shape (n_labels, n_nodes): mean feature of each label, as a perfect measurement would give it.
    readout
        Shape (n_labels, n_nodes): weights of the linear classifier.
    readout_bias
        Shape (n_labels,): its bias.
    head_of_node
        Shape (n_nodes,): head of each node, from 1.
    gain
        Shape (n_heads, n_labels): by what each head multiplies the class means.
    owner
        Shape (n_labels,): the planted truth, the head (from 1) of largest gain.
    accuracy
        Of the classifier on fresh inputs.
    head_accuracy
        Shape (n_heads, n_labels): accuracy for inputs of each label with the fields of one head only, bias
        silenced.
    """

    feature_mean: NDArray[np.float64]
    readout: NDArray[np.float64]
    readout_bias: NDArray[np.float64]
    head_of_node: NDArray[np.int64]
    gain: NDArray[np.float64]
    owner: NDArray[np.int64]
    accuracy: float
    head_accuracy: NDArray[np.float64]


def _recognised(
    inputs: NDArray[np.float64],
    label: NDArray[np.int64],
    readout: NDArray[np.float64],
    bias: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Share of the inputs of each label that the classifier gives to it."""
    right = (inputs @ readout.T + bias).argmax(axis=1) == label
    return np.bincount(label, weights=right) / np.bincount(label)


def head_gain(
    gain_deviation: float = 0.5,
    n_labels: int = 100,
    n_heads: int = 4,
    head_size: int = 64,
    offset_deviation: float = 0.0,
    noise: float = 3.6,
    n_train: int = 50,
    n_test: int = 100,
    seed: int = 0,
) -> HeadGainWorld:
    """Plant a preference of every head for labels: class means times a lognormal gain.

    Features of label l are x_k = exp(s g_hl - s^2/2) xi_lk + offset_k + noise, with k a node of head h and
    g, xi standard normal. The classifier is the nearest class mean, estimated from ``n_train`` inputs per
    label. At s = 0 nothing distinguishes the heads. With the defaults and threshold 0.3, on average over 20
    seeds 2, 21, 55, 64 and 69 of 100 labels appear at least twice as often in one of four heads as in any
    other at s = 0, 0.2, 0.4, 0.5 and 0.6 (standard deviation 4 to 5 from seed to seed); the accuracy falls
    from 0.90 to 0.83.

    Parameters
    ----------
    gain_deviation
        Standard deviation s of the logarithm of the gain.
    n_labels, n_heads, head_size
        The sizes; there are n_heads x head_size nodes.
    offset_deviation
        Spread of a constant that each node adds for all labels alike.
    noise
        Standard deviation of a feature within a label.
    n_train, n_test
        Inputs per label that train the classifier and that measure accuracies.
    seed
        Of numpy's default generator.

    Returns
    -------
    HeadGainWorld

    Raises
    ------
    SymbreakError
        If a size is not positive or a spread is negative.

    Examples
    --------
    >>> world = head_gain(0.5, n_labels=10, head_size=8)
    >>> world.feature_mean.shape, world.head_accuracy.shape
    ((10, 32), (4, 10))
    >>> bool((world.gain.argmax(axis=0) + 1 == world.owner).all())
    True
    """
    if (
        min(n_labels, n_heads, head_size, n_train, n_test) < 1
        or min(gain_deviation, offset_deviation, noise) < 0
    ):
        raise SymbreakError("A planted world needs positive sizes and no negative spread.")
    rng = np.random.default_rng(seed)
    n_nodes = n_heads * head_size
    head_of_node = assign_nodes(n_nodes, n_heads)
    gain = np.exp(gain_deviation * rng.standard_normal((n_heads, n_labels)) - gain_deviation**2 / 2)
    mean = rng.standard_normal((n_labels, n_nodes)) * gain[head_of_node - 1].T
    offset = offset_deviation * rng.standard_normal(n_nodes)
    estimated = mean + rng.standard_normal(mean.shape) * noise / np.sqrt(n_train)
    centre = estimated.mean(axis=0)
    readout = estimated - centre
    bias = -(readout**2).sum(axis=1) / 2 - readout @ (centre + offset)
    label = np.repeat(np.arange(n_labels), n_test)
    inputs = mean[label] + offset + noise * rng.standard_normal((label.size, n_nodes))
    head_accuracy = [
        _recognised(inputs[:, nodes], label, readout[:, nodes], 0.0)
        for nodes in (head_of_node == head for head in range(1, n_heads + 1))
    ]
    return HeadGainWorld(
        mean + offset,
        readout,
        bias,
        head_of_node,
        gain,
        gain.argmax(axis=0) + 1,
        float(_recognised(inputs, label, readout, bias).mean()),
        np.array(head_accuracy),
    )


class MembershipWorld(NamedTuple):
    """Clusters of nodes drawn directly, without fields.

    Attributes
    ----------
    membership
        Shape (n_nodes, n_labels): does the node contain the label?
    head_of_node
        Shape (n_nodes,): head of each node, from 1.
    owner
        Shape (n_labels,): the planted head of each label, from 1; 0 where no head is preferred.
    """

    membership: NDArray[np.bool_]
    head_of_node: NDArray[np.int64]
    owner: NDArray[np.int64]


def specialised_heads(
    order: float = 0.5,
    mean_size: float = 10.0,
    n_labels: int = 100,
    n_heads: int = 4,
    head_size: int = 64,
    seed: int = 0,
) -> MembershipWorld:
    """Plant a Potts order m: each label prefers one head, drawn at random, and its nodes are independent.

    A node contains a label with probability mean_size/n_labels (1 + (H - 1) m) in the label's own head and
    mean_size/n_labels (1 - m) in the others, so that the shares p_hl have Potts order m and Edwards-Anderson
    order m^2. At m = 0 this is the binomial null of ``binomial_heads``.

    Parameters
    ----------
    order
        Planted Potts order m in [0, 1].
    mean_size
        Mean number of labels per node.
    n_labels, n_heads, head_size
        The sizes.
    seed
        Of numpy's default generator.

    Returns
    -------
    MembershipWorld

    Raises
    ------
    SymbreakError
        If the order is outside [0, 1] or a probability would exceed 1.

    Examples
    --------
    >>> world = specialised_heads(order=1.0, seed=3)
    >>> inside = world.membership & (world.head_of_node[:, None] == world.owner)
    >>> bool((inside == world.membership).all())
    True
    """
    own = mean_size / n_labels * (1 + (n_heads - 1) * order)
    if not 0 <= order <= 1 or mean_size < 0 or own > 1:
        raise SymbreakError(
            f"Order {order} with {mean_size} labels per node is no world: keep the order in [0, 1] and "
            "mean_size (1 + (heads - 1) order) at most the number of labels."
        )
    rng = np.random.default_rng(seed)
    head_of_node = assign_nodes(n_heads * head_size, n_heads)
    owner = rng.integers(1, n_heads + 1, size=n_labels)
    at_home = head_of_node[:, None] == owner
    probability = np.where(at_home, own, mean_size / n_labels * (1 - order))
    membership = rng.random((head_of_node.size, n_labels)) < probability
    return MembershipWorld(membership, head_of_node, owner if order > 0 else np.zeros_like(owner))


def binomial_heads(
    mean_size: float, n_labels: int = 100, n_heads: int = 4, head_size: int = 64, seed: int = 0
) -> MembershipWorld:
    """Draw a world without any order: every node contains every label independently with one probability.

    The chance level of the ownership rule in it is ``binomial_chance_of_ownership``: at two labels per node
    46 of 100 labels have an owner at r = 2 though the heads do not differ.

    Parameters
    ----------
    mean_size
        Mean number of labels per node.
    n_labels, n_heads, head_size, seed
        As in ``specialised_heads``.

    Returns
    -------
    MembershipWorld
        With owner 0 for all labels.

    Raises
    ------
    SymbreakError
        If there would be more labels per node than labels.

    Examples
    --------
    >>> binomial_heads(2.0).membership.shape
    (256, 100)
    """
    return specialised_heads(0.0, mean_size, n_labels, n_heads, head_size, seed)
