"""GELU by its table: the exact function rounded once, and PyTorch's up to the rounding of its processor."""

import pytest
import torch
from torch.nn import functional

from symbreak.models.cpu.gelu import gelu


def every_number():
    return torch.arange(-(2**15), 2**15).to(torch.int16).view(torch.bfloat16).view(256, 256)


#: Two roundings to the 8 bits of bfloat16: PyTorch's own last bit depends on the processor.
ROUNDING = {"rtol": 2**-7, "atol": 1e-30, "equal_nan": True}


def test_every_number_of_bfloat16_is_as_pytorch_has_it(threads):
    numbers = every_number().requires_grad_()
    outer = torch.randn(256, 256).bfloat16()
    found, known = gelu(numbers), functional.gelu(numbers)
    ours, theirs = (torch.autograd.grad(output, numbers, outer)[0] for output in (found, known))
    torch.testing.assert_close(found, known, **ROUNDING)
    torch.testing.assert_close(ours, theirs, **ROUNDING)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_other_layouts_and_precisions_are_as_pytorch_has_them(dtype):
    numbers = torch.randn(4, 6, 5).to(dtype).transpose(0, 2).requires_grad_()
    outer = torch.randn(4, 6, 5).to(dtype).transpose(0, 2)
    found, known = gelu(numbers), functional.gelu(numbers)
    torch.testing.assert_close(found, known, **ROUNDING)
    ours, theirs = (torch.autograd.grad(output, numbers, outer)[0] for output in (found, known))
    torch.testing.assert_close(ours, theirs, **ROUNDING)
