"""Dense layers that run as convolutions: the same sums and gradients as products of matrices."""

import pytest
import torch

from symbreak.models.cpu.linear import Linear, _as_convolution
from symbreak.models.cpu.processor import has_bf16


def pair(bias, seed=0):
    """Our layer and torch's with the same weights."""
    torch.manual_seed(seed)
    ours, plain = Linear(6, 10, bias=bias), torch.nn.Linear(6, 10, bias=bias)
    plain.load_state_dict(ours.state_dict())
    return ours, plain


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3, 5, 6), (1, 1, 6), (2, 1, 6), (1, 7, 6), (0, 4, 6)])
def test_the_same_as_a_product_of_matrices(bias, shape):
    ours, plain = pair(bias)
    tokens, outer = torch.randn(shape, requires_grad=True), torch.randn(*shape[:2], 10)
    found, expected = ours(tokens), plain(tokens)
    assert found.is_contiguous()
    torch.testing.assert_close(found, expected)
    gradients = [
        torch.autograd.grad(output, [tokens, *layer.parameters()], outer)
        for output, layer in ((found, ours), (expected, plain))
    ]
    for own, known in zip(*gradients, strict=True):
        torch.testing.assert_close(own, known)


def test_what_needs_no_gradient_gets_none():
    ours, plain = pair(bias=True)
    ours.weight.requires_grad_(False)
    tokens = torch.randn(2, 3, 6)
    ours(tokens).sum().backward()
    plain(tokens).sum().backward()
    assert ours.weight.grad is None and torch.allclose(ours.bias.grad, plain.bias.grad)


def test_a_layout_that_is_not_in_order_gives_the_same():
    ours, plain = pair(bias=True)
    tokens = torch.randn(6, 5, 3).permute(2, 1, 0)
    torch.testing.assert_close(ours(tokens), plain(tokens))
    outer = torch.randn(10, 5, 3).permute(2, 1, 0)
    found, known = (torch.autograd.grad(layer(tokens), layer.weight, outer)[0] for layer in (ours, plain))
    torch.testing.assert_close(found, known)


@pytest.mark.skipif(not has_bf16(), reason="no bfloat16 on this processor")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3, 5, 6), (1, 1, 6), (2, 1, 6), (0, 4, 6)])
def test_in_bfloat16_the_same_up_to_its_rounding(bias, shape):
    ours, plain = pair(bias)
    tokens, outer = torch.randn(shape, requires_grad=True), torch.randn(*shape[:2], 10)
    with torch.autocast("cpu", torch.bfloat16):
        found = ours(tokens)
    expected = plain(tokens)
    assert found.dtype == torch.bfloat16 and found.is_contiguous()
    torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.02)
    own = torch.autograd.grad(found, [tokens, *ours.parameters()], outer.bfloat16())
    for mine, known in zip(own, torch.autograd.grad(expected, [tokens, *plain.parameters()], outer)):
        assert mine.dtype == torch.float32
        torch.testing.assert_close(mine, known, rtol=0.03, atol=0.06)


@pytest.mark.skipif(not has_bf16(), reason="no bfloat16 on this processor")
@pytest.mark.parametrize("widths", [(6, 10), (10, 6)])
def test_gradients_in_bfloat16_are_those_of_pytorch_whichever_side_is_wider(widths):
    ours, plain = Linear(*widths), torch.nn.Linear(*widths)
    plain.load_state_dict(ours.state_dict())
    tokens, outer, found = torch.randn(3, 5, widths[0]), torch.randn(3, 5, widths[1]).bfloat16(), []
    for layer in (ours, plain):
        inputs = tokens.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            output = layer(inputs)
        found.append(torch.autograd.grad(output, [inputs, *layer.parameters()], outer))
    for own, known in zip(*found):
        torch.testing.assert_close(own, known, rtol=0.01, atol=0.01)


def test_other_precisions_and_ways_of_running_keep_to_products():
    tokens = torch.randn(2, 3, 6)
    assert _as_convolution(tokens, torch.float32)
    assert not _as_convolution(tokens, torch.float64) and not _as_convolution(tokens[0], torch.float32)
    with torch.autocast("cpu", torch.float16):
        assert Linear(6, 2)(tokens).dtype == torch.float16
