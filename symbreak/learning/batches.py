"""Images as a network takes them: normalised, in their order, nothing augmented."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from symbreak.config import Experiment, Training
from symbreak.data import ImageSet
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning.engine import parallel
from symbreak.learning.engine.device import Engine

Triple = tuple[float, float, float]

#: Mean and standard deviation of each channel over the training images, of 1.
STATISTICS: dict[str, tuple[Triple, Triple]] = {
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    "diacritics": ((0.4986, 0.4989, 0.4985), (0.3348, 0.3342, 0.3367)),
}

_NO_DEVIATION = 1.0  # a constant image is divided by one grey level


def normalise(images: Tensor, normalisation: str, mean: Triple, std: Triple) -> Tensor:
    """Return images as the network wants them.

    ``"image"`` subtracts from every image its own mean over all pixels and channels and divides by their
    standard deviation (P1 and P2, "Dataset and preprocessing"); ``"dataset"`` uses fixed numbers per channel.

    Parameters
    ----------
    images : Tensor
        Values 0 ... 255, ``uint8`` or floating point, shape (images, 3, height, width).
    normalisation : {"image", "dataset"}
        Which of the two.
    mean, std : tuple of float
        Per channel on the scale 0 ... 1; used by ``"dataset"`` only.

    Returns
    -------
    Tensor
        ``float32``, as ``images``.

    Raises
    ------
    SymbreakError
        If there is no such normalisation.

    Examples
    --------
    >>> images = torch.tensor([0, 0, 255, 255, 0, 255], dtype=torch.uint8).reshape(1, 3, 1, 2)
    >>> normalise(images, "image", (0, 0, 0), (1, 1, 1)).flatten().round(decimals=4).tolist()
    [-1.0, -1.0, 1.0, 1.0, -1.0, 1.0]
    """
    if normalisation == "image":
        pixels = images.flatten(1).float()
        pixels = pixels - pixels.mean(dim=1, keepdim=True)
        # The deviation as a norm: on a CPU this is fifteen times faster than torch.std_mean.
        norm = torch.linalg.vector_norm(pixels, dim=1, keepdim=True)
        deviation = (norm / pixels.shape[1] ** 0.5).clamp(min=_NO_DEVIATION)
        return pixels.div_(deviation).view(images.shape)
    if normalisation == "dataset":
        centre = torch.tensor(mean, device=images.device)[:, None, None] * 255
        scale = 1 / (torch.tensor(std, device=images.device)[:, None, None] * 255)
        return (images.float() - centre) * scale
    raise SymbreakError(f"There is no normalisation {normalisation!r}: choose image or dataset.")


def channel_statistics(images: Tensor) -> tuple[Triple, Triple]:
    """Return mean and standard deviation of every channel on the scale 0 ... 1.

    Parameters
    ----------
    images : Tensor
        ``uint8``, shape (images, 3, height, width).

    Returns
    -------
    tuple
        Three means and three deviations, summed exactly as integers.

    Examples
    --------
    >>> channel_statistics(torch.tensor([0, 255], dtype=torch.uint8).repeat(3).reshape(1, 3, 1, 2))
    ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    """
    levels = torch.arange(256, dtype=torch.float64) / 255
    means, deviations = [], []
    for channel in range(3):
        share = torch.bincount(images[:, channel].flatten(), minlength=256).double()
        share /= share.sum()
        means.append(float(share @ levels))
        deviations.append(float((share @ (levels - means[-1]) ** 2).sqrt()))
    return (means[0], means[1], means[2]), (deviations[0], deviations[1], deviations[2])


def measured_images(experiment: Experiment) -> ImageSet:
    """Images of the measuring pass, training or validation images as `measurement.inputs` says."""
    split = "train" if experiment.measurement.inputs == "training" else "validation"
    return load_configured(experiment.data, split)


def statistics_of(images: ImageSet) -> tuple[Triple, Triple]:
    """Mean and standard deviation of every channel of a data set: known ones, or those of its images."""
    return STATISTICS.get(images.name) or channel_statistics(images.images)


def correct(fields: Tensor, targets: Tensor) -> Tensor:
    """Count of images whose largest field is at the (largest) target."""
    truth = targets if targets.ndim == 1 else targets.argmax(dim=1)
    return (fields.argmax(dim=1) == truth).sum()


def normalised_batches(
    images: ImageSet, engine: Engine, batch_size: int, training: Training, in_turns: bool = True
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of normalised images and labels in their order, nothing augmented.

    Processes take turns, or each takes all.
    """
    mean, std = statistics_of(images)
    starts = range(0, len(images), batch_size)
    for start in parallel.own_of(starts) if in_turns else starts:
        pixels = images.images[start : start + batch_size].to(engine.device)
        labels = images.labels[start : start + batch_size].to(engine.device)
        yield normalise(pixels, training.normalisation, mean, std), labels
