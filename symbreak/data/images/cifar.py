"""CIFAR-10 and CIFAR-100 through torchvision, with checksums, one-sentence errors and superclasses."""

import pickle
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch

from symbreak.data.image_set import ImageSet, assemble, first_per_label
from symbreak.data.images.files import hint, unfetched
from symbreak.errors import SymbreakError
from symbreak.store.locking import locked

#: Seconds without a byte after which a download is given up.
SILENCE = 60.0

TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}


def read(
    name: str, split: str, *, root: str = "data", download: bool = True, limit_per_label: int | None = None
) -> ImageSet:
    """Read one split of CIFAR from ``root``; fetch or unpack it first if that is allowed and needed.

    Every file is compared with its published MD5 before it is opened.

    Parameters
    ----------
    name : {"cifar10", "cifar100"}
        Which of the two.
    split : {"train", "validation"}
        ``"validation"`` is the official test set of 10,000 images.
    root : str
        Folder that holds ``cifar-100-python`` or ``cifar-10-batches-py``.
    download : bool
        Whether torchvision may fetch the archive or unpack it again.
    limit_per_label : int, optional
        Keep the first so many images of each label.

    Returns
    -------
    ImageSet
        CIFAR-100 with its 20 superclasses of 5 labels, CIFAR-10 with none.

    Raises
    ------
    SymbreakError
        If files are missing and cannot be fetched, or differ from their checksums.

    Examples
    --------
    >>> read("cifar100", "train", root="no such folder", download=False)
    Traceback (most recent call last):
    ...
    symbreak.errors.SymbreakError: CIFAR-100 is not in ...
    """
    source = _source(name)
    folder = Path(root) / source.base_folder
    _provide(source, TITLES[name], Path(root), download)
    files = source(root=root, train=split == "train", download=False)
    images = torch.from_numpy(files.data).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor(files.targets, dtype=torch.int64)
    label_names = tuple(files.classes)
    superclass: tuple[int, ...] = (-1,) * len(label_names)
    superclass_names: tuple[str, ...] = ()
    if name == "cifar100":
        superclass, superclass_names = _superclasses(folder, split, labels)
    if limit_per_label is not None:
        kept = first_per_label(labels, limit_per_label)
        images, labels = images[kept], labels[kept]
    return assemble(name, images, labels, label_names, superclass, superclass_names)


def _source(name: str) -> Any:
    # Importing torchvision costs about a second: only those who ask for CIFAR pay it.
    from torchvision import datasets

    return {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]


def _expected_files(source: Any) -> dict[str, str]:
    """Return the published MD5 of every file of the unpacked folder."""
    return {**dict(source.train_list + source.test_list), source.meta["filename"]: source.meta["md5"]}


def _provide(source: Any, title: str, root: Path, download: bool) -> None:
    """See to it that all files are there and unharmed, or say in one sentence why not."""
    from torchvision.datasets.utils import check_integrity

    folder, archive = root / source.base_folder, root / source.filename
    bad = [(folder / n) for n, md5 in _expected_files(source).items() if not check_integrity(folder / n, md5)]
    if not bad:
        return
    damaged = [path for path in bad if path.exists()]
    if damaged and not archive.exists():
        raise SymbreakError(
            f"{damaged[0]} is damaged (its checksum is not the published one): "
            f"delete the folder {folder} and run again, or copy the folder anew."
        )
    cure = (
        "put that folder there, point data.root to the folder that holds it, or set data.name to diacritics"
    )
    if not download:
        where = hint(root, folder.name)
        raise SymbreakError(f"{title} is not in {folder} and data.download is off: {where or cure}.")
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(root):
            source(root=str(root), train=True, download=True)
    except (OSError, RuntimeError, EOFError, HTTPException) as error:
        if archive.exists() and not check_integrity(archive, source.tgz_md5):
            raise SymbreakError(
                f"{archive} is damaged (its checksum is not the published one): delete it and run again."
            ) from error
        raise unfetched(title, folder, error, cure) from error


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Let jobs that begin together fetch the archive once, and none wait for a silent server for ever."""
    previous = socket.getdefaulttimeout()
    with locked(root / ".download.lock", wait=True):
        socket.setdefaulttimeout(SILENCE)
        try:
            yield
        finally:
            socket.setdefaulttimeout(previous)


def _superclasses(folder: Path, split: str, labels: torch.Tensor) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Read the superclass of every label of CIFAR-100 and check that they are 20 groups of 5."""
    # Both files were compared with their published checksums, so that unpickling them is safe.
    with (folder / ("train" if split == "train" else "test")).open("rb") as stream:
        coarse = torch.tensor(pickle.load(stream, encoding="latin1")["coarse_labels"])
    with (folder / "meta").open("rb") as stream:
        names = tuple(pickle.load(stream, encoding="latin1")["coarse_label_names"])
    pairs = sorted(set(zip(labels.tolist(), coarse.tolist())))
    superclass = tuple(group for _, group in pairs)
    sizes = [superclass.count(group) for group in range(20)]
    if [label for label, _ in pairs] != list(range(100)) or sizes != [5] * 20 or len(names) != 20:
        raise SymbreakError(
            f"The superclasses in {folder} are not 20 groups of 5 labels: copy the folder of CIFAR-100 anew."
        )
    return superclass, names
