"""Attention in pieces: against explicit softmax, with and without dropped weights, and its gradient."""

import pytest
import torch

from symbreak.models.cpu import attention
from symbreak.models.cpu.attention import attend

HEADS, SIZE = 3, 8


def tokens(images=5, count=16, seed=0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(images, count, 3 * HEADS * SIZE, generator=generator)).requires_grad_()


def explicit(qkv, mask=None):
    """Softmax written out; `mask` (images, heads, tokens, tokens) multiplies the weights."""
    images, count, _ = qkv.shape
    query, key, value = qkv.view(images, count, 3, HEADS, SIZE).permute(2, 0, 3, 1, 4)
    scores = torch.einsum("nhqd,nhkd->nhqk", query, key) / SIZE**0.5
    weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
    weights = weights if mask is None else weights * mask
    return torch.einsum("nhqk,nhkd->nqhd", weights, value).flatten(2)


def kept_weights(qkv, dropout, seed):
    """Whether each weight was kept: the value of token t is the t-th unit vector, so it comes out itself."""
    images, count, _ = qkv.shape
    assert count == SIZE
    unit = qkv.detach().clone().view(images, count, 3, HEADS, SIZE)
    unit[:, :, 2] = torch.eye(SIZE)[:, None]
    torch.manual_seed(seed)
    found = attend(unit.flatten(2), HEADS, dropout).view(images, count, HEADS, SIZE).transpose(1, 2)
    return (found > 0).float()


@pytest.mark.parametrize("piece", [1, 2**13, 2**20])
def test_pieces_equal_explicit_softmax_and_its_gradient(piece, monkeypatch):
    """One image in a piece, some, and all; the number of images need not be a multiple."""
    monkeypatch.setitem(attention.PIECE, torch.float32, piece)
    qkv, outer = tokens(), torch.randn(5, 16, HEADS * SIZE)
    expected = explicit(qkv)
    fused = attend(qkv, HEADS)
    ours = attention._ByPiece.apply(qkv, HEADS, 0.0)
    gradients = [torch.autograd.grad(found, qkv, outer)[0] for found in (expected, ours, fused)]
    for found, gradient in ((ours, gradients[1]), (fused, gradients[2])):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(gradient, gradients[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("piece", [1, 2**20])
def test_dropped_weights_are_the_same_forward_and_backward(piece, monkeypatch):
    monkeypatch.setitem(attention.PIECE, torch.float32, piece)
    dropout, qkv = 0.25, tokens(count=SIZE, seed=3)
    mask = kept_weights(qkv, dropout, seed=7) / (1 - dropout)
    torch.manual_seed(7)
    ours, outer = attend(qkv, HEADS, dropout), torch.randn(5, SIZE, HEADS * SIZE)
    expected = explicit(qkv, mask)
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)
    found, known = (torch.autograd.grad(output, qkv, outer)[0] for output in (ours, expected))
    torch.testing.assert_close(found, known, atol=1e-5, rtol=1e-5)


def test_each_weight_is_dropped_with_the_given_probability_and_the_mean_stays():
    qkv, dropout, n = tokens(images=400, count=SIZE, scale=0.1), 0.1, 400 * HEADS * SIZE**2
    dropped = 1 - kept_weights(qkv, dropout, seed=1)
    assert abs(dropped.mean() - dropout) < 5 * (dropout * (1 - dropout) / n) ** 0.5
    by_place = dropped.mean(0).flatten()  # 192 places, 400 images each
    assert (by_place - dropout).abs().max() < 5 * (dropout * (1 - dropout) / 400) ** 0.5
    neighbours = torch.corrcoef(torch.stack([dropped.flatten()[:-1], dropped.flatten()[1:]]))[0, 1]
    assert abs(neighbours) < 5 / n**0.5
    means = torch.stack([attend(qkv[:4], HEADS, dropout).detach() for _ in range(400)])
    error = means.std(0) / 400**0.5
    assert ((means.mean(0) - explicit(qkv[:4])).abs() < 5 * error).all()


def test_same_seed_same_dropout_other_seed_other():
    qkv = tokens()
    outputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(attend(qkv, HEADS, 0.5))
    assert torch.equal(outputs[0], outputs[1]) and not torch.equal(outputs[0], outputs[2])


def test_bf16_agrees_with_fp32():
    qkv, outer = tokens(), torch.randn(5, 16, HEADS * SIZE)
    low = attend(qkv.bfloat16(), HEADS)
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), attend(qkv, HEADS), atol=0.03, rtol=0.03)
    found, known = (torch.autograd.grad((x.float() * outer).sum(), qkv)[0] for x in (low, attend(qkv, HEADS)))
    torch.testing.assert_close(found, known, atol=0.05, rtol=0.05)


def test_everything_dropped_is_zero_not_nan():
    qkv = tokens()
    output = attend(qkv, HEADS, 1.0)
    assert torch.equal(output, torch.zeros_like(output))
    assert torch.autograd.grad(output.sum(), qkv)[0].abs().max() == 0
