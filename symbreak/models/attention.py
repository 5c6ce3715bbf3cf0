"""Scaled dot-product attention of all heads, by whichever way is fast on the device.

Mostly that is PyTorch's fused operation. On a CPU it is not where weights are dropped (it then forms the
scores of the whole batch, which fit into no cache) nor in bfloat16 (its backward pass is several times slower
than plain products). There the same mathematics goes through the batch in pieces that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from symbreak.models.layout import in_a_stack

#: Bytes of the scores of one piece, about what a core's cache keeps.
PIECE = 2**20
#: Dropout draws 15 random bits for each weight.
_STEPS = 2**15


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
    by_piece = qkv.device.type == "cpu" and (dropout > 0 or qkv.dtype == torch.bfloat16)
    if by_piece and not torch.compiler.is_compiling() and not in_a_stack():
        return _ByPiece.apply(qkv, heads, dropout)
    query, key, value = _split(qkv, heads)
    attention = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
    return attention.transpose(1, 2).flatten(2)


def _split(qkv: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value, (images, heads, tokens, head size) each."""
    images, tokens, width = qkv.shape
    query, key, value = qkv.view(images, tokens, 3, heads, width // (3 * heads)).permute(2, 0, 3, 1, 4)
    return query, key, value


def _pieces(qkv: Tensor, heads: int) -> Iterator[slice]:
    """Rows of images whose scores fit into `PIECE`."""
    images, tokens, _ = qkv.shape
    count = max(1, PIECE // (heads * tokens**2 * qkv.element_size()))
    return (slice(start, start + count) for start in range(0, images, count))


def _negate_dropped(weights: Tensor, threshold: int) -> Tensor:
    """Turn the sign of dropped weights: one tensor holds the weights (its modulus) and which were kept."""
    words = torch.empty(-(-weights.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
    bits = words.view(torch.int16)[: weights.numel()].bitwise_and_(_STEPS - 1).sub_(threshold)
    return torch.copysign(weights, bits.view(weights.shape).to(weights.dtype))


class _ByPiece(torch.autograd.Function):
    """Attention through a batch in pieces, forward and backward."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, heads: int, dropout: float) -> Tensor:
        query, key, value = _split(qkv, heads)
        threshold = round(dropout * _STEPS)
        ctx.heads, ctx.threshold, ctx.gain = heads, threshold, _STEPS / max(_STEPS - threshold, 1)
        attention = qkv.new_empty(*qkv.shape[:2], heads, query.shape[-1])
        kept = []
        with torch.autocast("cpu", enabled=False):
            for rows in _pieces(qkv, heads):
                scaled = query[rows].contiguous() * query.shape[-1] ** -0.5
                weights = (scaled @ key[rows].contiguous().transpose(2, 3)).softmax(-1)
                if threshold:
                    weights = _negate_dropped(weights, threshold)
                if ctx.needs_input_grad[0]:
                    kept.append(weights)
                weights = weights.relu() if threshold else weights
                piece = weights @ (value[rows].contiguous() * ctx.gain)
                attention[rows] = piece.transpose(1, 2)
        ctx.save_for_backward(qkv, *kept)
        return attention.flatten(2)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        qkv, *kept = ctx.saved_tensors
        query, key, value = _split(qkv, ctx.heads)
        result = torch.empty_like(qkv)
        to_query, to_key, to_value = _split(result, ctx.heads)
        gradient = gradient.unflatten(2, (ctx.heads, -1)).transpose(1, 2)
        scale = query.shape[-1] ** -0.5
        for rows, weights in zip(_pieces(qkv, ctx.heads), kept):
            outer = gradient[rows].contiguous() * ctx.gain
            to_weights = outer @ value[rows].contiguous().transpose(2, 3)
            to_value[rows] = (weights.relu() if ctx.threshold else weights).transpose(2, 3) @ outer
            if ctx.threshold:
                to_weights = torch.ops.aten.threshold_backward(to_weights, weights, 0)
                weights = weights.abs()
            to_scores = torch.ops.aten._softmax_backward_data(to_weights, weights, -1, weights.dtype)
            to_query[rows] = (to_scores @ key[rows].contiguous()).mul_(scale)
            to_key[rows] = to_scores.transpose(2, 3) @ query[rows].contiguous().mul(scale)
        return result, None, None
