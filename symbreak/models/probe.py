"""Classifier heads (probes) on the frozen trunk, all fed by one pass.

A probe at a tap of an encoder is sequence pooling ``softmax_t(Linear(d, 1))``
and one fully connected layer to the labels (P1 section 2, arXiv:2501.12900);
at the filters of a convolution it is the fully connected layer alone, on every
position of every filter (arXiv:2305.18078).
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.config import FILTER_TAPS, RESIDUAL_TAPS, FilterMap, Network, Probes

#: A tap of a block: (block from 1, name of the tap).
Place = tuple[int, str]


class Probe(nn.Module):
    """Sequence pooling and a fully connected layer.

    Parameters
    ----------
    nodes : int
        Width of the tap.
    labels : int
        Number of output units.
    bias : bool
        Whether the fully connected layer has a bias.
    layer_norm : bool
        Whether the tokens pass a LayerNorm before the pooling.
    pooled : {"learned", "mean"}
        Over the tokens.
    """

    def __init__(
        self, nodes: int, labels: int, bias: bool = False, layer_norm: bool = False, pooled: str = "learned"
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(nodes) if layer_norm else nn.Identity()
        self.pooling = nn.Linear(nodes, 1) if pooled == "learned" else None
        self.readout = nn.Linear(nodes, labels, bias=bias)
        _initialise(*filter(None, (self.pooling, self.readout)))

    def features(self, tokens: Tensor) -> Tensor:
        """(images, tokens, nodes) -> pooled features (images, nodes)."""
        tokens = self.norm(tokens)
        if self.pooling is None:
            return tokens.mean(dim=1)
        weights = self.pooling(tokens).softmax(dim=1)
        return (weights.transpose(1, 2) @ tokens).squeeze(1)

    def forward(self, tokens: Tensor) -> Tensor:
        """(images, tokens, nodes) -> output fields (images, labels)."""
        return self.readout(self.features(tokens))


class FilterProbe(nn.Module):
    """A fully connected layer on the map of every filter.

    Nodes are filter by position, the positions of a filter side by side. A map
    with more than `positions` on a side is averaged to that grid first.

    Parameters
    ----------
    maps : FilterMap
        Filters of the block and the side of their maps.
    labels : int
        Number of output units.
    positions : int
        Largest side of the grid of positions.
    bias : bool
        Whether the fully connected layer has a bias.
    layer_norm : bool
        Whether the nodes pass a LayerNorm first.
    """

    def __init__(
        self, maps: FilterMap, labels: int, positions: int, bias: bool = False, layer_norm: bool = False
    ) -> None:
        super().__init__()
        self.filters, self.side = maps.filters, min(maps.side, positions)
        nodes = self.filters * self.side**2
        self.norm = nn.LayerNorm(nodes) if layer_norm else nn.Identity()
        self.readout = nn.Linear(nodes, labels, bias=bias)
        _initialise(self.readout)

    def features(self, tokens: Tensor) -> Tensor:
        """(images, positions of the map, filters) -> features (images, nodes)."""
        side = math.isqrt(tokens.shape[1])
        maps = tokens.transpose(1, 2).unflatten(2, (side, side))
        return self.norm(functional.adaptive_avg_pool2d(maps, self.side).flatten(1))

    def forward(self, tokens: Tensor) -> Tensor:
        """(images, positions of the map, filters) -> output fields (images, labels)."""
        return self.readout(self.features(tokens))


class ProbeSet(nn.Module):
    """Every probe of one network, at those of the taps that the network has.

    Parameters
    ----------
    network : Network
        Shape of the trunk.
    labels : int
        Number of output units of each probe.
    probes : Probes
        Which taps, and the options of the heads.
    """

    def __init__(self, network: Network, labels: int, probes: Probes) -> None:
        super().__init__()
        own = [tap for tap in probes.taps if tap in network.taps]
        self.settings = probes.model_copy(update={"taps": own})
        self.network, self.labels = network, labels
        self.places: list[Place] = [(b, t) for t in own for b in range(1, network.blocks + 1)]
        self.probes = nn.ModuleDict({_key(place): self._probe(place) for place in self.places})

    def _probe(self, place: Place) -> Probe | FilterProbe:
        block, tap = place
        settings = self.settings
        normed = tap in RESIDUAL_TAPS if settings.layer_norm == "residual" else settings.layer_norm
        if tap in FILTER_TAPS:
            maps = self.network.filter_maps[block - 1]
            return FilterProbe(maps, self.labels, settings.filter_positions, settings.bias, normed)
        nodes = tap_widths(self.network)[tap]
        return Probe(nodes, self.labels, settings.bias, normed, settings.pooling)

    def __getitem__(self, place: Place) -> Probe | FilterProbe:
        return self.probes[_key(place)]  # type: ignore[return-value]

    def forward(self, tokens: dict[Place, Tensor]) -> dict[Place, Tensor]:
        """Output fields of every probe from its taps."""
        return {place: self[place](tokens[place]) for place in self.places}


@functools.cache
def rotation(nodes: int, block: int) -> Tensor:
    """Random orthogonal matrix, the same for every network: its law has no preferred directions.

    Nodes rotated by it hold the same information, but no head: a null model of the division by heads. The
    signs make the law that of Haar (Mezzadri, Notices of the AMS 54, 592 (2007)).

    Examples
    --------
    >>> matrix = rotation(8, block=1)
    >>> torch.allclose(matrix @ matrix.T, torch.eye(8), atol=1e-6)
    True
    """
    random = torch.Generator().manual_seed(7919 * nodes + block)
    gaussian = torch.randn(nodes, nodes, generator=random, dtype=torch.float64)
    orthogonal, triangle = torch.linalg.qr(gaussian)
    return (orthogonal * triangle.diagonal().sign()).float()


def tap_widths(network: Network, block: int = 1) -> dict[str, int]:
    """Width of the tokens at every tap of a block: nodes of a CCT, filters of a convolutional network.

    Examples
    --------
    >>> tap_widths(Network())["linear1"]
    512
    >>> tap_widths(Network(architecture="resnet_20"), block=9)
    {'filters': 64}
    """
    if network.convolutional:
        return dict.fromkeys(network.taps, network.filter_maps[block - 1].filters)
    dim, hidden = network.dim, int(network.dim * network.mlp_ratio)
    special = {"qkv": 3 * dim, "linear1": hidden}
    return {tap: special.get(tap, dim) for tap in network.taps}


def _initialise(*layers: nn.Linear) -> None:
    for layer in layers:
        nn.init.trunc_normal_(layer.weight, std=0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _key(place: Place) -> str:
    return f"block{place[0]}_{place[1]}"
