"""Compiling the training step: on wish or on a GPU, and never at the price of a failed training."""

import functools

import pytest
import torch
from tiny import SETTINGS
from torch import nn

from symbreak import models
from symbreak.config import Network, parse
from symbreak.errors import SymbreakError
from symbreak.learning.engine import compiled
from symbreak.learning.engine.compiled import compiled_or_not
from symbreak.learning.engine.device import Engine

CPU = Engine(torch.device("cpu"), "fp32")
SHAPE = (2, 3, 32, 32)


def network():
    torch.manual_seed(0)
    return models.create(Network(**SETTINGS["networks"]["small"]), 5).train()


def test_a_compiled_network_gives_the_same_and_is_left_untouched(monkeypatch):
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fast = compiled_or_not(model, CPU, True, SHAPE)
    assert fast is not model
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    images = torch.rand(SHAPE)
    torch.testing.assert_close(model.eval()(images), fast(images), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_what_cannot_be_compiled_runs_as_it_is_and_says_so(monkeypatch, capsys, where):
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            raise RuntimeError("no C++ compiler\nand more")

    def broken(model, mode=None):
        def run(images):
            if where == "forward":
                raise RuntimeError("no C++ compiler\nand more")
            return Wrong.apply(model(images))

        return run

    monkeypatch.setattr(torch, "compile", broken)
    model = network()
    assert compiled_or_not(model, CPU, True, SHAPE) is model
    assert capsys.readouterr().err.strip() == "The training step is not compiled: no C++ compiler"


def test_by_itself_it_compiles_on_gpus_only(monkeypatch):
    model, fast = nn.Flatten(), nn.Flatten()
    monkeypatch.setattr(torch, "compile", lambda model, mode: fast)
    assert compiled_or_not(model, CPU, "auto", SHAPE) is model
    assert compiled_or_not(model, CPU, False, SHAPE) is model
    gpu = Engine(torch.device("cuda"), "bf16")
    monkeypatch.setattr(compiled, "_step_once", lambda run, *_: None)
    assert compiled_or_not(model, gpu, "auto", SHAPE) is fast
    assert compiled_or_not(model, gpu, False, SHAPE) is model


def test_files_of_earlier_versions_may_say_that_seeds_were_not_trained_together():
    old = SETTINGS | {"training": SETTINGS["training"] | {"together": False}}
    assert parse(old) == parse(SETTINGS)
    with pytest.raises(SymbreakError, match="together"):
        parse(SETTINGS | {"training": SETTINGS["training"] | {"together": True}})
