"""Flowers-102 through torchvision: 102 labels without superclasses, two splits, one size in pixels.

Source: Nilsback and Zisserman, 2008. The official split has 1,020 training, 1,020 validation and 6,149 test
images. The accuracy of 0.972 in P1 (arXiv:2501.12900) is that of a CCT on another split of the same images,
6,552, 818 and 819; trained on the 1,020 the same network reaches about 0.62.
"""

import csv
import re
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np
import torch

from symbreak.data.image_set import ImageSet, assemble, first_per_label
from symbreak.data.images.cifar import _one_at_a_time
from symbreak.data.images.files import hint, read_image, unfetched
from symbreak.errors import SymbreakError
from symbreak.progress import Progress

N_LABELS = 102
#: Our splits -> official ones; the official test set validates, as that of CIFAR does.
OFFICIAL = {"train": "train", "validation": "test"}
#: Names of splits that an index file may use -> ours.
NAMES = {name: name for name in ("train", "validation", "test")} | dict.fromkeys(
    ("val", "valid"), "validation"
)

#: A file and its label.
Labelled = tuple[Path, int]


def read(
    split: str,
    *,
    root: str = "data",
    download: bool = True,
    division: str = "torchvision",
    split_file: str | None = None,
    size: int = 224,
    limit_per_label: int | None = None,
    progress: bool = True,
) -> ImageSet:
    """Read one split of Flowers-102, every image cut to its central square and resized.

    Parameters
    ----------
    split : {"train", "validation"}
        With ``division="torchvision"`` validation is the official test set.
    root : str
        Folder that holds ``flowers-102`` with ``jpg``, ``imagelabels.mat`` and ``setid.mat``.
    download : bool
        Whether torchvision may fetch the archive.
    division : {"torchvision", "kaggle"}
        The official split, or the one of ``split_file``.
    split_file : str, optional
        CSV with the columns ``image`` (number in the file name, from 1) and ``split``.
    size : int
        Side of the images in pixels.
    limit_per_label : int, optional
        Keep the first so many images of each label.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    ImageSet
        Without superclasses.

    Raises
    ------
    SymbreakError
        If files are missing and cannot be fetched, are damaged, or the index file does not fit.

    Examples
    --------
    >>> read("train", root="no such folder", download=False)
    Traceback (most recent call last):
    ...
    symbreak.errors.SymbreakError: Flowers-102 is not in ...
    """
    source = _source()
    _provide(source, Path(root), download)
    if division == "torchvision":
        files = _files(source, root, OFFICIAL[split])
    else:
        known = [pair for part in ("train", "val", "test") for pair in _files(source, root, part)]
        files = _chosen(known, split, Path(str(split_file)))
    labels = torch.tensor([label for _, label in files], dtype=torch.int64)
    if limit_per_label is not None:
        kept = first_per_label(labels, limit_per_label)
        files, labels = [files[i] for i in kept], labels[kept]
    images = torch.empty((len(files), 3, size, size), dtype=torch.uint8)
    shown = Progress(files, desc=f"read flowers102 {split}", unit="image") if progress else files
    for number, (path, _) in enumerate(shown):
        images[number] = _square(path, size)
    return assemble("flowers102", images, labels, tuple(source.classes), (-1,) * N_LABELS, ())


def _source() -> Any:
    # Importing torchvision costs about a second: only those who ask for flowers pay it.
    from torchvision import datasets

    return datasets.Flowers102


def _files(source: Any, root: str, part: str) -> list[Labelled]:
    """Files and labels of an official part; the loader hands over paths, so that nothing is decoded."""
    dataset = source(root=root, split=part, download=False, loader=Path)
    return [dataset[number] for number in range(len(dataset))]


def _provide(source: Any, root: Path, download: bool) -> None:
    """See to it that the folder is there and unharmed, or say in one sentence why not."""
    from torchvision.datasets.utils import check_integrity

    folder = root / "flowers-102"
    for kind in ("label", "setid"):
        name, md5 = source._file_dict[kind]
        if (folder / name).exists() and not check_integrity(folder / name, md5):
            raise SymbreakError(
                f"{folder / name} is damaged (its checksum is not the published one): delete it, run again."
            )
    cure = "put jpg/, imagelabels.mat and setid.mat there, or point data.root to the folder that holds it"
    try:
        source(root=str(root), split="train", download=False)
        return  # all is there: nothing needs to be written
    except RuntimeError:
        if not download:
            where = hint(root, folder.name) or cure
            raise SymbreakError(
                f"Flowers-102 is not in {folder} and data.download is off: {where}."
            ) from None
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(root):
            source(root=str(root), split="train", download=True)
    except (OSError, RuntimeError, EOFError, HTTPException) as error:
        raise unfetched("Flowers-102", folder, error, cure) from error


def _chosen(known: list[Labelled], split: str, index: Path) -> list[Labelled]:
    """Files of a split that an index file names, in its order."""
    by_number = {int(path.stem.rpartition("_")[2]): (path, label) for path, label in known}
    found, seen = [], set()
    for line, row in _rows(index):
        number, name = row.get("image", ""), row.get("split", "").lower()
        digits = re.fullmatch(r"(?:.*[/\\])?(?:image_)?(\d{1,6})(?:\.jpe?g)?", number, re.IGNORECASE)
        image = int(digits[1]) if digits else 0
        if image not in by_number or name not in NAMES:
            raise SymbreakError(
                f"{index}, line {line}: give the number of an image, 1 to {max(by_number)}, in the column "
                "`image` and train, validation or test in the column `split`."
            )
        if image in seen:
            raise SymbreakError(f"{index}, line {line}: image {image} comes twice; name each once.")
        seen.add(image)
        if NAMES[name] == split:
            found.append(by_number[image])
    if not found:
        raise SymbreakError(f"The index {index} names no image of the split {split}; add some.")
    return found


def _rows(index: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines of an index file with their numbers: separated by comma, semicolon or tab, names in any case."""
    try:
        lines = index.read_text(encoding="utf-8-sig").splitlines()
        head = lines[0] if lines else ""
        separator = max(",;\t", key=head.count)
        rows = list(csv.reader(lines, delimiter=separator))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is not a CSV file"
        raise SymbreakError(f"Cannot read data.split_file {index}: {reason}; give a CSV file.") from error
    names = [name.strip().lower() for name in rows[0]] if rows else []
    for line, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            yield line, dict(zip(names, (cell.strip() for cell in row)))


def _square(path: Path, size: int) -> torch.Tensor:
    """Central square of an image, resized: uint8, (3, size, size)."""
    image = read_image(path, 2 * size)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    from PIL import Image

    image = image.resize((size, size), Image.Resampling.BICUBIC, box=box)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)
