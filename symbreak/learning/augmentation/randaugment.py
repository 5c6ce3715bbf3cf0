"""RandAugment (arXiv:1909.13719) with its own operations and magnitudes for every image of a batch.

The fifteen operations and their scales are those of the increasing set of the published CCT recipe,
``rand-m9-mstd0.5-inc1``: two layers, each applied with probability 1/2, magnitude 9 with a standard
deviation of 0.5 on a scale to 10. Colour operations act on whole numbers 0 ... 255, as on image files.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from symbreak.learning.augmentation.affine import affine_maps, warp
from symbreak.learning.augmentation.draws import Draws

APPLY_PROBABILITY = 0.5
MAGNITUDE_DEVIATION = 0.5

_GREY = (0.2989, 0.587, 0.114)


def _column(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _blend(images: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """Return weight * image + (1 - weight) * other, cut to 0 ... 255 and to whole numbers."""
    weight = _column(weight)
    return (weight * images + (1 - weight) * other).clamp(0, 255).to(torch.uint8)


def _greyscale(images: Tensor) -> Tensor:
    """Return the luma, whole numbers as float, shape (images, 1, height, width)."""
    weights = torch.tensor(_GREY, device=images.device)[:, None, None]
    return (images * weights).sum(dim=1, keepdim=True).floor()


def autocontrast(images: Tensor, _: Tensor) -> Tensor:
    """Stretch every channel of every image to 0 ... 255; a constant channel stays as it is."""
    pixels = images.float()
    low, high = pixels.amin(dim=(2, 3), keepdim=True), pixels.amax(dim=(2, 3), keepdim=True)
    flat = low == high
    scale = 255 / torch.where(flat, 255, high - low)
    return ((pixels - torch.where(flat, 0, low)) * scale).clamp(0, 255).to(torch.uint8)


def equalize(images: Tensor, _: Tensor) -> Tensor:
    """Make the histogram of every channel of every image as flat as a look-up table can."""
    n, channels = images.shape[:2]
    values = images.reshape(n * channels, -1).long()
    histogram = torch.zeros(n * channels, 256, dtype=torch.int64, device=images.device)
    histogram.scatter_add_(1, values, torch.ones_like(values))
    # The brightest occupied level is left out of the count: it maps to 255 by itself.
    brightest = histogram.gather(1, values.amax(dim=1, keepdim=True))
    step = (values.shape[1] - brightest) // 255
    before = histogram.cumsum(dim=1) - histogram
    table = ((before + step // 2) // step.clamp(min=1)).clamp(0, 255)
    table = torch.where(step == 0, torch.arange(256, device=images.device), table)
    return table.gather(1, values).to(torch.uint8).reshape(images.shape)


def invert(images: Tensor, _: Tensor) -> Tensor:
    """Return the negative."""
    return 255 - images


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Keep the highest ``bits`` bits of every value."""
    step = _column(2 ** (8 - bits.int()))
    return (torch.div(images, step, rounding_mode="floor") * step).to(torch.uint8)


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert all values from ``threshold`` on."""
    return torch.where(images >= _column(threshold), 255 - images, images)


def solarize_add(images: Tensor, added: Tensor) -> Tensor:
    """Add a number to all values below 128."""
    brighter = (images + _column(added)).clamp(0, 255).to(torch.uint8)
    return torch.where(images < 128, brighter, images)


def color(images: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance from grey."""
    return _blend(images, _greyscale(images), factor)


def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance from the mean grey of the image."""
    return _blend(images, _greyscale(images).mean(dim=(2, 3), keepdim=True), factor)


def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Scale all values."""
    return _blend(images, torch.zeros((), device=images.device), factor)


