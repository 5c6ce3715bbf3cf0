"""Dense layers that run as convolutions: the same sums and gradients as products of matrices."""

import pytest
import torch

from symbreak.models.linear import Linear, _as_convolution


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


def test_only_single_precision_on_a_cpu_runs_as_a_convolution():
    tokens = torch.randn(2, 3, 6)
    assert _as_convolution(tokens)
    assert not _as_convolution(tokens.double()) and not _as_convolution(tokens[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert not _as_convolution(tokens)
        assert Linear(6, 2)(tokens).dtype == torch.bfloat16
    assert torch.func.vmap(lambda x: torch.tensor(float(_as_convolution(x))))(tokens[None]).item() == 0
