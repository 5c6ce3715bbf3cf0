"""Compile the training step where that pays, and go on without where it cannot be done."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from symbreak.learning.engine.device import Engine

#: Steps of a trial, after as many that warm up.
TRIAL_STEPS = 3

Forward = Callable[[Tensor], Tensor]


def compiled_or_not(
    model: nn.Module, engine: Engine, wish: bool | Literal["auto"], shape: tuple[int, ...]
) -> Forward:
    """The model as a function of images, compiled if that is wished or, on a GPU, faster.

    Shapes never change during a training, so on a GPU the whole pass becomes a CUDA graph
    (``reduce-overhead``). On a CPU compiling takes a minute and gains nothing: `auto` leaves it out.

    Parameters
    ----------
    model : Module
        In training mode, on the engine's device.
    engine : Engine
        Device and precision.
    wish : bool or "auto"
        The key `compute.compile`.
    shape : tuple of int
        Shape of a batch of images.

    Returns
    -------
    callable
        Compiled, or the model itself.

    Examples
    --------
    >>> model = nn.Flatten()
    >>> compiled_or_not(model, Engine(torch.device("cpu"), "fp32"), "auto", (1, 3, 4, 4)) is model
    True
    """
    cuda = engine.device.type == "cuda"
    if wish is False or (wish == "auto" and not cuda):
        return model
    untouched = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        fast: Any = torch.compile(model, mode="reduce-overhead" if cuda else None)
        seconds = _seconds(fast, model, engine, shape)
        slower = wish == "auto" and seconds >= _seconds(model, model, engine, shape)
        return model if slower else fast
    except Exception as error:  # whatever a compiler may lack: the result is the same without it
        reason = str(error).strip().splitlines() or [type(error).__name__]
        print(f"The training step is not compiled: {reason[0][:200]}", file=sys.stderr)
        return model
    finally:
        model.zero_grad(set_to_none=True)
        for name, buffer in model.named_buffers():  # the trial's pixels must not enter averages
            buffer.copy_(untouched[name])


def _seconds(run: Forward, model: nn.Module, engine: Engine, shape: tuple[int, ...]) -> float:
    """Wall time of some steps without the optimiser."""
    images = torch.rand(shape, device=engine.device)
    start = 0.0
    for step in range(2 * TRIAL_STEPS):
        if step == TRIAL_STEPS:
            _wait(engine)
            start = time.perf_counter()
        with engine.autocast():
            fields = run(images)
        fields.float().square().mean().backward()
        model.zero_grad(set_to_none=True)
    _wait(engine)
    return time.perf_counter() - start


def _wait(engine: Engine) -> None:
    if engine.device.type == "cuda":
        torch.cuda.synchronize(engine.device)
