"""Convolutional networks, VGG and ResNet.

Sources: Simonyan and Zisserman, arXiv:1409.1556, with BatchNorm after every
convolution and one fully connected layer as usual on 32 x 32 pixels; He et
al., arXiv:1512.03385, section 4.2, with shortcuts of option A, which have no
parameters. The tap `filters` of a block is its output.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.config import Network, halves


class Convolution(nn.Module):
    """3 x 3 convolution, BatchNorm, ReLU and, at the end of a VGG stage, max-pooling by two."""

    def __init__(self, before: int, after: int, pooled: bool = False) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(after)
        self.pooled = pooled

    def forward(self, maps: Tensor) -> Tensor:
        """(images, before, side, side) -> (images, after, side or half of it, same)."""
        maps = self.norm(self.convolution(maps))
        if self.pooled:  # before the ReLU, with which it commutes: a quarter of the elements
            maps = functional.max_pool2d(maps, 2)
        return functional.relu(maps)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut without parameters (arXiv:1512.03385, Fig. 2, option A).

    Where the map is halved the shortcut takes every second pixel, and filters
    that the shortcut lacks are zero.
    """

    def __init__(self, before: int, after: int, halved: bool) -> None:
        super().__init__()
        self.stride, self.missing = (2 if halved else 1), after - before
        self.convolution1 = nn.Conv2d(before, after, 3, self.stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.convolution2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)

    def forward(self, maps: Tensor) -> Tensor:
        """(images, before, side, side) -> (images, after, side / stride, side / stride)."""
        branch = functional.relu(self.norm1(self.convolution1(maps)))
        branch = self.norm2(self.convolution2(branch))
        shortcut = maps[:, :, :: self.stride, :: self.stride]
        left = self.missing // 2
        shortcut = functional.pad(shortcut, (0, 0, 0, 0, left, self.missing - left))
        return functional.relu(branch + shortcut)


class CNN(nn.Module):
    """VGG or ResNet.

    Parameters
    ----------
    network : Network
        Its `architecture`, `inner_channels` (filters of the first stage), `image_size` and `dropout`
        (before the last layer).
    labels : int
        Number of output units.
    """

    def __init__(self, network: Network, labels: int) -> None:
        super().__init__()
        self.network, self.labels = network, labels
        maps = network.filter_maps
        residual = network.architecture.startswith("resnet")
        channels = maps[0].filters if residual else 3
        self.stem = Convolution(3, channels) if residual else nn.Identity()
        block = BasicBlock if residual else Convolution
        layers: list[nn.Module] = []
        for (filters, _), halved in zip(maps, halves(maps, network.image_size)):
            layers.append(block(channels, filters, halved))
            channels = filters
        self.blocks = nn.ModuleList(layers)
        self.dropout = nn.Dropout(network.dropout)
        self.average = residual
        self.readout = nn.Linear(channels if residual else channels * maps[-1].side ** 2, labels)
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """(images, 3, side, side), normalised -> (images, labels)."""
        maps = self.trunk(images)
        features = maps.mean((2, 3)) if self.average else maps.flatten(1)
        return self.readout(self.dropout(features))

    def trunk(self, images: Tensor) -> Tensor:
        """Everything before the readout: (images, filters, side, side) of the last block."""
        maps = self.stem(images.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            maps = block(maps)
        return maps


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
