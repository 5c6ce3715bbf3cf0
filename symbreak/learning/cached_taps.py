"""Keep what the frozen trunk says about images that are not augmented, if it fits into memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from symbreak import models
from symbreak.config import Probes, Training
from symbreak.data import ImageSet
from symbreak.learning.batches import normalised_batches
from symbreak.learning.engine import parallel
from symbreak.learning.engine.device import Engine
from symbreak.models.probe import Place
from symbreak.taps import capture

#: Images of a batch -> tap of every place.
Taps = Callable[[Tensor], dict[Place, Tensor]]
#: (images, labels, generator) -> what `Taps` takes, and targets.
Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Source:
    """Where the steps of a training of probes take their taps from.

    Attributes
    ----------
    images : ImageSet
        Batches are drawn from it; with a cache its "images" are the numbers 0, 1, 2, ... of the images.
    augment : callable
        What happens to a batch before `taps`.
    taps : callable
        From a batch to the taps of every place.
    """

    images: ImageSet
    augment: Augment
    taps: Taps


def source_of_taps(
    network: models.Trunk,
    places: list[Place],
    images: ImageSet,
    augment: Augment,
    engine: Engine,
    probes: Probes,
    training: Training,
) -> Source:
    """Cache the taps if no image is augmented and they take no more than `probes.cache` gigabytes.

    Each probe sees the same numbers either way, up to the rounding of products of other batches. The trunk
    then runs over each image once instead of once in every epoch.

    Parameters
    ----------
    network : CCT or CNN
        Frozen, on the engine's device.
    places : list of (block, tap)
        Taps to record.
    images : ImageSet
        Training images of the probes.
    augment : callable
        What is done with a batch without a cache.
    engine : Engine
        Device and precision.
    probes, training : Probes, Training
        Settings; `training` is that of the probes.

    Returns
    -------
    Source
        What was decided is printed to standard error with the size.
    """

    def run(pixels: Tensor) -> dict[Place, Tensor]:
        with engine.autocast():
            return capture(network, pixels, places)[0]

    plain = Source(images, augment, run)
    augmented = probes.random_crop or probes.horizontal_flip
    if augmented or probes.cache == 0 or parallel.count() > 1:
        return plain
    size = _gigabytes(run, images, engine, training)
    if size > probes.cache:
        print(
            f"Features take {size:.2g} GB, more than probes.cache = {probes.cache:g}: none kept.",
            file=sys.stderr,
        )
        return plain
    print(f"Features of {len(images)} images are kept: {size:.2g} GB.", file=sys.stderr)
    parts: dict[Place, list[Tensor]] = {place: [] for place in places}
    for pixels, _ in normalised_batches(images, engine, probes.batch_size, training):
        for place, tokens in run(pixels).items():
            parts[place].append(tokens)
    kept = {place: torch.cat(parts.pop(place)) for place in places}
    numbered = replace(images, images=torch.arange(len(images)))
    return Source(
        numbered,
        lambda numbers, labels, generator: (numbers, labels),
        lambda numbers: {place: tokens[numbers] for place, tokens in kept.items()},
    )


def _gigabytes(run: Taps, images: ImageSet, engine: Engine, training: Training) -> float:
    """Size of the taps of all images, from those of one."""
    pixels, _ = next(normalised_batches(images, engine, 1, training))
    return len(images) * sum(tokens[0].nbytes for tokens in run(pixels).values()) / 1e9
