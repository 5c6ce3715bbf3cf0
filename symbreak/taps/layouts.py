"""Tensors at modules of any network as (images, tokens, nodes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from symbreak.errors import SymbreakError
from symbreak.models.probe import rotation
from symbreak.taps.anatomy import Opening


def first_tensor(value: Any) -> Tensor | None:
    """First tensor of what a module takes or returns: a tensor, a sequence, a mapping or a dataclass.

    Examples
    --------
    >>> first_tensor((None, {"a": torch.ones(2)}))
    tensor([1., 1.])
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, Mapping):
        value = tuple(value.values())
    elif hasattr(value, "__dataclass_fields__"):
        value = tuple(vars(value).values())
    if isinstance(value, (tuple, list)):
        return next((tensor for part in value if (tensor := first_tensor(part)) is not None), None)
    return None


def arranged(tensor: Tensor, opening: Opening, number: int, frame: Frame | None) -> Tensor:
    """Tensor at an opening as (images, tokens, nodes).

    Parameters
    ----------
    tensor : Tensor
        As the module took or returned it.
    opening : Opening
        Layout, part and rotation.
    number : int
        Block, from 1: each has a rotation of its own.
    frame : Frame, optional
        Images that were cut into windows.
    """
    if opening.layout == "windows":
        if frame is None:
            raise SymbreakError(f"The block {opening.block!r} told no size of its image; name it in `block`.")
        tensor = frame.joined(tensor)
    elif opening.layout == "map":
        tensor = tensor.flatten(2).transpose(1, 2)
    elif opening.layout == "time":
        tensor = tensor.transpose(0, 1)
    tensor = tensor.unsqueeze(1) if tensor.ndim == 2 else tensor.flatten(1, -2)
    if opening.part:
        which, many = opening.part
        tensor = tensor.chunk(many, dim=-1)[which]
    if opening.heads and tensor.shape[-1] % opening.heads:
        raise SymbreakError(
            f"{tensor.shape[-1]} nodes at {opening.module} do not divide into {opening.heads} heads; "
            "give their true number."
        )
    if opening.rotated == "all":
        return tensor @ rotation(tensor.shape[-1], number).to(tensor)
    if opening.rotated == "within":
        assert opening.heads
        return tensor @ rotation_within(tensor.shape[-1], number, opening.heads).to(tensor)
    return tensor


def rotation_within(nodes: int, block: int, heads: int) -> Tensor:
    """Random orthogonal matrix that mixes the nodes of each head among themselves only.

    Values and output projection leave the basis within a head free: what is said of heads must survive this
    rotation, what is said of nodes need not.

    Examples
    --------
    >>> matrix = rotation_within(8, block=1, heads=2)
    >>> bool((matrix[:4, 4:] == 0).all()), torch.allclose(matrix @ matrix.T, torch.eye(8), atol=1e-6)
    (True, True)
    """
    size = nodes // heads
    return torch.block_diag(*(rotation(size, block * 1000 + head) for head in range(1, heads + 1)))


class Frame:
    """Images of a Swin block, which its attention sees in windows.

    Source: Liu et al., arXiv:2103.14030, section 3.2: the map is rolled by the shift, padded to whole windows
    and cut.

    Parameters
    ----------
    block : Module
        With `window_size` and `shift_size`, an int or a pair each.
    height, width : int
        Size of its map.
    """

    def __init__(self, block: Any, height: int, width: int) -> None:
        self.block, self.height, self.width = block, height, width

    def joined(self, windows: Tensor) -> Tensor:
        """(images * windows, tokens of a window, nodes) -> (images, height, width, nodes)."""
        (high, wide), (down, right) = _pair(self.block.window_size), _pair(self.block.shift_size)
        rows, columns = -(-self.height // high), -(-self.width // wide)
        nodes = windows.shape[-1]
        grid = windows.reshape(-1, rows, columns, high, wide, nodes).transpose(2, 3)
        image = grid.reshape(-1, rows * high, columns * wide, nodes)[:, : self.height, : self.width]
        return torch.roll(image, (down, right), dims=(1, 2))


def frame_of(block: Any, arguments: tuple, keywords: Mapping[str, Any]) -> Frame:
    """Frame of the images that a Swin block is called with, of timm or of transformers."""
    tensor = first_tensor(arguments) if arguments else first_tensor(tuple(keywords.values()))
    if tensor is not None and tensor.ndim == 4:
        return Frame(block, tensor.shape[1], tensor.shape[2])
    size = keywords.get("input_dimensions", arguments[1] if len(arguments) > 1 else None)
    if size is None:
        raise SymbreakError(f"{type(block).__name__} told no size of its image; it cannot be opened.")
    return Frame(block, *map(int, size))


def _pair(value: Any) -> tuple[int, int]:
    return tuple(map(int, value)) if isinstance(value, (tuple, list)) else (int(value), int(value))  # type: ignore[return-value]
