"""Names of convolutional networks, and how many filters on which map each of their blocks has."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

#: Convolutions in each of the five stages of the published VGG networks; 6 is one in each stage.
VGG_STAGES: dict[int, tuple[int, ...]] = {
    6: (1, 1, 1, 1, 1),
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}

#: Filters of the five VGG stages and of the three ResNet stages, in units of the first stage.
VGG_WIDTHS = (1, 2, 4, 8, 8)
RESNET_WIDTHS = (1, 2, 4)


class FilterMap(NamedTuple):
    """Output of one convolutional block: `filters` square maps of `side` pixels."""

    filters: int
    side: int


def filter_maps(architecture: str, width: int, image_size: int) -> tuple[FilterMap, ...]:
    """Filters and map of every block of a convolutional network.

    Parameters
    ----------
    architecture : str
        ``vgg_{layers}``: blocks are convolutions, five stages, each ends with max-pooling by two
        (arXiv:1409.1556). ``resnet_{layers}``: blocks are the basic blocks of two convolutions,
        three stages of ``(layers - 2) / 6`` (arXiv:1512.03385, section 4.2).
    width : int
        Filters of the first stage.
    image_size : int
        Side of the input in pixels.

    Raises
    ------
    ValueError
        If there is no such network, or the image is too small or not divisible for it.

    Examples
    --------
    >>> [tuple(block) for block in filter_maps("vgg_6", 64, 32)]
    [(64, 16), (128, 8), (256, 4), (512, 2), (512, 1)]
    >>> [block.filters for block in filter_maps("resnet_20", 16, 32)]
    [16, 16, 16, 32, 32, 32, 64, 64, 64]
    """
    family, layers = architecture.split("_")[0], int(architecture.split("_")[1])
    stages = _stages(family, layers)
    halvings = 5 if family == "vgg" else 2
    if image_size % 2**halvings:
        raise ValueError(
            f"{architecture} halves its map {halvings} times and image_size = {image_size} is no multiple of "
            f"{2**halvings}; choose one"
        )
    maps, side = [], image_size
    for stage, (convolutions, times) in enumerate(stages):
        if family == "resnet" and stage:  # a ResNet halves at the start of a stage, a VGG at its end
            side //= 2
        maps += [FilterMap(times * width, side)] * convolutions
        if family == "vgg":
            side //= 2
            maps[-1] = FilterMap(times * width, side)
    return tuple(maps)


def halves(maps: tuple[FilterMap, ...], image_size: int) -> list[bool]:
    """Tell which blocks halve the side of their map.

    Examples
    --------
    >>> halves(filter_maps("resnet_20", 16, 32), 32)
    [False, False, False, True, False, False, True, False, False]
    """
    sides = [image_size, *(block.side for block in maps)]
    return [after < before for before, after in pairwise(sides)]


def _stages(family: str, layers: int) -> list[tuple[int, int]]:
    """Blocks and relative width of every stage."""
    if family == "vgg" and layers in VGG_STAGES:
        return list(zip(VGG_STAGES[layers], VGG_WIDTHS))
    if family == "resnet" and layers >= 8 and (layers - 2) % 6 == 0:
        return [((layers - 2) // 6, times) for times in RESNET_WIDTHS]
    known = "one of " + ", ".join(f"vgg_{n}" for n in VGG_STAGES) + ", or resnet_20, resnet_32 … (6 n + 2)"
    raise ValueError(f"there is no network {family}_{layers}; choose {known}")
