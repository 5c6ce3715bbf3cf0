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
from symbreak.learning.batches import Triple, normalise, statistics_of


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
        See `symbreak.learning.batches.normalise`.
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
        mean, std = statistics_of(images)
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
