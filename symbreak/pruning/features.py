"""What reaches a layer of a frozen network, computed once, and the rest of the network after it."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from symbreak import models
from symbreak.config import Training
from symbreak.data import ImageSet
from symbreak.learning.batches import normalised_batches
from symbreak.learning.engine.device import Engine
from symbreak.progress import Progress
from symbreak.pruning.sets import Nodes

#: Images of one pass; it does not change what comes out.
BATCH = 250


class _Reached(Exception):
    """The wanted layer has been reached: the rest of the pass is not needed."""


@torch.no_grad()
def inputs_of(
    network: models.Trunk, layer: nn.Module, images: ImageSet, engine: Engine, training: Training
) -> ImageSet:
    """Images replaced by what they are at the input of a layer, nothing augmented.

    Parameters
    ----------
    network : CCT or CNN
        In evaluation mode, on the device of the engine.
    layer : module
        A part of the network.
    images : ImageSet
    engine : Engine
    training : Training
        How images are normalised.

    Returns
    -------
    ImageSet
        `images` are float32 on the CPU, (images, …).
    """
    caught: list[Tensor] = []

    def stop(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        caught.append(arguments[0].float().cpu())
        raise _Reached

    handle = layer.register_forward_pre_hook(stop)
    try:
        with Progress(total=len(images), desc="frozen part", unit="image") as bar:
            for pixels, labels in normalised_batches(images, engine, BATCH, training):
                try:
                    with engine.autocast():
                        network(pixels)
                except _Reached:
                    bar.update(len(labels))
    finally:
        handle.remove()
    return replace(images, images=torch.cat(caught))


def rest_of(network: models.Trunk, block: int) -> nn.Module:
    """The network from a block (from 1) on, as a view: it holds the same layers, not copies.

    It takes what reaches that block, (images, tokens, nodes), in place of images.

    Examples
    --------
    >>> network = models.build("cct_2_3x1", labels=10, dim=32)
    >>> rest = rest_of(network, 2)
    >>> rest(torch.zeros(1, 256, 32)).shape, rest.blocks[0] is network.blocks[1]
    (torch.Size([1, 10]), True)
    """
    rest = copy.copy(network)
    rest._modules = dict(network._modules)
    rest._parameters = dict(network._parameters)
    rest._modules |= {"tokenizer": nn.Identity(), "dropout": nn.Identity()}
    rest._parameters["positional_embedding"] = None
    rest.blocks = nn.ModuleList(list(network.blocks)[block - 1 :])
    return rest


def readout_nodes(network: models.Trunk, features: ImageSet) -> Nodes:
    """Label means of the nodes before the readout, and the readout, its bias silenced.

    Parameters
    ----------
    network : CCT or CNN
    features : ImageSet
        What reaches its readout, from `inputs_of`.
    """
    labels = features.labels.numpy()
    values = features.images.numpy().astype(np.float64)
    sums = np.zeros((features.n_labels, values.shape[1]))
    np.add.at(sums, labels, values)
    count = np.bincount(labels, minlength=features.n_labels)
    readout = network.readout.weight.detach().double().cpu().numpy()
    return Nodes(sums / np.maximum(count, 1)[:, None], readout)
