"""Labelled images as people have them: folders, arrays, sets of torchvision and of Hugging Face."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from torch.utils.data import Dataset

from symbreak.data.given.arrays import read_arrays
from symbreak.data.given.folder import ImageFolder, read_folder
from symbreak.data.given.huggingface import read_huggingface
from symbreak.data.given.named import read_torchvision
from symbreak.errors import SymbreakError

__all__ = [
    "ImageFolder",
    "OnError",
    "open_sets",
    "read_arrays",
    "read_folder",
    "read_huggingface",
    "read_torchvision",
]

#: What happens to an image that cannot be read.
OnError = Literal["refuse", "skip"]


def open_sets(
    source: str, transform: Callable[[Any], Any], on_error: OnError = "refuse", root: str = "data"
) -> tuple[Dataset | None, Dataset]:
    """Training and validation set of a source of labelled images.

    Parameters
    ----------
    source : str
        A folder (``train/label/…`` and ``validation/label/…``, or ``label/…``), a file ``.npz`` of arrays,
        ``torchvision:NAME`` or ``huggingface:FOLDER``.
    transform : callable
        From a PIL image to what the network takes.
    on_error : {"refuse", "skip"}
        Of images that cannot be read.
    root : str
        Folder of the archives of torchvision.

    Returns
    -------
    train : Dataset or None
        None where the source has one set only.
    validation : Dataset
        Both have ``classes``, and ``superclasses`` where the source tells them.

    Raises
    ------
    SymbreakError
        If there is no such source, or it holds no labelled images.
    """
    if source.startswith("torchvision:"):
        return read_torchvision(source.removeprefix("torchvision:"), root, transform)
    if source.startswith("huggingface:"):
        return read_huggingface(source.removeprefix("huggingface:"), transform)
    if Path(source).suffix == ".npz":
        return read_arrays(source, transform)
    if Path(source).is_dir():
        return read_folder(source, transform, on_error)
    raise SymbreakError(
        f"There are no data at {source!r}; give a folder of images, a file .npz, "
        "torchvision:NAME or huggingface:FOLDER."
    )
