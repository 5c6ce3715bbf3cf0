"""Compile the training step on a GPU, and go on without where that cannot be done."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from symbreak.learning.engine.device import Engine

Forward = Callable[[Tensor], Tensor]


def compiled_or_not(
    model: nn.Module, engine: Engine, wish: bool | Literal["auto"], shape: tuple[int, ...]
) -> Forward:
    """The model as a function of images, compiled if that is wished and possible.

    Shapes never change during a training, so on a GPU the whole pass becomes a CUDA graph
    (``reduce-overhead``). On a processor compiling takes a minute and gains nothing: `auto` leaves it out.

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
        Compiled, or the model itself; why it could not be compiled is printed to standard error.

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
        _step_once(fast, engine, shape)
        return fast
    except Exception as error:  # whatever a compiler may lack: the result is the same without it
        reason = str(error).strip().splitlines() or [type(error).__name__]
        print(f"The training step is not compiled: {reason[0][:200]}", file=sys.stderr)
        return model
    finally:
        model.zero_grad(set_to_none=True)
        for name, buffer in model.named_buffers():  # random pixels must not enter averages
            buffer.copy_(untouched[name])


def _step_once(run: Forward, engine: Engine, shape: tuple[int, ...]) -> None:
    """Compile both directions, which happens at the first call."""
    with engine.autocast():
        fields = run(torch.rand(shape, device=engine.device))
    fields.float().square().mean().backward()
