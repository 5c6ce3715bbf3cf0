"""The published compact convolutional transformer, written plainly, with the published key names.

An independent statement of the mathematics (explicit softmax attention, no taps)
that `symbreak.models` must reproduce.
"""

from itertools import pairwise

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads)
        q, k, v = (qkv[:, :, i].transpose(1, 2) for i in range(3))
        weights = torch.softmax(q @ k.transpose(2, 3) * self.scale, dim=3)
        return self.proj((weights @ v).transpose(1, 2).reshape(batch, tokens, dim))


class EncoderLayer(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.pre_norm, self.norm1 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.self_attn = Attention(dim, heads)
        self.linear1, self.linear2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)

    def forward(self, x):
        x = self.norm1(x + self.self_attn(self.pre_norm(x)))
        return x + self.linear2(nn.functional.gelu(self.linear1(x)))


class Classifier(nn.Module):
    def __init__(self, tokens, dim, heads, blocks, hidden, labels):
        super().__init__()
        self.positional_emb = nn.Parameter(0.2 * torch.randn(1, tokens, dim))
        self.blocks = nn.ModuleList(EncoderLayer(dim, heads, hidden) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)
        self.attention_pool = nn.Linear(dim, 1)
        self.fc = nn.Linear(dim, labels)

    def forward(self, x):
        x = x + self.positional_emb
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        weights = torch.softmax(self.attention_pool(x), dim=1)
        return self.fc((weights * x).sum(dim=1))


class Tokenizer(nn.Module):
    def __init__(self, dim, kernel, convolutions):
        super().__init__()
        channels = [3] + [64] * (convolutions - 1) + [dim]
        self.conv_layers = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(a, b, kernel, max(1, kernel // 2 - 1), max(1, kernel // 2), bias=False),
                    nn.ReLU(),
                    nn.MaxPool2d(3, 2, 1),
                )
                for a, b in pairwise(channels)
            )
        )

    def forward(self, x):
        return self.conv_layers(x).flatten(2).transpose(1, 2)


class PlainCCT(nn.Module):
    """CCT-`blocks`/`kernel`x`convolutions` for 32 x 32 images."""

    def __init__(self, blocks, kernel, convolutions, dim, heads, labels=100):
        super().__init__()
        self.tokenizer = Tokenizer(dim, kernel, convolutions)
        tokens = self.tokenizer(torch.zeros(1, 3, 32, 32)).shape[1]
        self.classifier = Classifier(tokens, dim, heads, blocks, 2 * dim, labels)

    def forward(self, x):
        return self.classifier(self.tokenizer(x))
