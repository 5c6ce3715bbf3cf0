"""MixUp (arXiv:1710.09412), CutMix (arXiv:1905.04899) and random erasing (arXiv:1708.04896), per image."""

import math

import torch
from torch import Tensor

from symbreak.learning.augmentation.draws import Draws, first_that


def box(top: Tensor, left: Tensor, height: Tensor, width: Tensor, size: tuple[int, int]) -> Tensor:
    """Return masks that are true inside a box of every image; what sticks out of the image is cut off.

    Parameters
    ----------
    top, left, height, width : Tensor
        The boxes in pixels, shape (images,).
    size : tuple of int
        Height and width of the images.

    Returns
    -------
    Tensor
        ``bool``, shape (images, 1, height, width).

    Examples
    --------
    >>> one = torch.tensor([1])
    >>> box(one, one, one, one + 5, (2, 3)).int().tolist()
    [[[[0, 0, 0], [0, 1, 1]]]]
    """
    rows = torch.arange(size[0], device=top.device)
    columns = torch.arange(size[1], device=top.device)
    tall = (rows >= top[:, None]) & (rows < (top + height)[:, None])
    wide = (columns >= left[:, None]) & (columns < (left + width)[:, None])
    return (tall[:, :, None] & wide[:, None, :])[:, None]


def mixing_weights(
    draws: Draws, size: tuple[int, int], mixup: float, cutmix: float, probability: float, switch: float
) -> Tensor:
    """Draw how much every pixel of every image keeps of itself.

    MixUp: one weight lambda ~ Beta(alpha, alpha) for the whole image. CutMix: 0 inside a box with sides
    sqrt(1 - lambda) of the image's, at a uniform centre and cut off at the rim, 1 outside.

    Parameters
    ----------
    draws : Draws
        Source of randomness.
    size : tuple of int
        Height and width of the images.
    mixup, cutmix : float
        The two alphas; 0 = that one is off.
    probability : float
        Probability that an image is mixed at all.
    switch : float
        Probability of CutMix where both are on.

    Returns
    -------
    Tensor
        ``float32``, shape (images, 1, height, width), 0 ... 1.

    Examples
    --------
    >>> draws = Draws(torch.Generator().manual_seed(0), 2, torch.device("cpu"))
    >>> mixing_weights(draws, (4, 4), 0.8, 1.0, 0.0, 0.5).unique().tolist()
    [1.0]
    """
    whole = torch.ones(draws.count, 1, *size, device=draws.device)
    weights = whole
    if mixup:
        weights = whole * draws.beta(mixup)[:, None, None, None]
    if cutmix:
        side = (1 - draws.beta(cutmix)).clamp(min=0).sqrt()
        height, width = (side * size[0]).long(), (side * size[1]).long()
        top, left = draws.below(size[0]) - height // 2, draws.below(size[1]) - width // 2
        cut = (~box(top, left, height, width, size)).float()
        chosen = draws.chance(switch if mixup else 1.0)
        weights = torch.where(chosen[:, None, None, None], cut, weights)
    if probability < 1:
        weights = torch.where(draws.chance(probability)[:, None, None, None], weights, whole)
    return weights


def mix(images: Tensor, labels: Tensor, weights: Tensor, n_labels: int) -> tuple[Tensor, Tensor]:
    """Mix every image with the one before it in the batch, and their labels by the same mean weight.

    Batches are drawn at random, so that the neighbour is a random partner.

    Parameters
    ----------
    images : Tensor
        Shape (images, channels, height, width).
    labels : Tensor
        ``int64``, shape (images,).
    weights : Tensor
        From `mixing_weights`.
    n_labels : int
        Number of labels.

    Returns
    -------
    tuple of Tensor
        ``float32`` images in the same units, and targets of shape (images, n_labels), each with sum 1.

    Examples
    --------
    >>> images = torch.tensor([0, 100], dtype=torch.uint8).reshape(2, 1, 1, 1)
    >>> mixed, targets = mix(images, torch.tensor([0, 1]), torch.full((2, 1, 1, 1), 0.75), 2)
    >>> mixed.flatten().tolist(), targets.tolist()
    ([25.0, 75.0], [[0.75, 0.25], [0.25, 0.75]])
    """
    images = images.float()
    partners = images.roll(1, dims=0)
    kept = weights.mean(dim=(2, 3))
    targets = torch.zeros(len(images), n_labels, device=images.device)
    targets.scatter_add_(1, labels[:, None], kept)
    targets.scatter_add_(1, labels.roll(1)[:, None], 1 - kept)
    return torch.lerp(partners, images, weights), targets


def random_erasing(
    images: Tensor,
    draws: Draws,
    probability: float,
    area: tuple[float, float] = (0.02, 1 / 3),
    aspect: float = 0.3,
) -> Tensor:
    """Replace a random box of some normalised images by standard normal pixel noise.

    Parameters
    ----------
    images : Tensor
        Normalised ``float32``, shape (images, channels, height, width).
    draws : Draws
        Source of randomness.
    probability : float
        Probability for an image.
    area : tuple of float
        Smallest and largest area of the box as fractions of the image.
    aspect : float
        Smallest height over width; the largest is its inverse, and the logarithm is uniform.

    Returns
    -------
    Tensor
        As ``images``. Of ten boxes the first that fits is used, none if none does.

    Examples
    --------
    >>> draws = Draws(torch.Generator().manual_seed(0), 1, torch.device("cpu"))
    >>> bool((random_erasing(torch.zeros(1, 3, 8, 8), draws, 1.0) != 0).any())
    True
    """
    rows, columns = images.shape[2:]
    pixels = draws.uniform(*area, 10) * (rows * columns)
    ratio = draws.uniform(math.log(aspect), -math.log(aspect), 10).exp()
    height, width = (pixels * ratio).sqrt().round().long(), (pixels / ratio).sqrt().round().long()
    fits = (height < rows) & (width < columns)
    height, width = first_that(fits, height, 0), first_that(fits, width, 0)
    top, left = draws.below(rows - height + 1), draws.below(columns - width + 1)
    erased = box(top, left, height, width, (rows, columns)) & draws.chance(probability)[:, None, None, None]
    return torch.where(erased, draws.normal(*images.shape[1:]), images)
