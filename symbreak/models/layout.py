"""How images lie in memory."""

import torch
from torch import Tensor


def channels_last(images: Tensor) -> Tensor:
    """Images with the channels of a pixel side by side, as convolutions are fastest.

    Examples
    --------
    >>> channels_last(torch.zeros(1, 3, 2, 2)).stride()
    (12, 1, 6, 3)
    """
    return images if in_a_stack() else images.contiguous(memory_format=torch.channels_last)


def in_a_stack() -> bool:
    """Whether torch.func runs this on a stack of networks: it takes plain operations and layouts only.

    Examples
    --------
    >>> in_a_stack()
    False
    """
    return not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is not None
