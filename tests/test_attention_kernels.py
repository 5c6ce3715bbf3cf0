"""The passes between the products of attention, each against what it says in plain torch."""

import numpy as np
import pytest
import torch

from symbreak.models.cpu import passes
from symbreak.models.cpu.attention_heads import HeadsApart
from symbreak.models.cpu.attention_weights import DroppingSoftmax, scores_gradient
from symbreak.models.cpu.kernels import attention
from symbreak.models.cpu.kernels.numbers import number, stored
from symbreak.models.cpu.passes import bits
from symbreak.numerics.compiling import kernel

TYPES = [torch.float32, torch.bfloat16]
#: Relative error of a weight: of the sums in ``float32``, and of rounding to bfloat16.
TOLERANCE = {torch.float32: 2e-6, torch.bfloat16: 2**-8}


def some_scores(dtype, heads=15, tokens=7):
    """Of all heads of all images on one axis."""
    return 3 * torch.randn(heads, tokens, tokens).to(dtype)


def softmax(dropout, scores, weights, first=0):
    DroppingSoftmax(dropout)(bits(scores), bits(weights), first)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("tokens", [1, 7, 64])
def test_softmax_is_that_of_torch(dtype, tokens, threads):
    scores = some_scores(dtype, tokens=tokens)
    known, weights, kept = scores.double().softmax(-1), torch.empty_like(scores), scores.clone()
    softmax(0.0, kept, weights)
    assert torch.equal(kept, weights)
    torch.testing.assert_close(weights.double(), known, rtol=TOLERANCE[dtype], atol=1e-37)


@pytest.mark.parametrize("dtype", TYPES)
def test_softmax_of_large_scores_is_finite_and_of_the_smallest_zero(dtype):
    scores = torch.tensor([3e38, 3e38, -3e38, 0.0]).to(dtype).view(1, 1, 4)
    weights = torch.empty_like(scores)
    softmax(0.0, scores, weights)
    torch.testing.assert_close(weights.flatten().float(), torch.tensor([0.5, 0.5, 0, 0]), rtol=0, atol=1e-37)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_score_that_is_not_a_number_makes_none_of_the_weights_of_its_query(dtype, sign, place):
    """Else a training that diverged would go on unseen; the sign of what is not a number is arbitrary."""
    scores = some_scores(dtype)
    weights = torch.empty_like(scores)
    scores[2, 4, place] = torch.tensor(float("nan")).copysign(torch.tensor(sign))
    softmax(0.0, scores, weights)
    assert weights[2, 4].isnan().all() and weights.isnan().sum() == 7


@pytest.mark.parametrize("dtype", TYPES)
def test_dropped_weights_turn_their_sign_and_are_zero_in_what_is_kept(dtype, threads):
    scores = some_scores(dtype)
    whole, marked, kept = torch.empty_like(scores), torch.empty_like(scores), scores.clone()
    softmax(0.0, scores.clone(), whole)
    softmax(0.3, kept, marked)
    assert torch.equal(marked.abs(), whole) and torch.equal(kept, marked.relu())
    share = (marked < 0).float().mean().item()
    assert abs(share - 0.3) < 5 * (0.3 * 0.7 / marked.numel()) ** 0.5


@pytest.mark.parametrize("tokens", [8, 7])
def test_what_is_dropped_depends_neither_on_threads_nor_on_pieces(tokens, monkeypatch):
    monkeypatch.setattr(passes, "SHARE", 1)
    scores, found = some_scores(torch.float32, heads=6, tokens=tokens), []
    for count, piece in ((1, 6), (1, 1), (1, 4), (2, 6), (3, 2)):
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        torch.manual_seed(3)
        drop, marked = DroppingSoftmax(0.5), torch.empty_like(scores)
        for start in range(0, 6, piece):
            own = slice(start, start + piece)
            drop(bits(scores[own].clone()), bits(marked[own]), first=start)
        torch.set_num_threads(before)
        found.append(marked)
    assert (found[0] < 0).any() and all(torch.equal(found[0], other) for other in found[1:])


