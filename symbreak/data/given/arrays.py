"""Images and labels as arrays in one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset

from symbreak.errors import SymbreakError
from symbreak.features.given import read_npz

#: Names of images and labels of both sets, as people call them.
_TRAIN = (("train_images", "train_labels"), ("x_train", "y_train"))
_VALIDATION = (
    ("validation_images", "validation_labels"),
    ("val_images", "val_labels"),
    ("test_images", "test_labels"),
    ("x_test", "y_test"),
    ("images", "labels"),
)


class ArrayImages(Dataset):
    """Images of an array.

    Parameters
    ----------
    images : array
        uint8 of shape (images, height, width) or (images, height, width, 3), or float of shape (images, 3,
        height, width), which is taken as it is, prepared for the network already.
    labels : (images,) array of int
        From 0.
    classes, superclasses : list of str, optional
        Names of the labels, and of the superclass of each.
    transform : callable
        From a PIL image to what the network takes.
    """

    def __init__(
        self,
        images: NDArray,
        labels: NDArray,
        classes: list[str] | None,
        superclasses: list[str] | None,
        transform: Callable[[Any], Any],
    ) -> None:
        self.images, self.labels, self.transform = images, labels, transform
        self.classes, self.superclasses = classes, superclasses

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        """Return a prepared image and its label."""
        image, label = self.images[number], int(self.labels[number])
        if image.dtype == np.uint8:
            return self.transform(Image.fromarray(image.squeeze()).convert("RGB")), label
        return torch.from_numpy(image).float(), label


def read_arrays(path: str | Path, transform: Callable[[Any], Any]) -> tuple[ArrayImages | None, ArrayImages]:
    """Sets of a file of `numpy.savez`: ``images`` and ``labels``, or those of two sets.

    ``train_images``, ``train_labels``, ``validation_images`` and ``validation_labels`` (or ``x_train``,
    ``y_train``, ``x_test``, ``y_test``) name two; ``label_names`` and ``superclasses`` may be there.

    Raises
    ------
    SymbreakError
        If the file is missing, holds objects, or arrays that do not fit.
    """
    arrays = read_npz(path)
    names = [str(name) for name in arrays["label_names"]] if "label_names" in arrays else None
    above = [str(name) for name in arrays["superclasses"]] if "superclasses" in arrays else None
    train, validation = (_set(arrays, kind, path, names, above, transform) for kind in (_TRAIN, _VALIDATION))
    if validation is None:
        held = ", ".join(arrays) or "nothing"
        raise SymbreakError(f"{path} holds {held}; it must hold `images` and `labels`.")
    return train, validation


def _set(
    arrays: dict[str, NDArray],
    kind: tuple[tuple[str, str], ...],
    path: str | Path,
    names: list[str] | None,
    above: list[str] | None,
    transform: Callable[[Any], Any],
) -> ArrayImages | None:
    """Set under the first pair of names that is there."""
    keys = next((pair for pair in kind if all(name in arrays for name in pair)), None)
    if keys is None:
        return None
    images, labels = _checked(arrays[keys[0]], arrays[keys[1]], f"{path}: {keys[0]}")
    return ArrayImages(images, labels, names, above, transform)


def _checked(images: NDArray, labels: NDArray, where: str) -> tuple[NDArray, NDArray]:
    grey_or_rgb = images.ndim == 3 or (images.ndim == 4 and images.shape[-1] in (1, 3))
    prepared = images.dtype.kind == "f" and images.ndim == 4
    if not prepared and not (images.dtype == np.uint8 and grey_or_rgb):
        raise SymbreakError(
            f"{where} is {images.dtype} of shape {images.shape}; give uint8 (images, height, width, 3), or "
            "floats (images, 3, height, width) prepared for the network."
        )
    labels = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.dtype.kind not in "iu" or labels.shape != (len(images),) or labels.min(initial=0) < 0:
        raise SymbreakError(
            f"{where} needs one label from 0 for each image; its labels are {labels.dtype} {labels.shape}."
        )
    return images, labels
