"""Which layers a study prunes, where their nodes are found, and at which threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from symbreak.clusters import scan
from symbreak.config import READOUT, Statistics, Study
from symbreak.models.probe import Place
from symbreak.observables import best_threshold, block_statistics, threshold_grid
from symbreak.pruning.sets import Nodes, Sets, intersect, label_sets

#: The place of the network's own classifier head, after all blocks.
OWN_HEAD: Place = (0, READOUT)

#: Thresholds of the search for a number of kept weights are halved this often.
HALVINGS = 20


class Layer(NamedTuple):
    """A fully connected layer that loses weights, and the places of its nodes."""

    block: int
    kind: str
    inputs: Place
    outputs: Place | None

    @property
    def module(self) -> str:
        """Name of the layer in the network.

        Examples
        --------
        >>> Layer(7, "qkv", (7, "attention_norm"), (7, "qkv")).module
        'blocks.6.qkv'
        """
        return READOUT if self.kind == READOUT else f"blocks.{self.block - 1}.{self.kind}"

    @property
    def name(self) -> str:
        """Name of the layer in tables."""
        return READOUT if self.kind == READOUT else f"block {self.block} {self.kind}"


def layers_of(study: Study, n_blocks: int) -> list[Layer]:
    """Layers of a study in the order of the data flow.

    Examples
    --------
    >>> [layer.name for layer in layers_of(Study(layers=["linear1", "readout"]), 7)]
    ['block 7 linear1', 'readout']
    """
    found = []
    kinds = [kind for kind in ("qkv", "projection", "linear1", "linear2") if kind in study.layers]
    for block in study.blocks_of(n_blocks):
        for kind in kinds:
            before, after = study.taps_of_layer(kind)
            found.append(Layer(block, kind, (block, before), (block, after)))
    if READOUT in study.layers:
        found.append(Layer(0, READOUT, OWN_HEAD, None))
    return found


def places_of(layers: Sequence[Layer]) -> list[Place]:
    """Places of the nodes of some layers, each once."""
    every = [place for layer in layers for place in (layer.inputs, layer.outputs) if place is not None]
    return list(dict.fromkeys(every))


def kept_pairs(layer: Layer, sets: Mapping[Place, Sets]) -> NDArray[np.bool_]:
    """Weights that ANDC keeps, (outputs, inputs).

    The readout keeps the weights of each node to its own labels; a layer between nodes keeps those
    between nodes that share a label (P1 section 3).

    Examples
    --------
    >>> readout = Layer(0, "readout", OWN_HEAD, None)
    >>> kept_pairs(readout, {OWN_HEAD: np.array([[True, False, False]])}).tolist()
    [[True], [False], [False]]
    """
    inputs = sets[layer.inputs]
    return inputs.T.copy() if layer.outputs is None else intersect(sets[layer.outputs], inputs)


def sets_at(
    nodes: Mapping[Place, Nodes], cuts: Mapping[Place, float], settings: Statistics
) -> dict[Place, Sets]:
    """Label sets of the nodes of all places, each at its own threshold."""
    return {p: label_sets(nodes[p], cut, settings.rule, settings.centred) for p, cut in cuts.items()}


def thresholds_of(
    setting: str,
    study: Study,
    layers: Sequence[Layer],
    nodes: Mapping[Place, Nodes],
    settings: Statistics,
) -> dict[Place, float]:
    """Threshold of each place in one setting of a study.

    Parameters
    ----------
    setting : str
        One of `study.settings`: ``kept f`` takes the threshold, the same at all places, that keeps the
        fraction of weights nearest to f; ``given`` those of `study.thresholds`; ``snr_minimum`` at each
        place the one where SNR_MIN is largest (P1 Fig. 5); ``snr_limit`` the highest one where SNR_MIN is at
        least 1, beyond which P1 excludes thresholds; where it never is, the reference threshold.
    study : Study
    layers : sequence of Layer
    nodes : mapping of place to Nodes
    settings : Statistics
        Rule, gauge, scanned thresholds and reference threshold.
    """
    places = places_of(layers)
    if setting.startswith("kept "):
        wished = study.kept[study.settings.index(setting)]
        return dict.fromkeys(places, _common_threshold(wished, layers, nodes, settings))
    if setting == "given":
        return {p: study.thresholds.get(p[1], settings.reference_threshold) for p in places}
    return {place: _snr_threshold(nodes[place], settings, setting == "snr_limit") for place in places}


def _common_threshold(
    wished: float, layers: Sequence[Layer], nodes: Mapping[Place, Nodes], settings: Statistics
) -> float:
    """Threshold at which the layers together keep the fraction nearest to the wished one."""
    places = places_of(layers)

    def fraction(cut: float) -> float:
        sets = sets_at(nodes, dict.fromkeys(places, cut), settings)
        masks = [kept_pairs(layer, sets) for layer in layers]
        return sum(int(mask.sum()) for mask in masks) / sum(mask.size for mask in masks)

    low, high = 0.0, 1.0 - 1e-9  # the fraction falls with the threshold
    fractions = {low: fraction(low), high: fraction(high)}
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        fractions[middle] = fraction(middle)
        low, high = (middle, high) if fractions[middle] > wished else (low, middle)
    return min(fractions, key=lambda cut: (abs(fractions[cut] - wished), cut))


def _snr_threshold(nodes: Nodes, settings: Statistics, highest: bool) -> float:
    """Threshold of the largest SNR_MIN, or the highest one with SNR_MIN >= 1."""
    table = block_statistics(_scan(nodes, threshold_grid(settings.thresholds), settings))
    if highest:
        allowed = table.threshold.values[table.snr_minimum.values >= 1]
        return float(allowed.max()) if allowed.size else settings.reference_threshold
    best = float(best_threshold(table))
    return settings.reference_threshold if np.isnan(best) else best


def _scan(nodes: Nodes, cuts: Sequence[float] | NDArray, settings: Statistics) -> xr.Dataset:
    options = {"rule": settings.rule, "bias": nodes.bias, "centred": settings.centred}
    return scan(nodes.feature_mean, nodes.readout, cuts, **options)  # type: ignore[arg-type]


def describe_nodes(nodes: Nodes, threshold: float, settings: Statistics) -> dict[str, float]:
    """N_c, C_s, diag and n of the nodes of one place (columns of P1 Table 3)."""
    table = block_statistics(_scan(nodes, [threshold], settings)).isel(threshold=0)
    return {name: float(table[name]) for name in ("n_clusters", "cluster_size", "diagonal", "noise")}
