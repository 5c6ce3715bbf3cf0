"""Classifier heads (probes) on the frozen trunk, all fed by one pass.

A probe at a tap is sequence pooling ``softmax_t(Linear(d, 1))`` and one fully
connected layer to the labels (P1 section 2, arXiv:2501.12900).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from symbreak.config import RESIDUAL_TAPS, TAPS, Network, Probes
from symbreak.models.cct import CCT

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
    """

    def __init__(self, nodes: int, labels: int, bias: bool = False, layer_norm: bool = False) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(nodes) if layer_norm else nn.Identity()
        self.pooling = nn.Linear(nodes, 1)
        self.readout = nn.Linear(nodes, labels, bias=bias)
        for layer in (self.pooling, self.readout):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def features(self, tokens: Tensor) -> Tensor:
        """(images, tokens, nodes) -> pooled features (images, nodes)."""
        tokens = self.norm(tokens)
        weights = self.pooling(tokens).softmax(dim=1)
        return (weights.transpose(1, 2) @ tokens).squeeze(1)

    def forward(self, tokens: Tensor) -> Tensor:
        """(images, tokens, nodes) -> output fields (images, labels)."""
        return self.readout(self.features(tokens))


class ProbeSet(nn.Module):
    """Every probe of one network.

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
        self.settings, self.network, self.labels = probes, network, labels
        widths = tap_widths(network)
        self.places: list[Place] = [(b, t) for t in probes.taps for b in range(1, network.blocks + 1)]
        self.probes = nn.ModuleDict(
            {
                _key(place): Probe(widths[place[1]], labels, probes.bias, _normed(place[1], probes))
                for place in self.places
            }
        )

    def __getitem__(self, place: Place) -> Probe:
        return self.probes[_key(place)]  # type: ignore[return-value]

    def forward(self, tokens: dict[Place, Tensor]) -> dict[Place, Tensor]:
        """Output fields of every probe from the recorded taps."""
        return {place: self[place](tokens[place]) for place in self.places}


@torch.no_grad()
def record_taps(network: CCT, images: Tensor, places: Iterable[Place]) -> tuple[dict[Place, Tensor], Tensor]:
    """Run the network once; return the wanted taps, (images, tokens, nodes) each, and its output fields."""
    wanted, heard = set(places), {}

    def record(block: int, tap: str, tensor: Tensor) -> None:
        if (block, tap) in wanted:
            heard[block, tap] = tensor

    output = network(images, record)
    return heard, output


def tap_widths(network: Network) -> dict[str, int]:
    """Nodes of every tap.

    Examples
    --------
    >>> tap_widths(Network())["linear1"]
    512
    """
    dim, hidden = network.dim, int(network.dim * network.mlp_ratio)
    special = {"qkv": 3 * dim, "linear1": hidden}
    return {tap: special.get(tap, dim) for tap in TAPS}


def _normed(tap: str, probes: Probes) -> bool:
    return tap in RESIDUAL_TAPS if probes.layer_norm == "residual" else bool(probes.layer_norm)


def _key(place: Place) -> str:
    return f"block{place[0]}_{place[1]}"
