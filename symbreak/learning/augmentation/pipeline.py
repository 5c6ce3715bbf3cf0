"""Augmentation of a whole batch on its device, with own random numbers for every image.

The order is: crop and flip, resized crop, RandAugment (all on whole numbers 0 ... 255), MixUp or CutMix,
normalisation, random erasing. Mixing comes before the normalisation, so that a mixed image, too, has
mean 0 and deviation 1 where images are normalised one by one, as validation images have.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from symbreak.data import ImageSet
from symbreak.errors import SymbreakError
from symbreak.learning.augmentation.crop import random_crop_and_flip, random_resized_crop
from symbreak.learning.augmentation.draws import Draws
from symbreak.learning.augmentation.mix import mix, mixing_weights, random_erasing
from symbreak.learning.augmentation.randaugment import randaugment

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


@dataclass(frozen=True)
class Augmentation:
    """All that happens to a batch between the data set and the network.

    Attributes
    ----------
    n_labels : int
        Number of labels; only mixing needs it.
    random_crop : int
        Pixels of black padding out of which a crop is cut; 0 = off.
    horizontal_flip : float
        Probability of a left-right mirror image.
    random_resized_crop : float
        Smallest area of the enlarged box as a fraction of the image; 1 = off.
    randaugment : float
        Magnitude of RandAugment, 0 ... 10; 0 = off.
    randaugment_ops : int
        Operations per image of RandAugment.
    mixup, cutmix : float
        Alphas of the beta distributions; 0 = off.
    mix_probability : float
        Probability that an image is mixed with another.
    mix_switch : float
        Probability of CutMix where MixUp is on as well.
    erasing : float
        Probability that a box of the image is replaced by noise.
    normalisation : {"image", "dataset"}
        See `normalise`.
    mean, std : tuple of float
        Statistics of the data set per channel, of 1; the mean also fills what geometry leaves empty.

    Examples
    --------
    >>> images = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
    >>> augmentation = Augmentation(n_labels=10, horizontal_flip=0.5, cutmix=1.0)
    >>> fields, targets = augmentation(images, torch.arange(4), torch.Generator().manual_seed(1))
    >>> fields.shape, targets.shape
    (torch.Size([4, 3, 8, 8]), torch.Size([4, 10]))
    """

    n_labels: int = 0
    random_crop: int = 0
    horizontal_flip: float = 0.0
    random_resized_crop: float = 1.0
    randaugment: float = 0.0
    randaugment_ops: int = 2
    mixup: float = 0.0
    cutmix: float = 0.0
    mix_probability: float = 1.0
    mix_switch: float = 0.5
    erasing: float = 0.0
    normalisation: str = "image"
    mean: Triple = (0.5, 0.5, 0.5)
    std: Triple = (0.25, 0.25, 0.25)

    def __post_init__(self) -> None:
        if self.mixes and self.n_labels < 1:
            raise SymbreakError("MixUp and CutMix need the number of labels: give n_labels.")
        for name in ("horizontal_flip", "mix_probability", "mix_switch", "erasing"):
            if not 0 <= getattr(self, name) <= 1:
                raise SymbreakError(f"{name} is {getattr(self, name)}: give a probability between 0 and 1.")
        if not 0 < self.random_resized_crop <= 1:
            raise SymbreakError(
                f"random_resized_crop is {self.random_resized_crop}: give an area above 0, up to 1."
            )

    @property
    def mixes(self) -> bool:
        """Whether targets are soft."""
        return (self.mixup > 0 or self.cutmix > 0) and self.mix_probability > 0

    @classmethod
    def from_settings(cls, training: Any, images: ImageSet) -> "Augmentation":
        """Take all options from the ``training`` section of an experiment.

        Parameters
        ----------
        training : symbreak.config.Training
            Any object with attributes of the names of the options.
        images : ImageSet
            Gives the number of labels and, by its name, mean and deviation of its training images.

        Returns
        -------
        Augmentation
            The same for the training and the validation split.

        Examples
        --------
        >>> from symbreak.config import Training
        >>> from symbreak.data import load
        >>> letters = load("diacritics", "train", train_per_label=1, progress=False)
        >>> Augmentation.from_settings(Training(), letters).n_labels
        100
        """
        mean, std = (
            STATISTICS[images.name] if images.name in STATISTICS else channel_statistics(images.images)
        )
        taken = {
            name: getattr(training, name) for name in cls.__dataclass_fields__ if hasattr(training, name)
        }
        return cls(**(taken | {"n_labels": images.n_labels, "mean": mean, "std": std}))

    def __call__(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augment and normalise a batch.

        Parameters
        ----------
        images : Tensor
            ``uint8``, shape (images, 3, height, width); not changed.
        labels : Tensor
            ``int64``, shape (images,), on the device of the images.
        generator : torch.Generator
            Source of every random number.

        Returns
        -------
        tuple of Tensor
            Normalised ``float32`` images, and soft targets (images, n_labels) if images are mixed,
            ``labels`` as they are if not.
        """
        draws = Draws(generator, len(images), images.device)
        if self.random_crop or self.horizontal_flip:
            images = random_crop_and_flip(images, draws, self.random_crop, self.horizontal_flip)
        if self.random_resized_crop < 1:
            images = random_resized_crop(images, draws, self.random_resized_crop)
        if self.randaugment:
            fill = 255 * torch.tensor(self.mean, device=images.device)
            images = randaugment(images, draws, self.randaugment, self.randaugment_ops, fill)
        if self.mixes:
            size = (images.shape[2], images.shape[3])
            shares = (self.mixup, self.cutmix, self.mix_probability, self.mix_switch)
            images, labels = mix(images, labels, mixing_weights(draws, size, *shares), self.n_labels)
        fields = normalise(images, self.normalisation, self.mean, self.std)
        if self.erasing:
            fields = random_erasing(fields, draws, self.erasing)
        return fields, labels


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
