"""The published training step, written plainly: what `benchmarks.step` compares ours with.

Explicit softmax attention, an optimiser that goes through the parameters one by one, and a DataLoader that
augments one image after the other with PIL, as the official implementation of arXiv:2104.05704 does. It is
the same mathematics with all regularisation on: dropout of attention weights, stochastic depth, RandAugment,
MixUp or CutMix (one draw for the whole batch), random erasing, label smoothing.
"""

import math

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

LABELS, DIM, HEADS, BLOCKS, HIDDEN, SIDE = 100, 256, 4, 7, 512, 16
ATTENTION_DROPOUT, STOCHASTIC_DEPTH, SMOOTHING = 0.1, 0.1, 0.1
MEAN, DEVIATION = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)


class Attention(nn.Module):
    """Multi-head attention with its weights written out."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(DIM, 3 * DIM, bias=False)
        self.dropout = nn.Dropout(ATTENTION_DROPOUT)
        self.projection = nn.Linear(DIM, DIM)

    def forward(self, x):
        images, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(images, tokens, 3, HEADS, dim // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = qkv[0], qkv[1], qkv[2]
        weights = (query @ key.transpose(-2, -1)) * (dim // HEADS) ** -0.5
        weights = self.dropout(weights.softmax(dim=-1))
        return self.projection((weights @ value).transpose(1, 2).reshape(images, tokens, dim))


class StochasticDepth(nn.Module):
    """Leave a branch out for some images."""

    def __init__(self, probability):
        super().__init__()
        self.keep = 1 - probability

    def forward(self, x):
        if self.keep == 1.0 or not self.training:
            return x
        mask = (self.keep + torch.rand((x.shape[0], 1, 1), dtype=x.dtype)).floor_()
        return x.div(self.keep) * mask


class Block(nn.Module):
    """An encoder block as published: the residual stream is replaced by its norm."""

    def __init__(self, probability):
        super().__init__()
        self.first_norm, self.second_norm = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.attention = Attention()
        self.linear1, self.linear2 = nn.Linear(DIM, HIDDEN), nn.Linear(HIDDEN, DIM)
        self.stochastic_depth = StochasticDepth(probability)

    def forward(self, x):
        x = self.second_norm(x + self.stochastic_depth(self.attention(self.first_norm(x))))
        return x + self.stochastic_depth(self.linear2(nn.functional.gelu(self.linear1(x))))


class Network(nn.Module):
    """CCT-7/3x1 for images of 32 x 32 pixels."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, DIM, 3, 1, 1, bias=False)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.positions = nn.Parameter(0.2 * torch.randn(1, SIDE * SIDE, DIM))
        depth = torch.linspace(0, STOCHASTIC_DEPTH, BLOCKS).tolist()
        self.blocks = nn.Sequential(*(Block(probability) for probability in depth))
        self.norm, self.pooling = nn.LayerNorm(DIM), nn.Linear(DIM, 1)
        self.readout = nn.Linear(DIM, LABELS)

    def forward(self, images):
        tokens = self.pool(self.convolution(images).relu()).flatten(2).transpose(-2, -1)
        tokens = self.norm(self.blocks(tokens + self.positions))
        weights = self.pooling(tokens).softmax(dim=1)
        return self.readout((weights.transpose(-1, -2) @ tokens).squeeze(-2))


class Pictures(Dataset):
    """Images kept as arrays and made into PIL images one by one, as torchvision's CIFAR is."""

    def __init__(self, images, labels):
        self.images, self.labels = images.permute(0, 2, 3, 1).numpy(), labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomResizedCrop(32, scale=(0.8, 1.0)),
                transforms.RandomHorizontalFlip(),
                transforms.RandAugment(num_ops=2, magnitude=9),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, DEVIATION),
                transforms.RandomErasing(p=0.25, value="random"),
            ]
        )

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def soft_targets(labels):
    """One-hot targets with label smoothing."""
    low = SMOOTHING / LABELS
    targets = torch.full((len(labels), LABELS), low)
    return targets.scatter_(1, labels[:, None], 1 - SMOOTHING + low)


def mixed(images, labels):
    """MixUp or CutMix of a batch with itself turned round, one draw for all of its images."""
    cut = torch.rand(()) < 0.5
    share = float(torch.distributions.Beta(1.0, 1.0).sample() if cut else _beta(0.8))
    if cut:
        side = images.shape[-1]
        half = int(side * math.sqrt(1 - share)) // 2
        row, column = (int(torch.randint(side, ())) for _ in range(2))
        top, bottom = max(row - half, 0), min(row + half, side)
        left, right = max(column - half, 0), min(column + half, side)
        images = images.clone()
        images[:, :, top:bottom, left:right] = images.flip(0)[:, :, top:bottom, left:right]
        share = 1 - (bottom - top) * (right - left) / side**2
    else:
        images = images * share + images.flip(0) * (1 - share)
    targets = soft_targets(labels)
    return images, targets * share + targets.flip(0) * (1 - share)


def _beta(alpha):
    return torch.distributions.Beta(alpha, alpha).sample()


class Training:
    """The plain step, call by call; `precision` is that of its matrix products."""

    def __init__(self, images, labels, batch_size, precision="fp32", device="cpu"):
        self.device, self.precision = torch.device(device), precision
        self.network = Network().to(self.device).train()
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=6e-4, weight_decay=6e-2, foreach=False, fused=False
        )
        self.loader = DataLoader(Pictures(images, labels), batch_size, shuffle=True, drop_last=True)
        self.batches = iter(())

    def step(self):
        """Load, augment, forward, backward, optimise; return the loss as a number, as published."""
        batch = next(self.batches, None)
        if batch is None:
            self.batches = iter(self.loader)
            batch = next(self.batches)
        images, targets = mixed(*batch)
        images, targets = images.to(self.device), targets.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            fields = self.network(images)
        loss = -(targets * fields.float().log_softmax(dim=-1)).sum(dim=-1).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()
