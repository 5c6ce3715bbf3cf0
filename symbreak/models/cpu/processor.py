"""What the processor can do, and how operations on a tensor run on it."""

import functools
from pathlib import Path

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


@functools.cache
def has_bf16() -> bool:
    """Whether this processor says that it multiplies bfloat16; only Linux tells."""
    flags = f"{cpuinfo('flags')} {cpuinfo('Features')}".split()
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", "bf16"))


def cpuinfo(field: str) -> str:
    """A field of the first processor as Linux lists it, empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(field)), "")
