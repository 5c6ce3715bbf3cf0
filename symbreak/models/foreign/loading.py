"""Put weights into a network, all of them, and say which do not fit."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.errors import SymbreakError


def load_tensors(
    model: nn.Module, tensors: Mapping[str, Tensor], where: str, positions: str = "refuse"
) -> None:
    """Load a whole state dict.

    Parameters
    ----------
    model : Module
        The network.
    tensors : mapping of str to Tensor
        As `read_tensors` gives them.
    where : str
        Name of the file, for messages.
    positions : {"refuse", "interpolate"}
        What happens to positional embeddings of another image size: bicubic interpolation between the
        positions, or a refusal.

    Raises
    ------
    SymbreakError
        Naming what is missing, unexpected or of another shape.
    """
    own = model.state_dict()
    tensors = dict(tensors)
    if positions == "interpolate":
        for name, tensor in tensors.items():
            if "pos" in name.lower() and name in own and own[name].shape != tensor.shape:
                tensors[name] = interpolated(tensor, own[name].shape)
    missing = [name for name in own if name not in tensors]
    unexpected = [name for name in tensors if name not in own]
    shapes = [
        f"{name} {tuple(tensor.shape)} in place of {tuple(own[name].shape)}"
        for name, tensor in tensors.items()
        if name in own and own[name].shape != tensor.shape
    ]
    wrong = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
    if any(wrong.values()):
        said = "; ".join(f"{len(n)} {kind} ({', '.join(n[:3])})" for kind, n in wrong.items() if n)
        cure = "give the options it was trained with"
        if shapes and all("pos" in name.lower() for name in shapes) and not missing + unexpected:
            cure = "ask for `positions: interpolate`, or keep the image size it was trained with"
        raise SymbreakError(f"The weights {where} do not fit the network: {said}; {cure}.")
    model.load_state_dict(tensors)


def interpolated(table: Tensor, shape: torch.Size) -> Tensor:
    """Positional embeddings, (..., positions, nodes), for another square of positions; others stay.

    Tokens before those of the image keep their embeddings: as many as leave squares in both shapes.

    Examples
    --------
    >>> interpolated(torch.ones(1, 1 + 4, 3), torch.Size((1, 1 + 9, 3))).shape
    torch.Size([1, 10, 3])
    """
    old, new = table.shape[-2], shape[-2] if len(shape) > 1 else 0
    before = next((n for n in range(9) if _square(old - n) and _square(new - n)), None)
    if before is None or table.ndim != len(shape) or table.shape[-1] != shape[-1]:
        return table
    rest = table[..., before:, :].reshape(1, math.isqrt(old - before), -1, table.shape[-1])
    side = math.isqrt(new - before)
    image = functional.interpolate(
        rest.permute(0, 3, 1, 2).float(), (side, side), mode="bicubic", antialias=True
    )
    rest = image.flatten(2).transpose(1, 2).to(table.dtype).reshape(*table.shape[:-2], side**2, -1)
    return torch.cat([table[..., :before, :], rest], dim=-2)


def _square(number: int) -> bool:
    return number > 0 and math.isqrt(number) ** 2 == number
