"""The activation GELU, in bfloat16 on a CPU by its table."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from symbreak.models.cpu.kernels import table as kernels
from symbreak.models.cpu.layout import one_by_one_on_a_cpu
from symbreak.models.cpu.passes import bits, in_parts


def gelu(preactivation: Tensor) -> Tensor:
    r""":math:`x \Phi(x)` with the distribution function of a normal variable.

    Source: Hendrycks and Gimpel, arXiv:1606.08415. In bfloat16 on a CPU it is read from a table of all 65536
    numbers, bit for bit as PyTorch computes it and faster (`python -m benchmarks.step` prints by how much).

    Parameters
    ----------
    preactivation : Tensor
        Any shape of at least one axis.

    Returns
    -------
    Tensor
        As `preactivation`.

    Examples
    --------
    >>> gelu(torch.tensor([-10.0, 0.0, 10.0], dtype=torch.bfloat16)).tolist()
    [-0.0, 0.0, 10.0]
    """
    if preactivation.dtype == torch.bfloat16 and one_by_one_on_a_cpu(preactivation):
        return _ByTable.apply(preactivation)
    return functional.gelu(preactivation)


@lru_cache(1)
def _values_and_slopes() -> tuple[np.ndarray, np.ndarray]:
    """The function's values (bits) and its slopes (numbers) at all bfloat16, by their bits."""
    every = torch.arange(-(2**15), 2**15).to(torch.int16).roll(2**15).view(torch.bfloat16)
    slopes = torch.ops.aten.gelu_backward(torch.ones(len(every)), every.float())
    return bits(functional.gelu(every)), slopes.numpy()


class _ByTable(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, preactivation: Tensor) -> Tensor:
        preactivation = preactivation.contiguous()
        ctx.save_for_backward(preactivation)
        result = torch.empty_like(preactivation)
        arguments, values = _rows(preactivation), _rows(result)
        table, _ = _values_and_slopes()
        in_parts(lambda part: kernels.look_up(table, arguments[part], values[part]), arguments)
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (preactivation,) = ctx.saved_tensors
        result = torch.empty_like(preactivation)
        arguments, factors, products = (_rows(x) for x in (preactivation, gradient.contiguous(), result))
        _, table = _values_and_slopes()

        def work(part: slice) -> None:
            kernels.look_up_times(table, arguments[part], factors[part], products[part])

        in_parts(work, arguments)
        return result


def _rows(tensor: Tensor) -> np.ndarray:
    return bits(tensor).reshape(-1, tensor.shape[-1])
