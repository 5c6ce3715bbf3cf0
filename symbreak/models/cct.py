"""The compact convolutional transformer (CCT).

Source: Hassani et al., arXiv:2104.05704. Order of operations in an encoder
block as in the published implementation: the residual stream is *replaced* by
its LayerNorm before the feed-forward branch.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.config import Network


class StochasticDepth(nn.Module):
    """Residual connection whose branch is left out for whole images with a given probability.

    Source: Huang et al., arXiv:1603.09382.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, stream: Tensor, branch: Tensor) -> Tensor:
        """Add the branch; in training only that of some images, scaled up to keep the mean."""
        if not self.training or self.probability == 0.0:
            return stream + branch
        return stream + branch * (self.draw(stream) * self.gain)

    def draw(self, stream: Tensor) -> Tensor:
        """Draw which images keep their branch, 1 or 0, shape (images, 1, 1)."""
        return stream.new_empty(len(stream), 1, 1).bernoulli_(1.0 - self.probability)

    @property
    def gain(self) -> float:
        """Factor of the branches that stay."""
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
        images = images.contiguous(memory_format=torch.channels_last)
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
    """Convolutions with ReLU on the map of the tokens, after the encoder blocks (P2 section 3).

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


def attention(qkv: Tensor, heads: int, dropout: float = 0.0) -> Tensor:
    r"""Scaled dot-product attention of every head, ``softmax(q k^T / sqrt(d)) v``, heads side by side.

    Source: Vaswani et al., arXiv:1706.03762, eq. 1.

    Parameters
    ----------
    qkv : Tensor
        Queries, keys and values side by side, shape (images, tokens, 3 * dim).
    heads : int
        Number of heads; head h has nodes h * d ... (h + 1) * d - 1 of each of the three.
    dropout : float
        Probability that an attention weight is left out.

    Returns
    -------
    Tensor
        Shape (images, tokens, dim).

    Examples
    --------
    >>> qkv = torch.tensor([[[0.0, 0.0, 0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0, 1.0, 4.0]]])
    >>> attention(qkv, heads=2).tolist()  # equal weights: the mean of the values
    [[[1.0, 3.0], [1.0, 3.0]]]
    """
    query, key, value = qkv.unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    by_head = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
    return by_head.transpose(1, 2).flatten(2)


class Block(nn.Module):
    """One encoder block; its taps are inputs and outputs of its layers (`symbreak.taps`)."""

    # What `symbreak.models.cpu` has of its own.
    linear_layer: type[nn.Linear] = nn.Linear
    attention = staticmethod(attention)

    def __init__(self, network: Network, heads: int, stochastic_depth: float) -> None:
        super().__init__()
        dim, hidden = network.dim, network.hidden
        self.heads = heads
        self.attention_dropout = network.attention_dropout
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = self.linear_layer(dim, 3 * dim, bias=False)
        self.projection = self.linear_layer(dim, dim)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.linear1 = self.linear_layer(dim, hidden)
        self.linear2 = self.linear_layer(hidden, dim)
        self.dropout = nn.Dropout(network.dropout)
        self.stochastic_depth = StochasticDepth(stochastic_depth)

    def forward(self, stream: Tensor) -> Tensor:
        """(images, tokens, dim) -> (images, tokens, dim)."""
        stream = self.stochastic_depth(stream, self.attend(self.attention_norm(stream)))
        stream = self.feedforward_norm(stream)  # the residual stream itself is replaced
        return self.stochastic_depth(stream, self.feed_forward(stream))

    def attend(self, tokens: Tensor) -> Tensor:
        """Attention of every head, heads concatenated, and the output projection."""
        dropout = self.attention_dropout if self.training else 0.0
        return self.dropout(self.projection(self.attention(self.qkv(tokens), self.heads, dropout)))

    def feed_forward(self, tokens: Tensor) -> Tensor:
        """Two fully connected layers with GELU between them."""
        hidden = functional.gelu(self.linear1(tokens))
        return self.dropout(self.linear2(self.dropout(hidden)))


class CCT(nn.Module):
    """Compact convolutional transformer.

    Parameters
    ----------
    network : Network
        Shape of the network, see `symbreak.config.Network`.
    labels : int
        Number of output units.
    block : type of Block
        What its encoder blocks are made of.
    """

    def __init__(self, network: Network, labels: int, block: type[Block] = Block) -> None:
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
        self.blocks = nn.ModuleList(block(network, h, p) for h, p in zip(network.heads_per_block, depth))
        self.behind = Convolutions(network) if network.convolutions_behind else nn.Identity()
        self.norm = nn.LayerNorm(network.dim)
        self.pooling = nn.Linear(network.dim, 1)
        self.readout = nn.Linear(network.dim, labels)
        self.apply(_initialise)
        if network.positional_embedding == "learnable":
            nn.init.trunc_normal_(self.positional_embedding, std=0.2)

    def forward(self, images: Tensor) -> Tensor:
        """(images, 3, side, side), normalised -> (images, labels)."""
        tokens = self.norm(self.trunk(images))
        weights = self.pooling(tokens).softmax(dim=1)
        return self.readout((weights.transpose(1, 2) @ tokens).squeeze(1))

    def trunk(self, images: Tensor) -> Tensor:
        """Everything before the final norm: (images, 3, side, side) -> (images, tokens, dim)."""
        stream = self.tokenizer(images)
        if self.positional_embedding is not None:
            stream = stream + self.positional_embedding
        stream = self.dropout(stream)
        for block in self.blocks:
            stream = block(stream)
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
