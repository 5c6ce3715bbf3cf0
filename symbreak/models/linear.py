"""Dense layers on tokens, by whichever product of matrices is fast on the device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.models.layout import in_a_stack


class Linear(nn.Linear):
    """``torch.nn.Linear`` on tokens; in single precision on a CPU it runs as a convolution of one pixel.

    That is the same sum. Convolutions go through oneDNN, which in ``float32`` is faster than the BLAS behind
    ``torch.mm`` where docs/speed.md was measured (`python -m benchmarks.step` prints by how much).

    Examples
    --------
    >>> layer, tokens = Linear(3, 2), torch.randn(4, 5, 3)
    >>> torch.allclose(layer(tokens), tokens @ layer.weight.T + layer.bias, atol=1e-6)
    True
    """

    def forward(self, tokens: Tensor) -> Tensor:
        """(images, tokens, in) -> (images, tokens, out)."""
        if _as_convolution(tokens):
            return _Convolution.apply(tokens, self.weight, self.bias)
        return super().forward(tokens)


def _as_convolution(tokens: Tensor) -> bool:
    plain = tokens.device.type == "cpu" and tokens.ndim == 3 and tokens.dtype == torch.float32
    if not plain or torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling():
        return False
    return torch.backends.mkldnn.is_available() and not in_a_stack()


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
        to_tokens, to_weight, to_bias = ctx.needs_input_grad
        maps = _as_map(gradient), _as_map(tokens), weight[:, :, None, None]
        plain = [1, 1], [0, 0], [1, 1], False, [0, 0], 1  # stride, padding, dilation, transposed, ..., groups
        inward, outer, _ = torch.ops.aten.convolution_backward(
            *maps, None, *plain, [to_tokens, to_weight, False]
        )
        return (
            inward.squeeze(2).transpose(1, 2) if to_tokens else None,
            outer.flatten(1) if to_weight else None,
            gradient.sum((0, 1)) if to_bias else None,
        )
