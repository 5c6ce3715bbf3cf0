"""The compact convolutional transformer (CCT) with every tap named.

Source: Hassani et al., arXiv:2104.05704. Order of operations in an encoder
block as in the published implementation: the residual stream is *replaced* by
its LayerNorm before the feed-forward branch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.config import Network
from symbreak.models.cpu.attention import attend
from symbreak.models.cpu.gelu import gelu
from symbreak.models.cpu.layout import channels_last, one_by_one_on_a_cpu
from symbreak.models.cpu.linear import Linear
from symbreak.models.cpu.residual import Kept, joined, normed

#: Receives the name of a tap and its tensor, shape (images, tokens, nodes).
Record = Callable[[str, Tensor], None]


class StochasticDepth(nn.Module):
    """Residual connection whose branch is left out for whole images with a given probability.

    Source: Huang et al., arXiv:1603.09382.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, stream: Tensor, branch: Callable[[], Tensor]) -> Tensor:
        """Add the branch; in training only that of some images, scaled up to keep the mean."""
        if not self.training or self.probability == 0.0:
            return stream + branch()
        mask = self._draw(stream)
        return stream + branch() * (mask * self._gain)

    def keep(self, stream: Tensor) -> Kept:
        """Choose images in training, to compute the branch of no others."""
        if self.probability == 0.0:
            return Kept(torch.arange(len(stream)), len(stream), gain=1.0)
        return Kept(self._draw(stream).flatten().nonzero().flatten(), len(stream), self._gain)

    def _draw(self, stream: Tensor) -> Tensor:
        return stream.new_empty(len(stream), 1, 1).bernoulli_(1.0 - self.probability)

    @property
    def _gain(self) -> float:
        return 1.0 / (1.0 - self.probability) if self.probability < 1.0 else 0.0


class Tokenizer(nn.Module):
    """Convolutions with ReLU and max-pooling that turn an image into tokens."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        _, kernel, convolutions = network.shape
        stride, padding = max(1, kernel // 2 - 1), max(1, kernel // 2)
        self.kernel, self.stride, self.padding = kernel, stride, padding
        layers = [nn.Conv2d(a, b, kernel, stride, padding, bias=False) for a, b in pairwise(network.channels)]
        self.convolutions = nn.ModuleList(layers)
        self.pooled = [network.pooling == "every" or i == 0 for i in range(convolutions)]
        for convolution in layers:
            nn.init.kaiming_normal_(convolution.weight)

    def forward(self, images: Tensor) -> Tensor:
        """(images, 3, side, side) -> (images, tokens, dim)."""
        images = channels_last(images)
        for convolution, pool in zip(self.convolutions, self.pooled):
            images = convolution(images)
            if pool:  # before the ReLU, with which it commutes: a quarter of the elements
                images = functional.max_pool2d(images, 3, 2, 1)
            images = functional.relu(images)
        return images.flatten(2).transpose(1, 2)

    def tokens(self, side: int) -> int:
        """Count the tokens of a square image of `side` pixels."""
        for pool in self.pooled:
            side = (side + 2 * self.padding - self.kernel) // self.stride + 1
            side = (side + 2 - 3) // 2 + 1 if pool else side
        return side * side


class Convolutions(nn.Module):
    """Convolutions with ReLU on the map of the tokens, behind the encoder blocks (P2 section 3).

    "An initial CL tokenizer connected to two transformer blocks followed by four CLs", arXiv:2506.23832: as
    many tokens go out as come in, there is no max-pooling and no skip connection.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        dim, kernel = network.dim, network.shape[1]
        layers = [
            nn.Conv2d(dim, dim, kernel, padding="same", bias=False)
            for _ in range(network.convolutions_behind)
        ]
        self.convolutions = nn.ModuleList(layers)
        for convolution in layers:
            nn.init.kaiming_normal_(convolution.weight)

    def forward(self, stream: Tensor) -> Tensor:
        """(images, tokens, dim) -> (images, tokens, dim)."""
        side = math.isqrt(stream.shape[1])
        maps = stream.transpose(1, 2).unflatten(2, (side, side))
        for convolution in self.convolutions:
            maps = functional.relu(convolution(maps))
        return maps.flatten(2).transpose(1, 2)


