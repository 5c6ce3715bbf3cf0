"""The residual stream where branches leave and join it; branches hold only the images that keep them.

In bfloat16 on a CPU each goes in one pass through the memory, where there is enough to do: PyTorch would go
through the stream for the norm, for the images that are kept and for their precision, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from symbreak.models.cpu.kernels import residual as kernels
from symbreak.models.cpu.passes import bits, busies_all, in_parts
from symbreak.models.cpu.processor import product_precision


@dataclass(frozen=True)
class Kept:
    """The images of a batch whose branch is computed.

    Attributes
    ----------
    rows : Tensor
        Their numbers in the batch, rising.
    images : int
        Number of images in the batch.
    gain : float
        Factor of the branch, which keeps the mean.

    Examples
    --------
    >>> Kept(torch.tensor([0, 2]), images=3, gain=1.5).places.tolist()
    [0, -1, 1]
    """

    rows: Tensor
    images: int
    gain: float

    @property
    def places(self) -> np.ndarray:
        """For each image of the batch its place in the branch, or -1 where it has none."""
        places = np.full(self.images, -1)
        places[self.rows.numpy()] = np.arange(len(self.rows))
        return places

    @property
    def all(self) -> bool:
        """Whether no image is left out."""
        return len(self.rows) == self.images

    def of(self, stream: Tensor) -> Tensor:
        """The images that are kept, of (images, tokens, dim)."""
        return stream if self.all else stream.index_select(0, self.rows)


def normed(stream: Tensor, norm: nn.LayerNorm, kept: Kept, replace: bool) -> tuple[Tensor, Tensor]:
    """Begin a branch with the LayerNorm of the stream.

    Parameters
    ----------
    stream : Tensor
        Shape (images, tokens, dim).
    norm : torch.nn.LayerNorm
        Over the nodes of a token.
    kept : Kept
        Images of the branch.
    replace : bool
        Whether the stream itself goes on normed.

    Returns
    -------
    tuple of Tensor
        The stream to go on with, and the tokens of the branch, shape (images kept, tokens, dim).

    Examples
    --------
    >>> stream, kept = torch.tensor([[[1.0, 3.0]], [[5.0, 5.0]]]), Kept(torch.tensor([0]), 2, gain=1.0)
    >>> stream, tokens = normed(stream, nn.LayerNorm(2, eps=0.0), kept, replace=False)
    >>> stream.tolist(), tokens.tolist()
    ([[[1.0, 3.0]], [[5.0, 5.0]]], [[[-1.0, 1.0]]])
    """
    rounds = stream.dtype == torch.float32 and product_precision(stream) == torch.bfloat16
    if rounds and busies_all(stream):
        return _Normed.apply(stream, norm.weight, norm.bias, norm.eps, kept, replace)
    if replace:
        stream = norm(stream)
    return stream, kept.of(stream) if replace else norm(kept.of(stream))


def joined(stream: Tensor, branch: Tensor, kept: Kept) -> Tensor:
    """End a branch: add it to the stream of its images, `kept.gain` times.

    Parameters
    ----------
    stream : Tensor
        Shape (images, tokens, dim).
    branch : Tensor
        Shape (images kept, tokens, dim).
    kept : Kept
        Images of the branch.

    Returns
    -------
    Tensor
        As `stream`.

    Examples
    --------
    >>> stream, branch = torch.zeros(2, 1, 2), torch.ones(1, 1, 2)
    >>> joined(stream, branch, Kept(torch.tensor([1]), images=2, gain=2.0)).tolist()
    [[[0.0, 0.0]], [[2.0, 2.0]]]
    """
    if branch.dtype == torch.bfloat16 and stream.dtype == torch.float32 and busies_all(stream):
        return _Joined.apply(stream, branch, kept)
    if kept.all:
        return torch.add(stream, branch, alpha=kept.gain)
    return stream.index_add(0, kept.rows, branch.to(stream.dtype), alpha=kept.gain)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()


class _Normed(torch.autograd.Function):
    """`normed` with the tokens of the branch in bfloat16."""

    @staticmethod
    def forward(
        ctx: Any, stream: Tensor, weight: Tensor, bias: Tensor, epsilon: float, kept: Kept, replace: bool
    ) -> tuple[Tensor, Tensor]:
        images, tokens, dim = stream.shape
        stream = stream.contiguous()
        goes_on = stream.new_empty(images if replace else 0, tokens, dim)
        branch = stream.new_empty(len(kept.rows), tokens, dim, dtype=torch.bfloat16)
        moments = stream.new_empty(images, tokens, 2)
        before, after, found, *vectors = (_array(x) for x in (stream, goes_on, moments, weight, bias))
        small, words, places = before.dtype.type(epsilon), bits(branch), kept.places

        def work(part: slice) -> None:
            own = places[part], small, after[part], words, found[part]
            kernels.norm(before[part], *vectors, *own)

        in_parts(work, before)
        ctx.save_for_backward(stream, moments, weight)
        ctx.kept, ctx.replace = kept, replace
        return goes_on if replace else stream, branch

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, outer: Tensor, to_branch: Tensor) -> tuple[Tensor | None, ...]:
        stream, moments, weight = ctx.saved_tensors
        result = torch.empty_like(stream)
        upstream, before, found, to_stream = (
            _array(x) for x in (outer.contiguous(), stream, moments, result)
        )
        words, factors, places = bits(to_branch.contiguous()), _array(weight), ctx.kept.places

        def work(part: slice) -> np.ndarray:
            share = np.zeros((2, stream.shape[2]), before.dtype)
            own = before[part], found[part], factors, places[part], to_stream[part]
            kernels.norm_gradient(upstream[part], words, ctx.replace, *own, *share)
            return share

        to_weight, to_bias = torch.from_numpy(sum(in_parts(work, before)))
        return result, to_weight, to_bias, None, None, None


class _Joined(torch.autograd.Function):
    """`joined` of a branch in bfloat16."""

    @staticmethod
    def forward(ctx: Any, stream: Tensor, branch: Tensor, kept: Kept) -> Tensor:
        ctx.kept, places = kept, kept.places
        sums = torch.empty_like(stream, memory_format=torch.contiguous_format)
        before, after, words = _array(stream), _array(sums), bits(branch.contiguous())
        gain = before.dtype.type(kept.gain)
        in_parts(
            lambda part: kernels.add_branch(before[part], words, places[part], gain, after[part]),
            before,
        )
        return sums

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, Tensor, None]:
        to_branch = outer.new_empty(len(ctx.kept.rows), *outer.shape[1:], dtype=torch.bfloat16)
        upstream, words, places = _array(outer.contiguous()), bits(to_branch), ctx.kept.places
        gain = upstream.dtype.type(ctx.kept.gain)
        in_parts(lambda part: kernels.take_branch(upstream[part], places[part], gain, words), upstream)
        return outer, to_branch, None
