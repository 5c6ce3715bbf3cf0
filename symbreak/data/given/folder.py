"""Folders of images, one folder for each label."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from torch.utils.data import Dataset

from symbreak.errors import SymbreakError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
TRAIN, VALIDATION = ("train", "training"), ("validation", "val", "valid", "test")


class ImageFolder(Dataset):
    """Images below a folder, by label; a label may lie below its superclass.

    Parameters
    ----------
    root : path
        Holds ``label/image`` or ``superclass/label/image``.
    transform : callable
        From a PIL image in RGB to what the network takes.
    on_error : {"refuse", "skip"}
        Of images that cannot be read; a skipped one is None.

    Raises
    ------
    SymbreakError
        If it holds no images, or one label only.
    """

    def __init__(self, root: str | Path, transform: Callable[[Any], Any], on_error: str = "refuse") -> None:
        self.root, self.transform, self.on_error = Path(root), transform, on_error
        found = {key: files for key, files in _labels(self.root).items() if files}
        if not found:
            raise SymbreakError(f"{root} holds no images in folders of labels; check the path.")
        if len(found) < 2:
            raise SymbreakError(f"{root} holds the label {next(iter(found))[-1]!r} only; give two or more.")
        above = [key[0] for key in found if len(key) == 2]
        if above and len(above) < len(found):
            raise SymbreakError(f"{root} has labels with and without a superclass; put all on one level.")
        names = [key[-1] for key in found]
        self.classes = names if len(set(names)) == len(names) else ["/".join(key) for key in found]
        self.superclasses = above or None
        self.samples = [(path, number) for number, files in enumerate(found.values()) for path in files]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.samples)

    def __getitem__(self, number: int) -> tuple[Any, int] | None:
        """Return a prepared image and its label."""
        path, label = self.samples[number]
        try:
            return self.transform(read_image(path)), label
        except SymbreakError:
            if self.on_error == "skip":
                return None
            raise


def read_folder(
    root: str | Path, transform: Callable[[Any], Any], on_error: str = "refuse"
) -> tuple[ImageFolder | None, ImageFolder]:
    """Training and validation images below a folder; of one set without parts it is the validation.

    Raises
    ------
    SymbreakError
        If the parts have different labels, or only one of them is there.
    """
    parts = {path.name.lower(): path for path in Path(root).iterdir() if path.is_dir()}
    train = next((parts[name] for name in TRAIN if name in parts), None)
    validation = next((parts[name] for name in VALIDATION if name in parts), None)
    if train is None and validation is None:
        return None, ImageFolder(root, transform, on_error)
    if train is None or validation is None:
        there = train or validation
        raise SymbreakError(
            f"{root} has {there.name if there else ''}/ only; name two folders train/ and validation/, or "
            "give the labels' folders themselves."
        )
    sets = ImageFolder(train, transform, on_error), ImageFolder(validation, transform, on_error)
    if sets[0].classes != sets[1].classes:
        alone = sorted(set(sets[0].classes) ^ set(sets[1].classes))
        raise SymbreakError(
            f"{train} and {validation} have different labels, such as {alone[0]!r}; give both the same."
        )
    return sets


def read_image(path: Path) -> Image.Image:
    """Image in RGB, upright, whatever its mode.

    Raises
    ------
    SymbreakError
        If it is damaged, or its values have no known range.
    """
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16 bits
                return Image.fromarray((np.asarray(upright) // 257).astype(np.uint8)).convert("RGB")
            if upright.mode == "F":
                raise SymbreakError(
                    f"{path} has floating-point pixels of no known range; save it with 8 bits."
                )
            return upright.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = (str(error).split("\n")[0] or type(error).__name__)[:100]
        raise SymbreakError(f"The image {path} cannot be read ({reason}); repair or remove it.") from error


def _labels(root: Path) -> dict[tuple[str, ...], list[Path]]:
    """Files by label, or by superclass and label, in the order of their names."""
    found: dict[tuple[str, ...], list[Path]] = {}
    for folder in _folders(root):
        if files := _images(folder):
            found[folder.name,] = files
            continue
        for inner in _folders(folder):
            found[folder.name, inner.name] = _images(inner)
    return found


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
