"""How operations on a tensor run: one by one on a CPU, and in which precision."""

import torch
from torch import Tensor


def one_by_one_on_a_cpu(tensor: Tensor) -> bool:
    """Whether a CPU runs operations one by one: they may be kernels.

    Examples
    --------
    >>> one_by_one_on_a_cpu(torch.zeros(2))
    True
    """
    return tensor.device.type == "cpu" and not torch.compiler.is_compiling()


def product_precision(tensor: Tensor) -> torch.dtype:
    """Precision of products of matrices with this tensor, which autocasting may lower.

    Examples
    --------
    >>> with torch.autocast("cpu", torch.bfloat16):
    ...     product_precision(torch.zeros(2))
    torch.bfloat16
    """
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype
