"""Masks on the weights of a network: some weights are zero and stay zero.

A mask is a parametrization of PyTorch (`torch.nn.utils.parametrize`): the weight that
every product sees is the stored one times the mask, so no optimiser, precision or
file can bring a pruned weight back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from symbreak.errors import SymbreakError
from symbreak.models.registry import Trunk, create

#: What is appended to the name of a masked weight in a file.
VALUES, BITS = ".kept_values", ".kept_bits"


class Mask(nn.Module):
    """Parametrization that keeps some elements of a weight and holds the others at zero.

    Examples
    --------
    >>> Mask(torch.tensor([[True, False]]))(torch.ones(1, 2)).tolist()
    [[1.0, 0.0]]
    """

    kept: Tensor

    def __init__(self, kept: Tensor) -> None:
        super().__init__()
        self.register_buffer("kept", kept.bool())

    def forward(self, weight: Tensor) -> Tensor:
        """Zero what is not kept."""
        return weight * self.kept

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Value to store for a weight that is assigned."""
        return weight * self.kept


def apply_masks(network: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Prune layers of a network in place; masks that it had are replaced.

    Parameters
    ----------
    network : module
    masks : mapping of str to (outputs, inputs) boolean tensor
        By name of the layer, for instance ``blocks.6.linear1``; True: the weight stays.

    Raises
    ------
    SymbreakError
        If the network has no such fully connected layer or a mask has another shape.

    Examples
    --------
    >>> from symbreak.models.registry import build
    >>> network = build("cct_2_3x1", labels=10, dim=32)
    >>> apply_masks(network, {"readout": torch.rand(10, 32) < 0.5})
    >>> list(masks_of(network))
    ['readout']
    """
    layers = dict(network.named_modules())
    for name, kept in masks.items():
        layer = layers.get(name)
        if not isinstance(layer, nn.Linear) or layer.weight.shape != kept.shape:
            known = [key for key, module in layers.items() if isinstance(module, nn.Linear)]
            raise SymbreakError(
                f"No fully connected layer {name} of shape {tuple(kept.shape)} can be pruned; "
                f"there are {', '.join(known)}."
            )
        if name in masks_of(network):
            _mask_of(layer).kept.copy_(kept)
            with torch.no_grad():
                _parametrized(layer).original *= kept.to(layer.weight.device)
        else:
            mask = Mask(kept.to(layer.weight.device))
            with torch.no_grad():
                layer.weight *= mask.kept
            parametrize.register_parametrization(layer, "weight", mask)


def without_masks(network: Trunk) -> Trunk:
    """A copy of a network with plain weights, zero where they were pruned.

    PyTorch can take a parametrization off, but not off a copy: copies share their class.

    Examples
    --------
    >>> from symbreak.config import Network
    >>> network = create(Network(architecture="cct_2_3x1", dim=32), labels=10)
    >>> apply_masks(network, {"readout": torch.eye(10, 32) > 0})
    >>> int((without_masks(network).readout.weight != 0).sum())
    10
    """
    plain = create(network.network, network.labels)
    plain.load_state_dict(unpack(pack(network), plain)[0])
    return plain.to(next(network.parameters()).device).train(network.training)


def masks_of(network: nn.Module) -> dict[str, Tensor]:
    """Masks of a network by name of the layer; empty where nothing is pruned."""
    return {
        name: _mask_of(layer).kept
        for name, layer in network.named_modules()
        if parametrize.is_parametrized(layer, "weight")
    }


def _parametrized(layer: nn.Module) -> Any:
    return layer.parametrizations["weight"]  # type: ignore[index]


def _mask_of(layer: nn.Module) -> Mask:
    (mask,) = _parametrized(layer)
    assert isinstance(mask, Mask)
    return mask


def count_kept(network: nn.Module) -> int:
    """Count the parameters of a network without those that its masks hold at zero.

    Examples
    --------
    >>> from symbreak.models.registry import build, count_parameters
    >>> network = build("cct_2_3x1", labels=10, dim=32)
    >>> dense = count_parameters(network)
    >>> apply_masks(network, {"readout": torch.eye(10, 32) > 0})
    >>> dense - count_kept(network)
    310
    """
    removed = sum(int((~kept).sum()) for kept in masks_of(network).values())
    return sum(parameter.numel() for parameter in network.parameters()) - removed


def pack(network: nn.Module) -> dict[str, Tensor]:
    """State of a network for a file: of a masked weight the kept values and one bit for each weight."""
    state = network.state_dict()
    for name, kept in masks_of(network).items():
        weight = state.pop(f"{name}.parametrizations.weight.original")
        del state[f"{name}.parametrizations.weight.0.kept"]
        state[f"{name}.weight{VALUES}"] = weight[kept]
        bits = np.packbits(kept.cpu().numpy().ravel())
        state[f"{name}.weight{BITS}"] = torch.from_numpy(bits)
    return state


def unpack(state: Mapping[str, Tensor], network: nn.Module) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Plain state of a network, and its masks, from what `pack` made.

    Raises
    ------
    ValueError
        If values and bits do not fit each other or the network.
    """
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    plain, masks = {}, {}
    for key, tensor in state.items():
        if key.endswith(BITS):
            name = key.removesuffix(BITS)
            size = shapes[name].numel()
            if tensor.dtype != torch.uint8 or tensor.numel() != -(-size // 8):
                raise ValueError(f"{key} holds {tensor.numel()} bytes for {size} weights")
            kept = np.unpackbits(tensor.cpu().numpy(), count=size).astype(bool).reshape(shapes[name])
            values = state[name + VALUES]
            if values.numel() != int(kept.sum()):
                raise ValueError(f"{name} has {values.numel()} values for {int(kept.sum())} bits")
            masks[name.removesuffix(".weight")] = torch.from_numpy(kept)
            weight = torch.zeros(shapes[name], dtype=values.dtype)
            weight[masks[name.removesuffix(".weight")]] = values
            plain[name] = weight
        elif not key.endswith(VALUES):
            plain[key] = tensor
    return plain, masks
