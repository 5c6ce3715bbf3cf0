"""What a network consists of: its layers in the order of the data flow, their parameters and operations."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from symbreak.models.cct import CCT
from symbreak.models.registry import Trunk, count_parameters

#: First part of a module's name -> part of the network as a person names it.
_PARTS = {"tokenizer": "tokenizer", "stem": "stem", "behind": "after the blocks"}


class Layer(NamedTuple):
    """One layer of a network.

    Attributes
    ----------
    part : str
        Tokenizer, a block (from 1) or the classifier.
    layer : str
        Its name there.
    output : tuple of int
        Shape of its output for one image: (channels, height, width), (tokens, nodes) or (nodes,).
    parameters : int
        Weights and biases.
    macs : int
        Multiplications with addition, for one image; elementwise operations count none.
    """

    part: str
    layer: str
    output: tuple[int, ...]
    parameters: int
    macs: int


def layers(model: Trunk) -> list[Layer]:
    """Describe every layer of a network, in the order of the data flow.

    A convolution has K² C multiplications for every element of its output (kernel side K, C channels before),
    a fully connected layer as many as it has inputs, the scaled dot-product attention of T tokens 2 T² dim,
    however many heads share dim, and the pooling of the tokens 2 T dim.

    Parameters
    ----------
    model : CCT or CNN
        Any network of `symbreak.models`; an image of zeros is sent through it.

    Returns
    -------
    list of Layer
        Their parameters add up to those of the network.

    Examples
    --------
    >>> from symbreak.models import build
    >>> [f"{row.part}: {row.layer}" for row in layers(build("cct_1_3x1", dim=64))[:4]]
    ['tokenizer: convolution 1', 'tokenizer: positional embedding', 'block 1: attention_norm', 'block 1: qkv']
    >>> sum(row.parameters for row in layers(build("cct_7_3x1", labels=100)))
    3783269
    """
    found: list[Layer] = []
    handles = [
        module.register_forward_hook(_counting(name, found))
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear | nn.LayerNorm | nn.BatchNorm2d)
    ]
    side, device = model.network.image_size, next(model.parameters()).device
    training = model.training
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, 3, side, side, device=device))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return _with_attention(model, found) if isinstance(model, CCT) else found


def summary(model: Trunk) -> dict[str, Any]:
    """Architecture, labels, parameters, operations per image and nominal latency of a network.

    Examples
    --------
    >>> from symbreak.models import build
    >>> summary(build("cct_2_3x5", pooling="first"))["nominal_latency"]
    14
    """
    return {
        "architecture": model.network.architecture,
        "labels": model.labels,
        "parameters": count_parameters(model),
        "macs": sum(row.macs for row in layers(model)),
        "nominal_latency": model.network.nominal_latency,
    }


def _counting(name: str, found: list[Layer]) -> Any:
    part, layer = _place(name)

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        own = sum(parameter.numel() for parameter in module.parameters())
        elements = output[0].numel()
        macs = 0
        if isinstance(module, nn.Conv2d):
            macs = elements * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            macs = elements * module.in_features
        found.append(Layer(part, layer, tuple(output.shape[1:]), own, macs))

    return count


def _place(name: str) -> tuple[str, str]:
    """Part of the network and layer in it, from the name of a module.

    Examples
    --------
    >>> _place("blocks.0.qkv"), _place("tokenizer.convolutions.1"), _place("readout")
    (('block 1', 'qkv'), ('tokenizer', 'convolution 2'), ('classifier', 'readout'))
    """
    block = re.fullmatch(r"blocks\.(\d+)\.(.+)", name)
    if block:
        return f"block {int(block[1]) + 1}", block[2]
    first, _, rest = name.partition(".")
    numbered = re.fullmatch(r"convolutions\.(\d+)", rest)
    layer = f"convolution {int(numbered[1]) + 1}" if numbered else rest or first
    return _PARTS.get(first, "classifier"), layer


def _with_attention(model: CCT, found: list[Layer]) -> list[Layer]:
    """Add what a transformer does outside modules: positions, attention, the weighted sum of the pooling."""
    heads = iter(model.network.heads_per_block)
    rows: list[Layer] = []
    for row in found:
        first = not any(earlier.part.startswith("block ") for earlier in rows)
        if first and row.part == "block 1" and model.positional_embedding is not None:
            count = model.positional_embedding.numel()
            rows.append(Layer("tokenizer", "positional embedding", row.output, count, 0))
        if row.layer == "pooling":
            row = row._replace(output=(model.network.dim,), macs=2 * row.macs)
        rows.append(row)
        if row.layer == "qkv":
            tokens, dim = row.output[0], model.network.dim
            number = next(heads)
            name = f"attention, {number} head{'s' * (number > 1)}"
            rows.append(Layer(row.part, name, (tokens, dim), 0, 2 * tokens**2 * dim))
    return rows
