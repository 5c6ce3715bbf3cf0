"""Scaled dot-product attention of all heads, by whichever way is fast on the device.

Mostly that is PyTorch's fused operation. On a CPU it is not where weights are dropped (it then forms the
scores of the whole batch, which fit into no cache) nor in bfloat16 (its backward pass is several times slower
than plain products). There the same mathematics goes through the batch in pieces that stay in the cache.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from symbreak.models.cct import attention
from symbreak.models.cpu.attention_heads import HeadsApart
from symbreak.models.cpu.attention_weights import DroppingSoftmax, scores_gradient
from symbreak.models.cpu.passes import bits
from symbreak.models.cpu.processor import one_by_one_on_a_cpu

#: Bytes of the scores of one piece: what a core's cache keeps, and more where a call costs more.
PIECE = {torch.float32: 2**20, torch.bfloat16: 2**21}


def attend(qkv: Tensor, heads: int, dropout: float = 0.0) -> Tensor:
    """The same as `symbreak.models.cct.attention`, through the batch in pieces where that is faster.

    Examples
    --------
    >>> qkv = torch.tensor([[[0.0, 0.0, 0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0, 1.0, 4.0]]])
    >>> attend(qkv.bfloat16(), heads=2).tolist()  # equal weights: the mean of the values
    [[[1.0, 3.0], [1.0, 3.0]]]
    """
    gains = qkv.dtype in PIECE and (dropout > 0 or qkv.dtype == torch.bfloat16)
    if gains and len(qkv) and one_by_one_on_a_cpu(qkv):
        return _ByPiece.apply(qkv, heads, dropout)
    return attention(qkv, heads, dropout)


def _pieces(images: int, heads: int, tokens: int, dtype: torch.dtype) -> list[tuple[slice, slice, slice]]:
    """Pieces whose scores fit into `PIECE` for each thread: images, their heads, and these from 0 on."""
    bytes_of_an_image = heads * tokens**2 * dtype.itemsize
    count = max(1, PIECE[dtype] * torch.get_num_threads() // bytes_of_an_image)
    edges = [*range(0, images, count), images]
    return [
        (slice(start, stop), slice(start * heads, stop * heads), slice((stop - start) * heads))
        for start, stop in pairwise(edges)
    ]


def _multiply(left: Tensor, right: Tensor, scale: float, result: Tensor) -> None:
    """Fill `result` with `scale` * `left` @ `right` of all images and heads of a piece."""
    torch.baddbmm(result, left, right, beta=0, alpha=scale, out=result)


class _ByPiece(torch.autograd.Function):
    """Attention through a batch in pieces, forward and backward; the heads of all images are one axis."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, heads: int, dropout: float) -> Tensor:
        qkv, (images, tokens, width) = qkv.contiguous(), qkv.shape
        pieces, softmax = _pieces(images, heads, tokens, qkv.dtype), DroppingSoftmax(dropout)
        piece, keep = pieces[0][0].stop, ctx.needs_input_grad[0]
        result = qkv.new_empty(images, tokens, width // 3)
        weights = qkv.new_empty((images if keep else piece) * heads, tokens, tokens)
        scores = qkv.new_empty(piece * heads, tokens, tokens)
        inputs, outputs = HeadsApart(qkv, 3, heads, piece), HeadsApart(result, 1, heads, piece)
        weight_bits, score_bits = bits(weights), bits(scores)
        ctx.gain, ctx.scale, ctx.heads = softmax.gain, (width // (3 * heads)) ** -0.5, heads
        with torch.autocast("cpu", enabled=False):
            for rows, own, here in pieces:
                query, key, value = inputs.take(rows)
                _multiply(query, key.transpose(1, 2), ctx.scale, scores[here])
                softmax(score_bits[here], weight_bits[own if keep else here], own.start)
                _multiply(scores[here], value, ctx.gain, outputs.parts[0, here])
                outputs.put(rows)
        ctx.save_for_backward(qkv, weights)
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        qkv, weights = ctx.saved_tensors
        (images, tokens, _), heads = qkv.shape, ctx.heads
        pieces = _pieces(images, heads, tokens, qkv.dtype)
        piece, result, gradient = pieces[0][0].stop, torch.empty_like(qkv), gradient.contiguous()
        to_scores, kept = weights.new_empty(2, piece * heads, tokens, tokens)
        inputs, outers, results = (
            HeadsApart(tensor, count, heads, piece)
            for tensor, count in ((qkv, 3), (gradient, 1), (result, 3))
        )
        weight_bits, score_bits, kept_bits = bits(weights), bits(to_scores), bits(kept)
        for rows, own, here in pieces:
            (query, key, value), (outer,) = inputs.take(rows), outers.take(rows)
            to_query, to_key, to_value = results.parts[:, here]
            _multiply(outer, value.transpose(1, 2), ctx.gain, to_scores[here])
            scores_gradient(weight_bits[own], score_bits[here], kept_bits[here])
            _multiply(kept[here].transpose(1, 2), outer, ctx.gain, to_value)
            _multiply(to_scores[here], key, ctx.scale, to_query)
            _multiply(to_scores[here].transpose(1, 2), query, ctx.scale, to_key)
            results.put(rows)
        return result, None, None
