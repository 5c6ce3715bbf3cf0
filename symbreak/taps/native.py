"""The heads within `nn.MultiheadAttention`, whose output projection no hook reaches.

With the fast path off and no weights asked for, it calls `scaled_dot_product_attention`, which returns
(images, heads, tokens, nodes of a head). A hook on its `out_proj` never fires (pytorch issue 78109).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.errors import SymbreakError

#: Position of `need_weights` among the arguments of `nn.MultiheadAttention.forward`.
_NEED_WEIGHTS = 4


@contextmanager
def watched(receivers: Mapping[nn.Module, Callable[[Tensor], None]]) -> Iterator[None]:
    """Hand on the concatenated heads, (images, tokens, nodes), of each of some attention modules.

    Parameters
    ----------
    receivers : mapping of MultiheadAttention to callable
        Called when the network reaches the module. None of them: nothing is changed.
    """
    if not receivers:
        yield
        return
    plain, fast = functional.scaled_dot_product_attention, torch.backends.mha.get_fastpath_enabled()
    inside: list[nn.Module] = []  # the attention module that runs at the moment
    heads: dict[nn.Module, Tensor] = {}

    def attend(*arguments: Any, **keywords: Any) -> Tensor:
        result = plain(*arguments, **keywords)
        if inside:
            heads[inside[-1]] = result.transpose(-3, -2).flatten(-2)
        return result

    with ExitStack() as stack:
        for module in receivers:
            before = module.register_forward_pre_hook(partial(_enter, inside), with_kwargs=True)
            stack.callback(before.remove)
            after = partial(_leave, inside, heads, receivers[module])
            stack.callback(module.register_forward_hook(after, with_kwargs=True).remove)
        try:
            torch.backends.mha.set_fastpath_enabled(False)
            functional.scaled_dot_product_attention = attend
            yield
        finally:
            functional.scaled_dot_product_attention = plain
            torch.backends.mha.set_fastpath_enabled(fast)


def _enter(inside: list[nn.Module], module: nn.Module, arguments: tuple, keywords: dict) -> None:
    inside.append(module)


def _leave(
    inside: list[nn.Module],
    heads: dict[nn.Module, Tensor],
    receive: Callable[[Tensor], None],
    module: nn.Module,
    arguments: tuple,
    keywords: dict,
    output: Any,
) -> None:
    """Hand on what the attention saw; where its caller wanted weights, run it again without them."""
    if module not in heads:
        names = ("need_weights",) if len(arguments) <= _NEED_WEIGHTS else ()
        again = (*arguments[:_NEED_WEIGHTS], False, *arguments[_NEED_WEIGHTS + 1 :])
        module.forward(*(arguments if names else again), **keywords | dict.fromkeys(names, False))
    inside.pop()
    tensor = heads.pop(module, None)
    if tensor is None:
        raise SymbreakError(
            "nn.MultiheadAttention ran without its scaled dot-product attention; open another tap."
        )
    receive(tensor if tensor.ndim == 3 else tensor.unsqueeze(0))
