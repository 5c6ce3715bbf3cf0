"""Scaled dot-product attention of all heads, by whichever way is fast on the device.

Mostly that is PyTorch's fused operation. On a CPU it is not where weights are dropped (it then forms the
scores of the whole batch, which fit into no cache) nor in bfloat16 (its backward pass is several times slower
than plain products). There the same mathematics goes through the batch in pieces that stay in the cache.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from symbreak.models.attention_weights import (
    DroppingSoftmax,
    heads_apart,
    heads_together,
    scores_gradient,
)
from symbreak.models.layout import in_a_stack

#: Bytes of the scores of one piece: what a core's cache keeps, and more where a call costs more.
PIECE = {torch.float32: 2**20, torch.bfloat16: 2**21}


def attend(qkv: Tensor, heads: int, dropout: float = 0.0) -> Tensor:
    r"""Attention of every head, ``softmax(q k^T / sqrt(d)) v``, heads side by side.

    Source: Vaswani et al., arXiv:1706.03762, eq. 1.

    Parameters
    ----------
    qkv : Tensor
        Queries, keys and values side by side, shape (images, tokens, 3 * dim).
    heads : int
        Number of heads; head h has nodes h * d ... (h + 1) * d - 1 of each of the three.
    dropout : float
        Probability that an attention weight is left out.

    Returns
    -------
    Tensor
        Shape (images, tokens, dim).

    Examples
    --------
    >>> qkv = torch.tensor([[[0.0, 0.0, 0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0, 1.0, 4.0]]])
    >>> attend(qkv, heads=2).tolist()  # equal weights: the mean of the values
    [[[1.0, 3.0], [1.0, 3.0]]]
    """
    by_piece = (
        qkv.device.type == "cpu" and qkv.dtype in PIECE and (dropout > 0 or qkv.dtype == torch.bfloat16)
    )
    if by_piece and len(qkv) and not torch.compiler.is_compiling() and not in_a_stack():
        return _ByPiece.apply(qkv, heads, dropout)
    query, key, value = qkv.unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    attention = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
    return attention.transpose(1, 2).flatten(2)


def _pieces(images: int, heads: int, tokens: int, dtype: torch.dtype) -> list[slice]:
    """Rows of images whose scores fit into `PIECE` for each thread."""
    bytes_of_an_image = heads * tokens**2 * dtype.itemsize
    count = max(1, PIECE[dtype] * torch.get_num_threads() // bytes_of_an_image)
    return [slice(start, min(start + count, images)) for start in range(0, images, count)]


def _multiply(left: Tensor, right: Tensor, scale: float, result: Tensor) -> None:
    """Fill `result` with `scale` * `left` @ `right` of all images and heads of a piece."""
    flat = result.flatten(0, 1)
    torch.baddbmm(flat, left.flatten(0, 1), right.flatten(0, 1), beta=0, alpha=scale, out=flat)


class _ByPiece(torch.autograd.Function):
    """Attention through a batch in pieces, forward and backward."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, heads: int, dropout: float) -> Tensor:
        images, tokens, width = qkv.shape
        size, softmax = width // (3 * heads), DroppingSoftmax(dropout)
        pieces, keep = _pieces(images, heads, tokens, qkv.dtype), ctx.needs_input_grad[0]
        piece = pieces[0].stop
        weights = qkv.new_empty(images if keep else piece, heads, tokens, tokens)
        scores = weights.new_empty(piece, *weights.shape[1:])
        parts, output = (qkv.new_empty(count, piece, heads, tokens, size) for count in (3, 1))
        attention = qkv.new_empty(images, tokens, heads * size)
        ctx.gain, ctx.scale = softmax.gain, size**-0.5
        with torch.autocast("cpu", enabled=False):
            for rows in pieces:
                here = slice(0, rows.stop - rows.start)
                own = weights[rows if keep else here]
                heads_apart(qkv[rows], parts[:, here])
                query, key, value = parts[:, here]
                _multiply(query, key.transpose(2, 3), ctx.scale, scores[here])
                softmax(scores[here], own, rows.start)
                _multiply(scores[here], value, ctx.gain, output[0, here])
                heads_together(output[:, here], attention[rows])
        ctx.save_for_backward(qkv, weights, attention)
        return attention

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        qkv, weights, attention = ctx.saved_tensors
        images, heads, tokens, _ = weights.shape
        size = qkv.shape[2] // (3 * heads)
        pieces = _pieces(images, heads, tokens, qkv.dtype)
        piece = pieces[0].stop
        scratch = weights.new_empty(2, piece, heads, tokens, tokens)
        parts, to_parts, outer = (qkv.new_empty(count, piece, heads, tokens, size) for count in (3, 3, 1))
        result, gradient = torch.empty_like(qkv), gradient.contiguous()
        for rows in pieces:
            here = slice(0, rows.stop - rows.start)
            heads_apart(qkv[rows], parts[:, here])
            query, key, value = parts[:, here]
            to_query, to_key, to_value = to_parts[:, here]
            to_scores, kept = scratch[:, here]
            heads_apart(gradient[rows], outer[:, here])
            _multiply(outer[0, here], value.transpose(2, 3), ctx.gain, to_scores)
            scores_gradient(weights[rows], to_scores, kept, gradient[rows], attention[rows])
            _multiply(kept.transpose(2, 3), outer[0, here], ctx.gain, to_value)
            _multiply(to_scores, key, ctx.scale, to_query)
            _multiply(to_scores.transpose(2, 3), query, ctx.scale, to_key)
            heads_together(to_parts[:, here], result[rows])
        return result, None, None