def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance from a smoothed copy; the rim of one pixel stays."""
    pixels = images.float()
    smooth = pixels.clone()
    middle = pixels[:, :, 1:-1, 1:-1]
    # Weights 5 in the middle and 1 around it, of 13: nine times the mean and four more of the middle.
    smooth[:, :, 1:-1, 1:-1] = ((9 * avg_pool2d(pixels, 3, 1) + 4 * middle) / 13).round()
    return _blend(images, smooth, factor)


#: Operation and how a level 0 ... 1 and a random sign become its argument.
COLOUR_OPERATIONS: tuple[
    tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]], ...
] = (
    (autocontrast, lambda level, sign: level),
    (equalize, lambda level, sign: level),
    (invert, lambda level, sign: level),
    (posterize, lambda level, sign: 4 - (4 * level).floor()),
    (solarize, lambda level, sign: 256 - (256 * level).floor()),
    (solarize_add, lambda level, sign: (110 * level).floor()),
    (color, lambda level, sign: 1 + 0.9 * sign * level),
    (contrast, lambda level, sign: 1 + 0.9 * sign * level),
    (brightness, lambda level, sign: 1 + 0.9 * sign * level),
    (sharpness, lambda level, sign: 1 + 0.9 * sign * level),
)
#: Rotation (degrees), shear x and y, shift x and y (fraction of the side) at the highest level.
GEOMETRIC_LARGEST = (30.0, 0.3, 0.3, 0.45, 0.45)
N_OPERATIONS = len(GEOMETRIC_LARGEST) + len(COLOUR_OPERATIONS)


def on_some(images: Tensor, chosen: Tensor, operation: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
    """Apply an operation to the chosen images only.

    On a CPU only those are computed; elsewhere all are, and the others put back, because asking which
    ones they are would make the device wait for the host.

    Parameters
    ----------
    images : Tensor
        Shape (images, channels, height, width); changed in place on a CPU.
    chosen : Tensor
        ``bool``, shape (images,).
    operation : callable
        From the images and the arguments to images.
    *arguments : Tensor
        One row per image.

    Returns
    -------
    Tensor
        As ``images``.

    Examples
    --------
    >>> images = torch.zeros(2, 1, 1, 1, dtype=torch.uint8)
    >>> on_some(images, torch.tensor([True, False]), invert, torch.zeros(2)).flatten().tolist()
    [255, 0]
    """
    if images.device.type != "cpu":
        return torch.where(_column(chosen), operation(images, *arguments), images)
    rows = chosen.nonzero().flatten()
    if len(rows):
        images[rows] = operation(images[rows], *(argument[rows] for argument in arguments))
    return images


def randaugment(
    images: Tensor,
    draws: Draws,
    magnitude: float,
    layers: int,
    fill: Tensor,
    probability: float = APPLY_PROBABILITY,
) -> Tensor:
    """Apply ``layers`` random operations one after the other to every image.

    Parameters
    ----------
    images : Tensor
        ``uint8``, shape (images, 3, height, width); not changed.
    draws : Draws
        Source of randomness.
    magnitude : float
        Mean magnitude, 0 ... 10.
    layers : int
        How many operations.
    fill : Tensor
        Colour that enters from outside, 0 ... 255, shape (3,).
    probability : float
        Probability that a drawn operation is applied.

    Returns
    -------
    Tensor
        ``uint8``, as ``images``.

    Examples
    --------
    >>> images = torch.full((4, 3, 8, 8), 50, dtype=torch.uint8)
    >>> draws = Draws(torch.Generator().manual_seed(0), 4, images.device)
    >>> randaugment(images, draws, 9.0, 2, torch.zeros(3)).shape
    torch.Size([4, 3, 8, 8])
    """
    images = images.clone()
    for _ in range(layers):
        kind = draws.below(N_OPERATIONS)
        kind = torch.where(draws.chance(probability), kind, -1)
        level = (magnitude + MAGNITUDE_DEVIATION * draws.normal()).clamp(0, 10) / 10
        sign = torch.where(draws.chance(0.5), 1.0, -1.0)
        images = apply_operations(images, kind, level, sign, fill)
    return images


def apply_operations(images: Tensor, kind: Tensor, level: Tensor, sign: Tensor, fill: Tensor) -> Tensor:
    """Apply to every image the operation of its number: geometric ones 0 ... 4, colour ones 5 ... 14.

    Parameters
    ----------
    images : Tensor
        ``uint8``, shape (images, 3, height, width); may be changed in place.
    kind : Tensor
        Number of the operation, ``int64``, shape (images,); -1 = none.
    level : Tensor
        0 ... 1, shape (images,).
    sign : Tensor
        1 or -1 for operations that have a direction, shape (images,).
    fill : Tensor
        Colour that enters from outside, shape (3,).

    Returns
    -------
    Tensor
        ``uint8``, as ``images``.

    Examples
    --------
    >>> images, one = torch.full((1, 3, 4, 4), 5, dtype=torch.uint8), torch.ones(1)
    >>> apply_operations(images, torch.tensor([7]), one, one, torch.zeros(3)).unique().tolist()  # inverted
    [250]
    """
    height, width = images.shape[2:]
    largest = torch.tensor(GEOMETRIC_LARGEST, device=images.device)
    largest[3:] *= torch.tensor([width, height], device=images.device)
    numbers = torch.arange(len(GEOMETRIC_LARGEST), device=images.device)
    amounts = torch.where(kind[:, None] == numbers, (level * sign)[:, None] * largest, 0)
    theta = affine_maps(amounts, (height, width))
    geometric = (kind >= 0) & (kind < len(GEOMETRIC_LARGEST))
    images = on_some(images, geometric, lambda some, maps: warp(some, maps, fill), theta)
    for number, (operation, argument) in enumerate(COLOUR_OPERATIONS, start=len(GEOMETRIC_LARGEST)):
        images = on_some(images, kind == number, operation, argument(level, sign))
    return images