class Block(nn.Module):
    """One encoder block; `record` hears every tap."""

    def __init__(self, network: Network, heads: int, stochastic_depth: float) -> None:
        super().__init__()
        dim, hidden = network.dim, network.hidden
        self.heads = heads
        self.attention_dropout = network.attention_dropout
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = Linear(dim, 3 * dim, bias=False)
        self.projection = Linear(dim, dim)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.linear1 = Linear(dim, hidden)
        self.linear2 = Linear(hidden, dim)
        self.dropout = nn.Dropout(network.dropout)
        self.stochastic_depth = StochasticDepth(stochastic_depth)

    def forward(self, stream: Tensor, record: Record | None = None) -> Tensor:
        """(images, tokens, dim) -> (images, tokens, dim)."""
        if self.training and record is None and one_by_one_on_a_cpu(stream):  # a tap holds every image
            return self._of_kept_images(stream)
        hear = record or _nobody
        stream = self.stochastic_depth(stream, lambda: self._attention(self.attention_norm(stream), hear))
        hear("projection_skip", stream)
        stream = self.feedforward_norm(stream)  # the residual stream itself is replaced
        hear("feedforward_norm", stream)
        stream = self.stochastic_depth(stream, lambda: self._feedforward(stream, hear))
        hear("block", stream)
        return stream

    def _of_kept_images(self, stream: Tensor) -> Tensor:
        """The same without computing the branches that stochastic depth leaves out."""
        kept = self.stochastic_depth.keep(stream)
        stream, tokens = normed(stream, self.attention_norm, kept, replace=False)
        stream = joined(stream, self._attention(tokens, _nobody), kept)
        kept = self.stochastic_depth.keep(stream)
        stream, tokens = normed(stream, self.feedforward_norm, kept, replace=True)
        return joined(stream, self._feedforward(tokens, _nobody), kept)

    def _attention(self, tokens: Tensor, hear: Record) -> Tensor:
        qkv = self.qkv(tokens)
        attention = attend(qkv, self.heads, self.attention_dropout if self.training else 0.0)
        projection = self.projection(attention)
        hear("attention_norm", tokens)
        hear("qkv", qkv)
        for name, part in zip(("query", "key", "value"), qkv.chunk(3, dim=-1)):
            hear(name, part)
        hear("attention", attention)
        hear("projection", projection)
        return self.dropout(projection)

    def _feedforward(self, stream: Tensor, hear: Record) -> Tensor:
        hidden = gelu(self.linear1(stream))
        branch = self.linear2(self.dropout(hidden))
        hear("linear1", hidden)
        hear("linear2", branch)
        return self.dropout(branch)


def _nobody(name: str, tensor: Tensor) -> None:
    """Nobody listens to the taps."""


class CCT(nn.Module):
    """Compact convolutional transformer.

    Parameters
    ----------
    network : Network
        Shape of the network, see `symbreak.config.Network`.
    labels : int
        Number of output units.
    """

    def __init__(self, network: Network, labels: int) -> None:
        super().__init__()
        self.network, self.labels = network, labels
        self.tokenizer = Tokenizer(network)
        tokens = self.tokenizer.tokens(network.image_size)
        self.register_parameter("positional_embedding", None)
        if network.positional_embedding == "learnable":
            self.positional_embedding = nn.Parameter(torch.empty(1, tokens, network.dim))
        elif network.positional_embedding == "sine":
            self.positional_embedding = nn.Parameter(_sine(tokens, network.dim), requires_grad=False)
        self.dropout = nn.Dropout(network.dropout)
        depth = torch.linspace(0, network.stochastic_depth, network.blocks, device="cpu").tolist()
        self.blocks = nn.ModuleList(Block(network, h, p) for h, p in zip(network.heads_per_block, depth))
        self.behind = Convolutions(network) if network.convolutions_behind else nn.Identity()
        self.norm = nn.LayerNorm(network.dim)
        self.pooling = nn.Linear(network.dim, 1)
        self.readout = nn.Linear(network.dim, labels)
        self.apply(_initialise)
        if network.positional_embedding == "learnable":
            nn.init.trunc_normal_(self.positional_embedding, std=0.2)

    def forward(self, images: Tensor, record: Callable[[int, str, Tensor], None] | None = None) -> Tensor:
        """(images, 3, side, side), normalised -> (images, labels); `record` hears block, tap and tensor."""
        tokens = self.norm(self.trunk(images, record))
        weights = self.pooling(tokens).softmax(dim=1)
        return self.readout((weights.transpose(1, 2) @ tokens).squeeze(1))

    def trunk(self, images: Tensor, record: Callable[[int, str, Tensor], None] | None = None) -> Tensor:
        """Everything before the final norm; `record` hears block (from 1), tap and tensor."""
        stream = self.tokenizer(images)
        if self.positional_embedding is not None:
            stream = stream + self.positional_embedding
        stream = self.dropout(stream)
        for number, block in enumerate(self.blocks, start=1):
            hear = (lambda name, tensor, n=number: record(n, name, tensor)) if record else None
            stream = block(stream, hear)
        return self.behind(stream)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _sine(tokens: int, dim: int) -> Tensor:
    """Sinusoidal positions as published with CCT: sine on even, cosine on odd channels."""
    position = torch.arange(tokens, dtype=torch.float64)[:, None]
    frequency = torch.exp(-math.log(1e4) * 2 * (torch.arange(dim) // 2) / dim)
    angle = position * frequency
    return torch.where(torch.arange(dim) % 2 == 0, angle.sin(), angle.cos()).float()[None]
