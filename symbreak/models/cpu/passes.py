"""Tensors as compiled kernels take them, and their parts for the threads of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from symbreak.numerics.threads import spread

Result = TypeVar("Result")

#: Numbers for which waking another thread is worth its time.
SHARE = 2**20

#: Integers of the size of a number, by which its bits are read.
_BITS = {torch.bfloat16: (torch.int16, np.uint16), torch.float32: (torch.int32, np.uint32)}


def bits(tensor: Tensor) -> np.ndarray:
    """Bits of bfloat16 or float32 as unsigned integers in the same memory.

    Examples
    --------
    >>> [hex(word) for word in bits(torch.tensor([1.0, -2.0], dtype=torch.bfloat16))]
    ['0x3f80', '0xc000']
    """
    tensor = tensor.detach() if tensor.requires_grad else tensor
    signed, unsigned = _BITS[tensor.dtype]
    return tensor.view(signed).numpy().view(unsigned)


def busies_all(tensor: Tensor) -> bool:
    """Whether a pass through the tensor has enough to do for each thread of torch.

    Examples
    --------
    >>> busies_all(torch.empty(torch.get_num_threads(), SHARE))
    True
    """
    threads = torch.get_num_threads()
    return threads == 1 or tensor.numel() >= threads * SHARE


def in_parts(work: Callable[[slice], Result], rows: np.ndarray) -> list[Result]:
    """Do work that goes once through `rows`: a slice for each thread of torch, results in their order.

    Fewer threads take part where there is little to do for each.

    Examples
    --------
    >>> rows = np.zeros((5, 2), np.float32)
    >>> in_parts(lambda part: len(rows[part]), rows)
    [5]
    """
    threads = max(1, min(torch.get_num_threads(), rows.size // SHARE))
    size = max(1, -(-len(rows) // threads))
    parts = [slice(start, min(start + size, len(rows))) for start in range(0, len(rows), size)]
    return spread(work, parts, threads)
