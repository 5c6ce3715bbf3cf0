"""The passes between the products of attention, each against what it says in plain torch."""

import numpy as np
import pytest
import torch

from symbreak.models.attention_weights import Dropout, heads_apart, heads_together, scores_gradient
from symbreak.models.kernels import attention, bf16

TYPES = [torch.float32, torch.float64, torch.bfloat16]


@pytest.fixture(params=[1, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def some_weights(dtype, images=5, heads=3, tokens=7):
    return torch.randn(images, heads, tokens, tokens).softmax(-1).to(dtype)


@pytest.mark.parametrize("dtype", TYPES)
def test_dropped_weights_turn_their_sign_and_are_zero_in_what_is_kept(dtype, threads):
    weights = some_weights(dtype)
    marked, kept = weights.clone(), torch.empty_like(weights)
    assert Dropout(0.3)(marked, kept, first=0) is kept
    assert torch.equal(marked.abs(), weights) and torch.equal(kept, marked.relu())
    share = (marked < 0).float().mean().item()
    assert abs(share - 0.3) < 5 * (0.3 * 0.7 / weights.numel()) ** 0.5


def test_what_is_dropped_depends_neither_on_threads_nor_on_pieces():
    """One word of random bits serves four weights, so an image of four or more starts a word of its own."""
    weights, found = some_weights(torch.float32, images=6, tokens=8), []
    for count, piece in ((1, 6), (1, 1), (1, 4), (2, 6), (3, 2)):
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        torch.manual_seed(3)
        drop, marked = Dropout(0.5), weights.clone()
        for start in range(0, 6, piece):
            part = marked[start : start + piece]
            drop(part, torch.empty_like(part), first=start)
        torch.set_num_threads(before)
        found.append(marked)
    assert (found[0] < 0).any() and all(torch.equal(found[0], other) for other in found[1:])


def test_random_words_are_those_of_splitmix64():
    """First numbers for the seed 1234567, as the generator's reference implementation prints them."""
    words = np.empty(3, np.uint64)
    attention.random_words(words, np.uint64(1234567), 0)
    assert words.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    later = np.empty(2, np.uint64)
    attention.random_words(later, np.uint64(1234567), 1)
    assert later.tolist() == words[1:].tolist()


@pytest.mark.parametrize("dtype", TYPES)
def test_gradient_of_the_scores_is_that_of_autograd(dtype, threads):
    scores = torch.randn(4, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    outer, mask = torch.randn(4, 2, 6, 6).double(), (torch.rand(4, 2, 6, 6) < 0.7).double()
    known = torch.autograd.grad(scores.softmax(-1) * mask, scores, outer)[0]
    weights = scores.detach().softmax(-1)
    marked, gradient = torch.where(mask > 0, weights, -weights).to(dtype), outer.to(dtype)
    kept = torch.empty_like(marked)
    scores_gradient(marked, gradient, kept)
    assert torch.equal(kept, marked.relu())
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-6, torch.bfloat16: 0.02}[dtype]
    torch.testing.assert_close(gradient.double(), known, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", [8, 5])
def test_heads_go_apart_and_together_again(dtype, size, threads):
    rows = torch.randn(4, 6, 3 * 2 * size).to(dtype)
    parts, back = torch.empty(3, 4, 2, 6, size, dtype=dtype), torch.empty_like(rows)
    heads_apart(rows, parts)
    assert torch.equal(parts, rows.view(4, 6, 3, 2, size).permute(2, 0, 3, 1, 4))
    heads_together(parts, back)
    assert torch.equal(back, rows)


def test_bfloat16_is_rounded_as_torch_rounds_it():
    """To the nearest and halves to even, over all sizes of numbers; what is not finite stays so."""
    words = torch.randint(-(2**31), 2**31, (200_000,), dtype=torch.int64).to(torch.int32)
    numbers = words.view(torch.float32)
    halves = (words & -65536 | 0x8000).view(torch.float32)
    special = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), 3.4e38])
    numbers = torch.cat([numbers[numbers.isfinite()], halves[halves.isfinite()], special])
    bits = np.empty(len(numbers), np.uint16)
    bf16.rounded(numbers.numpy(), bits)
    assert np.array_equal(bits, numbers.bfloat16().view(torch.int16).numpy().view(np.uint16))
    back = np.empty(len(bits), np.float32)
    bf16.widened(bits, back)
    assert np.array_equal(back, numbers.bfloat16().float().numpy())
    with np.errstate(invalid="ignore"):
        nothing = np.array([np.inf], np.float32) - np.array([np.inf], np.float32)
    bf16.rounded(nothing, bits[:1])
    bf16.widened(bits[:1], back[:1])
    assert np.isnan(back[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_gradient_that_is_not_a_number_stays_none(dtype):
    """Else a training that diverged would go on unseen."""
    weights, gradient = some_weights(dtype), torch.ones(5, 3, 7, 7, dtype=dtype)
    gradient[2, 1, 4, 3] = float("nan")
    scores_gradient(weights, gradient, torch.empty_like(weights))
    assert gradient[2, 1, 4].isnan().all() and gradient.isnan().sum() == 7
