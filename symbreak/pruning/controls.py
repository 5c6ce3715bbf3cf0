"""The rules that ANDC is compared with, each at exactly the same number of kept weights in every layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.models.probe import Place
from symbreak.pruning.places import Layer, kept_pairs
from symbreak.pruning.sets import Sets, balanced_sets, mean_size_for

Kept = NDArray[np.bool_]


def random_pairs(shape: tuple[int, ...], count: int, generator: np.random.Generator) -> Kept:
    """Keep so many weights, all choices equally likely.

    Examples
    --------
    >>> int(random_pairs((4, 5), 7, np.random.default_rng(0)).sum())
    7
    """
    return exactly(np.zeros(shape, dtype=bool), count, generator)


def largest_weights(weight: ArrayLike, count: int) -> Kept:
    """Keep so many weights of largest magnitude; of equal ones the first.

    Examples
    --------
    >>> largest_weights([[0.1, -3.0], [2.0, 0.2]], 2).tolist()
    [[False, True], [True, False]]
    """
    size = np.abs(np.asarray(weight, dtype=np.float64))
    kept = np.zeros(size.shape, dtype=bool)
    kept.flat[np.argsort(-size, axis=None, kind="stable")[:count]] = True
    return kept


def exactly(kept: Kept, count: int, generator: np.random.Generator) -> Kept:
    """Drop or add random weights until exactly so many are kept.

    Examples
    --------
    >>> int(exactly(np.ones((3, 3), bool), 5, np.random.default_rng(0)).sum())
    5
    """
    kept = kept.copy()
    excess = int(kept.sum()) - count
    chosen = generator.choice(np.flatnonzero(kept.ravel() == (excess > 0)), abs(excess), replace=False)
    kept.flat[chosen] = excess < 0
    return kept


def artificial_sets(
    layers: Sequence[Layer],
    sets: Mapping[Place, Sets],
    counts: Mapping[Layer, int],
    generator: np.random.Generator,
) -> dict[Place, Sets]:
    """Balanced random label sets of all nodes that keep about as many weights as given (A-ANDC).

    Of the two places of a layer, one has the mean set size of ANDC (for QKV and Linear1 the outputs,
    for the projection and Linear2 the inputs); that of the other follows from the number of kept
    weights by the expectation for independent sets. Nodes that belong to two layers have one set. The readout
    has as many appearances as it has kept weights.

    Parameters
    ----------
    layers : sequence of Layer
    sets : mapping of place to (nodes, labels) boolean array
        Label sets of ANDC.
    counts : mapping of layer to int
        Weights to keep.
    generator : Generator
    """
    drawn: dict[Place, Sets] = {}

    def draw(place: Place, total: int) -> Sets:
        if place not in drawn:
            drawn[place] = balanced_sets(len(sets[place]), sets[place].shape[1], total, generator)
        return drawn[place]

    for layer in layers:
        if layer.outputs is None:
            draw(layer.inputs, counts[layer])
            continue
        ends = (
            (layer.outputs, layer.inputs)
            if layer.kind in ("qkv", "linear1")
            else (layer.inputs, layer.outputs)
        )
        fixed, free = ends
        known = draw(fixed, int(sets[fixed].sum()))
        pairs = len(sets[fixed]) * len(sets[free])
        size = mean_size_for(counts[layer] / pairs, known) if known.any() else 0.0
        draw(free, round(size * len(sets[free])))
    return drawn


def artificial_pairs(
    layers: Sequence[Layer],
    sets: Mapping[Place, Sets],
    counts: Mapping[Layer, int],
    generator: np.random.Generator,
) -> tuple[dict[Layer, Kept], dict[Layer, int]]:
    """Weights between nodes that share a label of balanced random sets, exactly as many as given.

    Returns
    -------
    kept : mapping of layer to (outputs, inputs) boolean array
    adjusted : mapping of layer to int
        Weights that were dropped (or, negative, added) at random to have exactly the given number.
    """
    drawn = artificial_sets(layers, sets, counts, generator)
    shared = {layer: kept_pairs(layer, drawn) for layer in layers}
    adjusted = {layer: int(shared[layer].sum()) - counts[layer] for layer in layers}
    return {layer: exactly(shared[layer], counts[layer], generator) for layer in layers}, adjusted


def choose_pairs(
    method: str,
    layers: Sequence[Layer],
    sets: Mapping[Place, Sets],
    weights: Mapping[Layer, ArrayLike],
    generator: np.random.Generator,
) -> tuple[dict[Layer, Kept], dict[Layer, int]]:
    """Weights that one method keeps in every layer, all methods equally many.

    Parameters
    ----------
    method : str
        A key of `symbreak.config.METHODS`.
    layers : sequence of Layer
    sets : mapping of place to (nodes, labels) boolean array
        Label sets of ANDC, which decide how many weights all methods keep.
    weights : mapping of layer to (outputs, inputs) array
        Weights of the trained network.
    generator : Generator

    Returns
    -------
    kept : mapping of layer to (outputs, inputs) boolean array
    adjusted : mapping of layer to int
        See :func:`artificial_pairs`; 0 for the other methods.
    """
    own = {layer: kept_pairs(layer, sets) for layer in layers}
    counts = {layer: int(kept.sum()) for layer, kept in own.items()}
    if method in ("artificial", "artificial_scratch"):
        return artificial_pairs(layers, sets, counts, generator)
    if method == "random":
        own = {layer: random_pairs(kept.shape, counts[layer], generator) for layer, kept in own.items()}
    elif method == "magnitude":
        own = {layer: largest_weights(weights[layer], counts[layer]) for layer in layers}
    return own, dict.fromkeys(layers, 0)
