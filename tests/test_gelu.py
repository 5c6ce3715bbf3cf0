"""GELU by its table, bit for bit that of PyTorch."""

import pytest
import torch
from torch.nn import functional

from symbreak.models.gelu import gelu


def every_number():
    return torch.arange(-(2**15), 2**15).to(torch.int16).view(torch.bfloat16).view(256, 256)


def test_every_number_of_bfloat16_is_as_pytorch_has_it(threads):
    numbers = every_number().requires_grad_()
    outer = torch.randn(256, 256).bfloat16()
    found, known = gelu(numbers), functional.gelu(numbers)
    ours, theirs = (torch.autograd.grad(output, numbers, outer)[0] for output in (found, known))
    torch.testing.assert_close(found, known, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_other_layouts_and_precisions_are_as_pytorch_has_them(dtype):
    numbers = torch.randn(4, 6, 5).to(dtype).transpose(0, 2).requires_grad_()
    outer = torch.randn(4, 6, 5).to(dtype).transpose(0, 2)
    found, known = gelu(numbers), functional.gelu(numbers)
    assert torch.equal(found, known)
    assert torch.equal(*(torch.autograd.grad(output, numbers, outer)[0] for output in (found, known)))
