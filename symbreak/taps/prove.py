"""Prove that the heads of a network are heads."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from symbreak.errors import SymbreakError
from symbreak.models.probe import Place
from symbreak.taps.anatomy import Anatomy, Layout, Opening
from symbreak.taps.capture import Inputs, opened
from symbreak.taps.find import find, layout_of, plain

#: Largest deviation, in parts of the largest value, that rounding explains.
TOLERANCE = {torch.float16: 1e-2, torch.bfloat16: 5e-2}
#: Heads are told apart there as well, before the attention.
_BEFORE = ("query", "key", "value")


def prove(model: nn.Module, inputs: Inputs, anatomy: Anatomy | None = None) -> float:
    """Measure how far the heads of a network are from being heads.

    Two things are compared in one pass, in every block. What reaches the output projection must be the
    attention weights times the values, heads side by side, as they leave the softmax: a gate or a norm across
    heads in between shows. And the slices of the heads, each through the projection alone and then summed,
    must be the attention's own output.

    Parameters
    ----------
    model : Module
        Any network.
    inputs : Tensor or mapping
        A few inputs; a mapping holds the keywords of its ``forward``.
    anatomy : Anatomy, optional
        Default: `find` is asked.

    Returns
    -------
    float
        The largest deviation, in parts of the largest absolute value of what it should be; infinite where no
        attention is seen to be computed.

    Raises
    ------
    SymbreakError
        If no head is told apart, or they do not divide the nodes.

    Examples
    --------
    >>> from symbreak.models import build
    >>> prove(build("cct_2_3x1", labels=10, dim=32, heads=4), torch.randn(2, 3, 32, 32)) < 1e-5
    True
    """
    return max(value for pair in _deviations(plain(model), inputs, anatomy).values() for value in pair)


def require_proved(model: nn.Module, inputs: Inputs, anatomy: Anatomy | None = None) -> float:
    """`prove`, and refuse a network whose heads are none.

    Raises
    ------
    SymbreakError
        In one sentence: which block, and why.
    """
    model = plain(model)
    found = _deviations(model, inputs, anatomy)
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    allowed = TOLERANCE.get(dtype, 1e-5)
    for (block, tap), (before, after) in found.items():
        if not max(before, after) <= allowed:
            if before == float("inf"):
                reason = "no softmax attention of so many heads is computed before it"
            elif before > allowed:
                reason = (
                    f"it differs by {before:.2g} from weights times values (a gate, a norm across heads?)"
                )
            else:
                reason = f"their slices through the projection miss its output by {after:.2g}"
            raise SymbreakError(
                f"The heads of block {block} at {tap} are not proved, {reason}; open taps without heads."
            )
    return max(value for pair in found.values() for value in pair)


def _deviations(
    model: nn.Module, inputs: Inputs, anatomy: Anatomy | None
) -> dict[Place, tuple[float, float]]:
    """Deviations before and after the output projection of every tap whose nodes belong to heads."""
    anatomy = anatomy or find(model)
    headed = {
        place: replace(opening, part=None, layout="tokens" if opening.layout == "windows" else opening.layout)
        for place, opening in anatomy.openings.items()
        if opening.heads and not opening.rotated and place[1] not in _BEFORE
    }
    if not headed:
        raise SymbreakError("No head is told apart in this network; there is nothing to prove.")
    own = {
        (block, f"{tap} projected"): Opening(opening.module, layout=_layout_after(model, opening))
        for (block, tap), opening in headed.items()
        if opening.side != "output"
    }
    found: dict[Place, tuple[float, float]] = {}
    waiting: dict[Place, Tensor] = {}
    attention = _Attention()

    def receive(place: Place, tensor: Tensor) -> None:
        attention.paused = True
        if place in headed:
            found[place] = attention.deviation(tensor, headed[place].heads or 1), 0.0
            waiting[place] = tensor
        else:
            place = place[0], place[1].removesuffix(" projected")
            after = _projected(model, headed[place], waiting.pop(place))
            found[place] = found[place][0], _relative(after, tensor)
        attention.paused = False

    both = replace(anatomy, openings=headed | own)
    with opened(model, list(both.openings), receive, both) as run, attention:
        run(inputs)
    return found


def _layout_after(model: nn.Module, opening: Opening) -> Layout:
    module = model.get_submodule(opening.module)
    return layout_of(module) if opening.side == "attention" else opening.layout


def _projected(model: nn.Module, opening: Opening, tokens: Tensor) -> Tensor:
    """Sum over heads of the slice of each through the output projection alone; its bias counts once."""
    module: Any = model.get_submodule(opening.module)
    projection = module.out_proj if isinstance(module, nn.MultiheadAttention) else module
    assert opening.heads
    silent = torch.zeros_like(tokens)
    bias = projection.forward(silent).double()
    total = bias.clone()
    for part in torch.arange(tokens.shape[-1], device=tokens.device).chunk(opening.heads):
        alone = silent.clone()
        alone[..., part] = tokens[..., part]
        total += projection.forward(alone).double() - bias
    return total


def _relative(value: Tensor, reference: Tensor) -> float:
    """Largest deviation in parts of the largest absolute value; infinite where a value is not finite."""
    if value.shape != reference.shape:
        return float("inf")
    scale = reference.double().abs().max().clamp(min=torch.finfo(torch.float32).tiny)
    deviation = float((value.double() - reference.double()).abs().max() / scale)
    return deviation if deviation == deviation else float("inf")


class _Attention(TorchDispatchMode):
    """Watches attention being computed: what PyTorch's kernels return, or a softmax times values."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = False
        self._weights: set[int] = set()
        self._results: deque[Tensor] = deque(maxlen=8)

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: tuple = (), keywords: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation and remember it where it belongs to attention."""
        result = function(*arguments, **(keywords or {}))
        if self.paused:
            return result
        name = function.overloadpacket.__name__
        if name in ("_softmax", "_safe_softmax"):
            self._weights.add(_address(result))
        elif name.startswith("_scaled_dot_product"):
            self._results.append(result[0])
        elif any(isinstance(a, Tensor) and _address(a) in self._weights for a in arguments):
            if name in ("clone", "_to_copy"):
                self._weights.add(_address(result))
            elif name in ("bmm", "mm"):
                self._results.append(result)
        return result

    def deviation(self, tokens: Tensor, heads: int) -> float:
        """Smallest deviation of tokens (images, tokens, nodes) from an attention that was seen."""
        size = tokens.shape[-1] // heads
        return min(
            (
                _relative(tokens, by_head.transpose(1, 2).reshape(tokens.shape))
                for seen in self._results
                if seen.numel() == tokens.numel() and seen.shape[-1] == size
                for by_head in [seen.reshape(-1, heads, seen.shape[-2], size)]
            ),
            default=float("inf"),
        )


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
