"""The form in which every data set reaches the rest of symbreak: one tensor, labels, superclasses."""

import hashlib
from dataclasses import dataclass

import torch

from symbreak.errors import SymbreakError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled colour images, all in memory, with the hierarchy of their labels.

    Attributes
    ----------
    name : str
        Name of the data set, such as ``"diacritics"``.
    images : torch.Tensor
        ``uint8``, shape (images, 3, height, width), 0 = dark, 255 = bright.
    labels : torch.Tensor
        ``int64``, shape (images,), values 0 ... ``n_labels`` - 1.
    label_names : tuple of str
        One name per label.
    superclass : tuple of int
        Index of the superclass of every label; -1 where there is none.
    superclass_names : tuple of str
        One name per superclass.
    sha256 : str
        Hex digest of the bytes of ``images`` followed by those of ``labels``.
    """

    name: str
    images: torch.Tensor
    labels: torch.Tensor
    label_names: tuple[str, ...]
    superclass: tuple[int, ...]
    superclass_names: tuple[str, ...]
    sha256: str

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return len(self.label_names)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)


def fingerprint(images: torch.Tensor, labels: torch.Tensor) -> str:
    """Return the SHA-256 of the bytes of the images followed by those of the labels.

    Parameters
    ----------
    images, labels : torch.Tensor
        Tensors on the CPU.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> import torch
    >>> fingerprint(torch.zeros(1, 3, 2, 2, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))[:8]
    'de47c9b2'
    """
    digest = hashlib.sha256()
    for tensor in (images, labels):
        digest.update(tensor.contiguous().numpy().data.cast("B"))
    return digest.hexdigest()


def first_per_label(labels: torch.Tensor, limit: int) -> torch.Tensor:
    """Return the positions, ascending, of the first ``limit`` images of every label.

    Parameters
    ----------
    labels : torch.Tensor
        ``int64``, shape (images,).
    limit : int
        How many images of each label to keep, at least 1.

    Returns
    -------
    torch.Tensor
        ``int64`` positions into ``labels``.

    Examples
    --------
    >>> import torch
    >>> first_per_label(torch.tensor([1, 0, 1, 1, 0]), 1).tolist()
    [0, 1]
    """
    order = torch.argsort(labels, stable=True)
    counts = torch.bincount(labels)
    starts = torch.cumsum(counts, 0) - counts
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(labels)) - starts[labels[order]]
    return torch.nonzero(rank < limit).flatten()


def assemble(
    name: str,
    images: torch.Tensor,
    labels: torch.Tensor,
    label_names: tuple[str, ...],
    superclass: tuple[int, ...],
    superclass_names: tuple[str, ...],
) -> ImageSet:
    """Check that images, labels and hierarchy fit each other and return them as an `ImageSet`.

    Parameters
    ----------
    name, images, labels, label_names, superclass, superclass_names
        The fields of `ImageSet`.

    Returns
    -------
    ImageSet
        With its ``sha256``.

    Raises
    ------
    SymbreakError
        If a shape, a type or a label number does not fit.

    Examples
    --------
    >>> import torch
    >>> pixels = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    >>> assemble("toy", pixels, torch.tensor([0, 1]), ("a", "b"), (-1, -1), ()).n_labels
    2
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise SymbreakError(
            f"The images of {name} are {images.dtype} of shape {tuple(images.shape)}: "
            "give uint8 of shape (images, 3, height, width)."
        )
    if labels.shape != (len(images),) or len(superclass) != len(label_names):
        raise SymbreakError(
            f"{name} has {len(images)} images, {labels.numel()} labels, {len(label_names)} label names and "
            f"{len(superclass)} superclass entries: give one label per image and one superclass per name."
        )
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(label_names):
        raise SymbreakError(
            f"The labels of {name} run from {int(labels.min())} to {int(labels.max())}: "
            f"keep them between 0 and {len(label_names) - 1}."
        )
    sha256 = fingerprint(images, labels)
    return ImageSet(name, images, labels, label_names, superclass, superclass_names, sha256)