def test_every_query_drops_by_its_own_numbers():
    """Rows of equal scores differ."""
    marked = torch.empty(8, 8, 64)
    softmax(0.5, torch.zeros_like(marked), marked)
    assert len(torch.unique(marked.flatten(0, 1) < 0, dim=0)) == 8 * 8


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
    scores = torch.randn(8, 6, 6, dtype=torch.float64, requires_grad=True)
    outer, mask = torch.randn(8, 6, 6).double(), (torch.rand(8, 6, 6) < 0.7).double()
    known = torch.autograd.grad(scores.softmax(-1) * mask, scores, outer)[0]
    weights = scores.detach().softmax(-1)
    marked, gradient = torch.where(mask > 0, weights, -weights).to(dtype), outer.to(dtype)
    kept = torch.empty_like(marked)
    scores_gradient(bits(marked), bits(gradient), bits(kept))
    assert torch.equal(kept, marked.relu())
    tolerance = {torch.float32: 2e-6, torch.bfloat16: 0.02}[dtype]
    torch.testing.assert_close(gradient.double(), known, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_gradient_that_is_not_a_number_stays_none(dtype):
    """Else a training that diverged would go on unseen."""
    weights, gradient = some_scores(dtype).softmax(-1), torch.ones(15, 7, 7, dtype=dtype)
    gradient[7, 4, 3] = float("nan")
    scores_gradient(bits(weights), bits(gradient), bits(torch.empty_like(weights)))
    assert gradient[7, 4].isnan().all() and gradient.isnan().sum() == 7


def test_rounding_does_not_push_all_scores_of_a_query_one_way():
    """Where the gradients of a query's weights nearly agree, those of its scores are small differences."""
    weights = torch.softmax(0.1 * torch.randn(64, 64, 256), -1).bfloat16()
    gradient = (8 + 0.5 * torch.randn(64, 64, 256)).bfloat16()
    kept = torch.empty_like(weights)
    scores_gradient(bits(weights), bits(gradient), bits(kept))
    whole = weights.double().sum(-1)  # rounded weights do not sum to 1 quite, which the mean times 8 shows
    change = gradient.double().sum(-1) - (1 - whole) * 8
    assert change.abs().mean() < 0.2 * gradient.double().norm(dim=-1).mean()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", [8, 5])
def test_heads_go_apart_and_together_again(dtype, size, threads):
    tokens = torch.randn(4, 6, 3 * 2 * size).to(dtype)
    back = torch.empty_like(tokens)
    apart, other = (HeadsApart(tensor, count=3, heads=2, images=3) for tensor in (tokens, back))
    for rows in (slice(0, 3), slice(3, 4)):
        found = apart.take(rows)
        expected = tokens[rows].view(-1, 6, 3, 2, size).permute(2, 0, 3, 1, 4).flatten(1, 2)
        assert torch.equal(found, expected)
        other.parts[:, : found.shape[1]] = found
        other.put(rows)
    assert torch.equal(back, tokens)


@kernel
def _store(numbers, array):
    for j in range(numbers.size):
        array[j] = stored(numbers[j], array)


@kernel
def _read(array, numbers):
    for j in range(numbers.size):
        numbers[j] = number(array[j])


def test_bfloat16_is_rounded_as_torch_rounds_it():
    """To the nearest and halves to even, over all sizes of numbers; what is not finite stays so."""
    words = torch.randint(-(2**31), 2**31, (200_000,), dtype=torch.int64).to(torch.int32)
    numbers = words.view(torch.float32)
    halves = (words & -65536 | 0x8000).view(torch.float32)
    special = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), 3.4e38])
    numbers = torch.cat([numbers[numbers.isfinite()], halves[halves.isfinite()], special])
    rounded = np.empty(len(numbers), np.uint16)
    _store(numbers.numpy(), rounded)
    assert np.array_equal(rounded, bits(numbers.bfloat16()))
    back = np.empty(len(rounded), np.float32)
    _read(rounded, back)
    assert np.array_equal(back, numbers.bfloat16().float().numpy())
    nothing = torch.tensor([float("nan")])
    _store(nothing.numpy(), rounded[:1])
    _read(rounded[:1], back[:1])
    assert np.isnan(back[0])


def test_float32_is_stored_as_it_is():
    numbers = torch.randn(100)
    words, back = np.empty(100, np.uint32), np.empty(100, np.float32)
    _store(numbers.numpy(), words)
    assert np.array_equal(words, bits(numbers))
    _read(words, back)
    assert np.array_equal(back, numbers.numpy())
