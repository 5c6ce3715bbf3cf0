"""Dense layers on tokens, by whichever product of matrices is fast on the device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.models.cpu.processor import has_bf16, one_by_one_on_a_cpu, product_precision


class Linear(nn.Linear):
    """``torch.nn.Linear`` on tokens; in single precision and in bfloat16 on a CPU it runs through oneDNN.

    Forward it is a convolution of one pixel: the same sum, which in ``float32`` is faster than the BLAS
    of ``torch.mm`` and in bfloat16 adds the bias in the same pass. Backward it is one in ``float32``
    only. `python -m benchmarks.step` prints by how much it is faster than ``torch.nn.Linear``.

    Examples
    --------
    >>> layer, tokens = Linear(3, 2), torch.randn(4, 5, 3)
    >>> torch.allclose(layer(tokens), tokens @ layer.weight.T + layer.bias, atol=1e-6)
    True
    """

    def forward(self, tokens: Tensor) -> Tensor:
        """(images, tokens, in) -> (images, tokens, out)."""
        precision = product_precision(tokens)
        if not _as_convolution(tokens, precision):
            return super().forward(tokens)
        with torch.autocast("cpu", enabled=False):
            bias = None if self.bias is None else self.bias.to(precision)
            return _Convolution.apply(tokens.to(precision), self.weight.to(precision), bias)


def _as_convolution(tokens: Tensor, precision: torch.dtype) -> bool:
    if tokens.ndim != 3 or not one_by_one_on_a_cpu(tokens):
        return False
    if precision == torch.bfloat16:
        return has_bf16()
    return precision == torch.float32 and torch.backends.mkldnn.is_available()


def _as_map(tokens: Tensor) -> Tensor:
    """(images, tokens, nodes) as an image one pixel high, (images, nodes, 1, tokens), in the same memory."""
    return tokens.transpose(1, 2).unsqueeze(2)


class _Convolution(torch.autograd.Function):
    """The sum over nodes as a convolution; the gradient of the bias apart, which oneDNN is slow at."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(tokens, weight)
        result = functional.conv2d(_as_map(tokens), weight[:, :, None, None], bias)
        return result.squeeze(2).transpose(1, 2)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        tokens, weight = ctx.saved_tensors
        backward = _as_products if gradient.dtype == torch.bfloat16 else _as_convolutions
        # The bias first: the gradient is still in the cache.
        to_bias = gradient.sum((0, 1)) if ctx.needs_input_grad[2] else None
        return *backward(gradient, tokens, weight, ctx.needs_input_grad), to_bias


def _as_convolutions(
    gradient: Tensor, tokens: Tensor, weight: Tensor, needed: tuple[bool, ...]
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of tokens and weight."""
    maps = _as_map(gradient), _as_map(tokens), weight[:, :, None, None]
    plain = [1, 1], [0, 0], [1, 1], False, [0, 0], 1  # stride, padding, dilation, transposed, ..., groups
    asked = [needed[0], needed[1], False]
    inward, outer, _ = torch.ops.aten.convolution_backward(*maps, None, *plain, asked)
    return (
        inward.squeeze(2).transpose(1, 2) if needed[0] else None,
        outer.flatten(1) if needed[1] else None,
    )


def _as_products(
    gradient: Tensor, tokens: Tensor, weight: Tensor, needed: tuple[bool, ...]
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of tokens and weight; the wider side of the weight comes last, where products are faster."""
    rows, columns = gradient.flatten(0, 1), tokens.flatten(0, 1)
    inward = (rows @ weight).view(tokens.shape) if needed[0] else None
    if not needed[1]:
        return inward, None
    wide = weight.shape[0] > weight.shape[1]
    return inward, (columns.t() @ rows).t() if wide else rows.t() @ columns
