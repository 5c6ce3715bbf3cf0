"""Heads of attention by themselves, as products of matrices are fastest, and side by side in their tokens."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from symbreak.models.cpu.kernels import attention as kernels
from symbreak.models.cpu.passes import bits, in_parts


class HeadsApart:
    """Room for the heads of some images of a batch, filled from its tokens or emptied into them.

    Parameters
    ----------
    tokens : Tensor
        Of the whole batch, contiguous, shape (images, tokens, count * heads * size).
    count : int
        How many nodes there are of each place in a head: 3 for query, key and value.
    heads : int
        Number of heads.
    images : int
        Room for so many.

    Attributes
    ----------
    parts : Tensor
        Shape (count, images * heads, tokens, size).

    Examples
    --------
    >>> import torch
    >>> tokens = torch.arange(8.0).view(1, 2, 4)
    >>> apart = HeadsApart(tokens, count=1, heads=2, images=1)
    >>> apart.take(slice(0, 1)).tolist()
    [[[[0.0, 1.0], [4.0, 5.0]], [[2.0, 3.0], [6.0, 7.0]]]]
    >>> _ = apart.parts.neg_()
    >>> apart.put(slice(0, 1))
    >>> tokens.tolist()
    [[[-0.0, -1.0, -2.0, -3.0], [-4.0, -5.0, -6.0, -7.0]]]
    """

    def __init__(self, tokens: Tensor, count: int, heads: int, images: int) -> None:
        batch, length, width = tokens.shape
        size = width // (count * heads)
        self.heads = heads
        self.parts = tokens.new_empty(count, images * heads, length, size)
        # Both as (images, tokens, count, heads, words), in the same memory.
        self._together = _words(tokens.view(batch, length, count, heads, size))
        self._apart = _words(self.parts.view(count, images, heads, length, size)).transpose(1, 3, 0, 2, 4)

    def take(self, rows: slice) -> Tensor:
        """Fill `parts` from images of the batch; return what was filled."""
        images = rows.stop - rows.start
        _copy(self._together[rows], self._apart[:images])
        return self.parts[:, : images * self.heads]

    def put(self, rows: slice) -> None:
        """Fill images of the batch from `parts`."""
        _copy(self._apart[: rows.stop - rows.start], self._together[rows])


def _words(tensor: Tensor) -> np.ndarray:
    """Bits, of several numbers together where they fill long words."""
    array = bits(tensor)
    return array.view(np.uint64) if array.shape[-1] * array.itemsize % 8 == 0 else array


def _copy(source: np.ndarray, target: np.ndarray) -> None:
    in_parts(lambda part: kernels.copy_tokens(source[part], target[part]), source)
