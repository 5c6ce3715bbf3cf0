"""Random crop and flip by one gather, random resized crop by one interpolation; one draw per image."""

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from symbreak.learning.augmentation.affine import to_pixels
from symbreak.learning.augmentation.draws import Draws, first_that


def crop_and_flip(images: Tensor, top: Tensor, left: Tensor, flip: Tensor, padding: int) -> Tensor:
    """Cut every image out of its zero-padded self and mirror some left to right, in one gather.

    Parameters
    ----------
    images : Tensor
        Shape (images, channels, height, width), any type.
    top, left : Tensor
        First row and column of the cut in the padded image, ``int64`` 0 ... 2 * padding, shape (images,).
    flip : Tensor
        Which images to mirror after the cut, ``bool``, shape (images,).
    padding : int
        Width of the black rim added on every side.

    Returns
    -------
    Tensor
        As ``images``.

    Examples
    --------
    >>> line = torch.tensor([[[[1, 2, 3]]]], dtype=torch.uint8)
    >>> crop_and_flip(line, torch.tensor([1]), torch.tensor([2]), torch.tensor([True]), 1).tolist()
    [[[[0, 3, 2]]]]
    """
    n, channels, height, width = images.shape
    rows = top[:, None] + torch.arange(height, device=images.device)
    steps = torch.arange(width, device=images.device)
    columns = left[:, None] + torch.where(flip[:, None], width - 1 - steps, steps)
    if padding:
        images = pad(images, (padding,) * 4)
    index = rows[:, :, None] * images.shape[-1] + columns[:, None, :]
    index = index.reshape(n, 1, height * width).expand(n, channels, -1)
    return images.flatten(2).gather(2, index).reshape(n, channels, height, width)


def random_crop_and_flip(images: Tensor, draws: Draws, padding: int, flip_probability: float) -> Tensor:
    """Cut at a random place of the zero-padded image and mirror at random.

    Parameters
    ----------
    images : Tensor
        Shape (images, channels, height, width).
    draws : Draws
        Source of randomness.
    padding : int
        Pixels by which an image may shift either way; 0 = no shift.
    flip_probability : float
        Probability of a left-right mirror image.

    Returns
    -------
    Tensor
        As ``images``.

    Examples
    --------
    >>> images = torch.arange(12, dtype=torch.uint8).reshape(1, 3, 2, 2)
    >>> draws = Draws(torch.Generator().manual_seed(0), 1, images.device)
    >>> torch.equal(random_crop_and_flip(images, draws, 0, 1.0), images.flip(3))
    True
    """
    top = left = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    if padding:
        top, left = draws.below(2 * padding + 1), draws.below(2 * padding + 1)
    flip = draws.chance(flip_probability) if flip_probability else torch.zeros_like(top, dtype=torch.bool)
    return crop_and_flip(images, top, left, flip, padding)


def resized_crop(images: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Enlarge a box of every image to the size of the image, bilinearly.

    Parameters
    ----------
    images : Tensor
        ``uint8``, shape (images, channels, height, width).
    top, left, height, width : Tensor
        The boxes in pixels, shape (images,).

    Returns
    -------
    Tensor
        ``uint8``, as ``images``; nothing outside a box leaks into its picture.

    Examples
    --------
    >>> images = torch.tensor([[[[0, 0, 100, 200]]]], dtype=torch.uint8)
    >>> one, two = torch.tensor([1]), torch.tensor([2])
    >>> resized_crop(images, 0 * one, two, one, two).flatten().tolist()
    [100, 125, 175, 200]
    """

    def positions(start: Tensor, extent: Tensor, size: int) -> Tensor:
        start, extent = start[:, None].float(), extent[:, None].float()
        centres = torch.arange(size, device=images.device) + 0.5
        inside = (centres * extent / size).clamp(
            min=torch.tensor(0.5, device=images.device), max=extent - 0.5
        )
        return (start + inside) * (2 / size) - 1

    x = positions(left, width, images.shape[3])
    y = positions(top, height, images.shape[2])
    size = (len(images), *images.shape[2:])
    grid = torch.stack([x[:, None, :].expand(size), y[:, :, None].expand(size)], dim=-1)
    # The corner pixels of a box are sampled exactly at their centres, so that the padding is never seen.
    return to_pixels(grid_sample(images.float(), grid, padding_mode="border", align_corners=False))


def random_resized_crop(
    images: Tensor, draws: Draws, smallest: float, ratio: tuple[float, float] = (3 / 4, 4 / 3)
) -> Tensor:
    """Enlarge a random box of every image: area uniform, logarithm of the aspect ratio uniform.

    Parameters
    ----------
    images : Tensor
        ``uint8``, shape (images, channels, height, width).
    draws : Draws
        Source of randomness.
    smallest : float
        Smallest area of the box as a fraction of the image; the largest is 1.
    ratio : tuple of float
        Smallest and largest width over height.

    Returns
    -------
    Tensor
        ``uint8``, as ``images``. Of ten boxes the first that fits is used, the whole image if none does.

    Examples
    --------
    >>> images = torch.full((2, 3, 8, 8), 7, dtype=torch.uint8)
    >>> draws = Draws(torch.Generator().manual_seed(0), 2, images.device)
    >>> random_resized_crop(images, draws, 0.5).unique().tolist()
    [7]
    """
    rows, columns = images.shape[2:]
    area = draws.uniform(smallest, 1, 10) * (rows * columns)
    aspect = draws.uniform(math.log(ratio[0]), math.log(ratio[1]), 10).exp()
    width, height = (area * aspect).sqrt().round().long(), (area / aspect).sqrt().round().long()
    fits = (width >= 1) & (width <= columns) & (height >= 1) & (height <= rows)
    width, height = first_that(fits, width, columns), first_that(fits, height, rows)
    top, left = draws.below(rows - height + 1), draws.below(columns - width + 1)
    return resized_crop(images, top, left, height, width)
