"""Run a network with its taps open, and leave it as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from symbreak.errors import SymbreakError
from symbreak.models.probe import Place
from symbreak.taps.anatomy import Anatomy, Opening
from symbreak.taps.find import find, plain
from symbreak.taps.layouts import Frame, arranged, first_tensor, frame_of
from symbreak.taps.native import watched

#: What a network is called with: a tensor, or the keywords of its forward.
Inputs = Tensor | Mapping[str, Any]
#: Takes a place and its tensor, (images, tokens, nodes).
Receive = Callable[[Place, Tensor], None]
#: Places by the module and side at which they are opened.
Wanted = dict[tuple[str, str], list[tuple[Place, Opening]]]


@torch.no_grad()
def capture(
    model: nn.Module,
    inputs: Inputs,
    places: Iterable[Place] | None = None,
    anatomy: Anatomy | None = None,
) -> tuple[dict[Place, Tensor], Any]:
    """Run a network once, without gradients, in evaluation mode; return its taps and its output.

    Nothing of it stays: hooks, training mode, state and the fast-path flag of PyTorch are as before, also
    after an exception.

    Parameters
    ----------
    model : Module
        Any network.
    inputs : Tensor or mapping
        What it is called with; a mapping holds the keywords of its ``forward``.
    places : iterable of (block from 1, tap), optional
        What is wanted; default: every tap of every block.
    anatomy : Anatomy, optional
        What `find` tells of it; default: `find` is asked.

    Returns
    -------
    taps : dict of (block, tap) to Tensor
        Shape (images, tokens, nodes) each.
    output
        What the network returned.

    Raises
    ------
    SymbreakError
        If a place does not exist, or its module is used not once in the pass.

    Examples
    --------
    >>> from symbreak.models import build
    >>> network = build("cct_2_3x1", labels=10, dim=32, heads=4)
    >>> taps, output = capture(network, torch.zeros(3, 3, 32, 32), [(2, "attention")])
    >>> taps[2, "attention"].shape, output.shape
    (torch.Size([3, 256, 32]), torch.Size([3, 10]))
    """
    taps: dict[Place, Tensor] = {}
    with opened(model, places, taps.__setitem__, anatomy) as run:
        output = run(inputs)
    return taps, output


@contextmanager
def opened(
    model: nn.Module,
    places: Iterable[Place] | None,
    receive: Receive,
    anatomy: Anatomy | None = None,
) -> Iterator[Callable[[Inputs], Any]]:
    """Open a network for several passes; every tap is handed on when the network reaches it.

    Of a stream of inputs only one tap need be in memory at a time.

    Parameters
    ----------
    model, places, anatomy
        As for `capture`.
    receive : callable
        Is called with the place and its tensor, (images, tokens, nodes).

    Yields
    ------
    callable
        Runs the network on inputs and returns its output.

    Raises
    ------
    SymbreakError
        As for `capture`.

    Examples
    --------
    >>> from symbreak.models import build
    >>> with opened(build("resnet_20", labels=10), [(9, "filters")], lambda place, t: print(t.shape)) as run:
    ...     _ = run(torch.zeros(1, 3, 32, 32))
    torch.Size([1, 64, 64])
    """
    model = plain(model)
    anatomy = anatomy or find(model)
    wanted = _wanted(anatomy, places)
    seen: set[str] = set()
    frames: dict[str, Frame] = {}

    def hand_on(module: str, side: str, tensor: Tensor) -> None:
        if (key := f"{side} of {module}") in seen:
            raise SymbreakError(
                f"The {key} is used twice in a pass, as in layers that share weights; open another tap."
            )
        seen.add(key)
        for place, opening in wanted[module, side]:
            receive(place, arranged(tensor, opening, place[0], frames.get(opening.block)))

    def run(inputs: Inputs) -> Any:
        seen.clear()
        output = model(**inputs) if isinstance(inputs, Mapping) else model(inputs)
        missing = [key for module, side in wanted if (key := f"{side} of {module}") not in seen]
        if missing:
            raise SymbreakError(f"The {missing[0]} was not reached in the pass; open another tap.")
        return output

    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(_evaluating(model))
        for path in _cut_into_windows(wanted):
            hook = partial(_frame, frames, path)
            stack.callback(model.get_submodule(path).register_forward_pre_hook(hook, with_kwargs=True).remove)
        receivers = {where: partial(hand_on, *where) for where in wanted}
        native = {m: r for (m, side), r in receivers.items() if side == "attention"}
        # first the heads within: they come before what is made of them
        stack.enter_context(watched({model.get_submodule(module): give for module, give in native.items()}))
        for (module, side), give in receivers.items():
            if side != "attention":
                stack.callback(_register(model.get_submodule(module), side, give).remove)
        yield run


def _register(module: nn.Module, side: str, receive: Callable[[Tensor], None]) -> RemovableHandle:
    if side == "input":
        return module.register_forward_pre_hook(partial(_input, receive), with_kwargs=True)
    return module.register_forward_hook(partial(_output, receive))


def _cut_into_windows(wanted: Wanted) -> set[str]:
    """Blocks whose attention sees their image in windows."""
    return {o.block for openings in wanted.values() for _, o in openings if o.layout == "windows"}


def _wanted(anatomy: Anatomy, places: Iterable[Place] | None) -> Wanted:
    """Places by the module and side at which they are opened."""
    wanted: Wanted = {}
    for place in anatomy.places() if places is None else dict.fromkeys(places):
        if place not in anatomy.openings:
            raise SymbreakError(
                f"The network has no tap {place[1]!r} in block {place[0]}; it has {len(anatomy.blocks)} "
                f"blocks with {', '.join(anatomy.taps)}."
            )
        opening = anatomy.openings[place]
        wanted.setdefault((opening.module, opening.side), []).append((place, opening))
    return wanted


def _input(receive: Callable[[Tensor], None], module: nn.Module, arguments: tuple, keywords: dict) -> None:
    tensor = first_tensor(arguments)
    receive(_required(first_tensor(keywords) if tensor is None else tensor, module))


def _output(receive: Callable[[Tensor], None], module: nn.Module, arguments: tuple, output: Any) -> None:
    receive(_required(first_tensor(output), module))


def _frame(frames: dict[str, Frame], path: str, block: nn.Module, arguments: tuple, keywords: dict) -> None:
    frames[path] = frame_of(block, arguments, keywords)


def _required(tensor: Tensor | None, module: nn.Module) -> Tensor:
    if tensor is None:
        raise SymbreakError(f"{type(module).__name__} takes or returns no tensor; open another module.")
    return tensor


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, uncompiled, each module put back to its own mode afterwards."""
    modes = [(module, module.training, module._compiled_call_impl) for module in model.modules()]
    try:
        model.eval()
        for module, _, _ in modes:
            module._compiled_call_impl = None
        yield
    finally:
        for module, training, compiled in modes:
            module.training, module._compiled_call_impl = training, compiled
