"""Planted preferences of heads, similar labels and twin nodes; labels at different scales."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import SymbreakError
from symbreak.observables import assign_nodes
from symbreak.planted.specialised import MembershipWorld


def divided_labels(
    order: float = 0.0,
    by: str = "label",
    similarity: float = 0.0,
    twins: bool = False,
    mean_size: float = 6.0,
    n_superclasses: int = 12,
    superclass_size: int = 5,
    n_heads: int = 4,
    head_size: int = 32,
    owner_seed: int | None = None,
    seed: int = 0,
) -> MembershipWorld:
    """Plant what the tests of heads have to tell apart: order, its carrier, similar labels, twin nodes.

    A node contains a label with probability p_kl (1 + (H - 1) m) in the head that prefers it and p_kl (1 - m)
    in the others, with Potts order m as in :func:`symbreak.planted.specialised_heads`. Preferences belong to
    single labels or to whole superclasses. p_kl is mean_size/n_labels times a lognormal number that a node
    has for each superclass: similar labels then stand together in one node, whatever its head.

    Parameters
    ----------
    order : float
        Planted Potts order m in [0, 1]; 0: heads do not differ.
    by : {"label", "superclass"}
        What a head prefers.
    similarity : float
        Standard deviation of the logarithm of a node's factors for superclasses.
    twins : bool
        The second half of the nodes of each head repeats the first: nodes are not exchangeable, though no
        head prefers anything.
    mean_size : float
        Mean number of labels of a node.
    n_superclasses, superclass_size, n_heads, head_size : int
    owner_seed : int, optional
        Seed of the preferences, to give several replicas the same; default: as everything else.
    seed : int

    Returns
    -------
    MembershipWorld
        Label l belongs to superclass ``l // superclass_size``.

    Raises
    ------
    SymbreakError
        If the order is outside [0, 1] or `by` is unknown.

    Examples
    --------
    >>> world = divided_labels(order=1.0, by="superclass", seed=1)
    >>> len(set(world.owner[:5])), bool((world.head_of_node[world.membership[:, 0]] == world.owner[0]).all())
    (1, True)
    """
    if not 0 <= order <= 1:
        raise SymbreakError(f"The planted order is {order}: keep it between 0 and 1.")
    if by not in ("label", "superclass"):
        raise SymbreakError(f"Heads cannot prefer a {by!r}: choose label or superclass.")
    rng = np.random.default_rng(seed)
    chooser = rng if owner_seed is None else np.random.default_rng(owner_seed)
    n_labels, n_nodes = n_superclasses * superclass_size, n_heads * head_size
    superclass = np.repeat(np.arange(n_superclasses), superclass_size)
    heads = assign_nodes(n_nodes, n_heads)
    drawn = chooser.integers(1, n_heads + 1, size=n_labels)
    owner = drawn if by == "label" else drawn[:n_superclasses][superclass]
    factor = np.exp(similarity * rng.standard_normal((n_nodes, n_superclasses)) - similarity**2 / 2)
    preferred = np.where(heads[:, None] == owner, 1 + (n_heads - 1) * order, 1 - order)
    probability = np.minimum(mean_size / n_labels * factor[:, superclass] * preferred, 1.0)
    membership = rng.random(probability.shape) < probability
    if twins:
        half = head_size // 2
        by_head = membership.reshape(n_heads, head_size, n_labels)
        by_head[:, half : 2 * half] = by_head[:, :half]
    return MembershipWorld(membership, heads, owner if order > 0 else np.zeros_like(owner))


def scaled_labels(
    seed: int = 0, n_labels: int = 20, n_nodes: int = 24, n_own: int = 6
) -> tuple[NDArray, NDArray]:
    """Label means and readout of nodes that hold labels at different scales: more clusters than chance.

    A node's own labels have means exp(x) and weights 1.1 exp(-x) with x uniform in [-.5, .5], so that their
    intervals (docs/method.md, interval-graph theorem) meet little; all other labels have small ones.

    Examples
    --------
    >>> mean, readout = scaled_labels()
    >>> mean.shape, round(float((mean * readout).max(0).min()), 6)
    ((20, 24), 1.1)
    """
    rng = np.random.default_rng(seed)
    mean, readout = 0.1 * rng.standard_normal((2, n_labels, n_nodes))
    for node in range(n_nodes):
        own, scale = rng.choice(n_labels, n_own, replace=False), rng.uniform(-0.5, 0.5, n_own)
        mean[own, node], readout[own, node] = np.exp(scale), 1.1 * np.exp(-scale)
    return mean, readout
