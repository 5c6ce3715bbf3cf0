"""Branches that leave and join the residual stream: the same numbers and gradients whichever way."""

from contextlib import nullcontext

import pytest
import torch

from symbreak.models.cpu.residual import Kept, joined, normed

IMAGES, TOKENS, DIM = 5, 3, 16
#: Rounding to bfloat16, relative, and of sums of such numbers.
TOLERANCE = {"fp32": 2e-6, "fp64": 1e-12, "bf16": 2**-7}


def in_precision(precision):
    return torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext()


def given(precision, in_order=True):
    """A stream that needs a gradient, and a norm whose weights do something."""
    torch.manual_seed(2)
    kind = torch.float64 if precision == "fp64" else torch.float32
    norm = torch.nn.LayerNorm(DIM).to(kind)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    stream = 2 + torch.randn(IMAGES, TOKENS, DIM, dtype=kind)
    if not in_order:
        stream = stream.transpose(0, 1).contiguous().transpose(0, 1)
    return stream.requires_grad_(), norm


def gradients(outputs, inputs):
    """Of sums with fixed factors, so that every output counts."""
    torch.manual_seed(3)
    total = sum((output.double() * torch.randn(output.shape).double()).sum() for output in outputs)
    return torch.autograd.grad(total, inputs)


def close(found, known, precision):
    scale = max(float(known.detach().abs().max()), 1e-30) if known.numel() else 1.0
    torch.testing.assert_close(
        found.double(), known.double(), rtol=0, atol=TOLERANCE[precision] * scale, check_dtype=False
    )


@pytest.mark.parametrize("rows", [[], [1], [0, 2, 3], list(range(IMAGES))])
@pytest.mark.parametrize("precision", list(TOLERANCE))
@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("in_order", [True, False])
def test_a_branch_begins_with_the_norm_of_its_images(rows, precision, replace, in_order, threads):
    stream, norm = given(precision, in_order)
    kept = Kept(torch.tensor(rows, dtype=torch.int64), IMAGES, gain=1.25)
    with in_precision(precision):
        behind, tokens = normed(stream, norm, kept, replace)
    assert tokens.dtype == (torch.bfloat16 if precision == "bf16" else stream.dtype)
    whole = norm(stream)
    expected = whole if replace else stream, whole[rows]
    close(behind, expected[0], "fp64" if precision == "fp64" else "fp32")
    close(tokens, expected[1], precision)
    inputs = [stream, norm.weight, norm.bias]
    used = slice(None) if rows or replace else slice(0, 1)  # else the norm has no part in what comes out
    outer = [gradients(outputs, inputs[used]) for outputs in ((behind, tokens), expected)]
    for own, known in zip(*outer, strict=True):
        close(own, known, precision)


@pytest.mark.parametrize("rows", [[], [1], [0, 2, 3], list(range(IMAGES))])
@pytest.mark.parametrize("precision", list(TOLERANCE))
@pytest.mark.parametrize("in_order", [True, False])
def test_a_branch_is_added_to_its_images_only(rows, precision, in_order, threads):
    stream, _ = given(precision, in_order)
    kept = Kept(torch.tensor(rows, dtype=torch.int64), IMAGES, gain=1.25)
    kind = torch.bfloat16 if precision == "bf16" else stream.dtype
    branch = torch.randn(len(rows), TOKENS, DIM).to(kind).requires_grad_()
    found = joined(stream, branch, kept)
    wide = torch.zeros_like(stream).index_put((kept.rows,), branch.to(stream.dtype))
    expected = stream + 1.25 * wide
    assert found.dtype == stream.dtype
    close(found, expected, "fp64" if precision == "fp64" else "fp32")
    for own, known in zip(*(gradients([x], [stream, branch]) for x in (found, expected)), strict=True):
        close(own, known, precision)


def test_a_stream_that_is_not_a_number_stays_none():
    """Else a training that diverged would go on unseen."""
    stream, norm = given("bf16")
    kept = Kept(torch.arange(IMAGES), IMAGES, gain=1.0)
    with torch.no_grad():
        stream[2, 1, 4] = float("nan")
    with in_precision("bf16"):
        behind, tokens = normed(stream, norm, kept, replace=True)
    assert behind[2, 1].isnan().all() and tokens[2, 1].isnan().all() and behind.isnan().sum() == DIM


def test_where_there_is_little_to_do_for_each_thread_torch_does_it(monkeypatch):
    """Several threads that wait for one are slower than torch's own."""
    called = []
    monkeypatch.setattr("symbreak.models.cpu.residual._Normed.apply", lambda *given: called.append(given))
    stream, norm = given("bf16")
    kept = Kept(torch.arange(IMAGES), IMAGES, gain=1.0)
    before = torch.get_num_threads()
    for count in (2, 1):
        torch.set_num_threads(count)
        with in_precision("bf16"):
            normed(stream, norm, kept, replace=True)
        torch.set_num_threads(before)
        assert len(called) == 2 - count
