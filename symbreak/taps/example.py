"""Inputs on which a network can be tried without any data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from symbreak.taps.capture import Inputs
from symbreak.taps.find import plain

#: Tokens of an example of a text.
LENGTH = 8


def example_inputs(model: nn.Module, image_size: int | None = None, count: int = 2) -> Inputs:
    """Random images, or random words for a network with a vocabulary.

    Parameters
    ----------
    model : Module
        The network, whose configuration tells the size of its images or its vocabulary.
    image_size : int, optional
        Side in pixels; default: what the network tells, else 224.
    count : int
        Number of inputs.

    Examples
    --------
    >>> from symbreak.models import build
    >>> example_inputs(build("cct_2_3x1", labels=10, dim=32)).shape
    torch.Size([2, 3, 32, 32])
    """
    model, random = plain(model), torch.Generator().manual_seed(0)
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    config = getattr(model, "config", None)
    words = getattr(config, "vocab_size", None)
    if isinstance(words, int):
        tokens = torch.randint(min(4, words - 1), words, (count, LENGTH), generator=random).to(device)
        return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    side = image_size or _image_size(model, config)
    convolution = next((m for m in model.modules() if isinstance(m, nn.Conv2d)), None)
    channels = convolution.in_channels if convolution is not None else 3
    images: Tensor = torch.randn(count, channels, side, side, generator=random).to(device)
    return images


def _image_size(model: nn.Module, config: Any) -> int:
    """Side of the images, where the network tells it."""
    own = getattr(model, "network", None)
    for source, name in (
        (getattr(model, "patch_embed", None), "img_size"),
        (config, "image_size"),
        (own, "image_size"),
        (model, "image_size"),
    ):
        size = getattr(source, name, None)
        size = size[0] if isinstance(size, (tuple, list)) else size
        if isinstance(size, int):
            return size
    return 224
