"""Classification sets of torchvision by their name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch.utils.data import Dataset

from symbreak.errors import SymbreakError


def read_torchvision(name: str, root: str, transform: Callable[[Any], Any]) -> tuple[Dataset | None, Dataset]:
    """Training and validation set of torchvision, from the files that lie in a folder.

    Raises
    ------
    SymbreakError
        If torchvision has no such classification set, or its files are not there.
    """
    from torchvision import datasets

    kind: Any = getattr(datasets, name, None)
    if not inspect.isclass(kind) or not issubclass(kind, datasets.VisionDataset):
        raise SymbreakError(f"torchvision has no data set {name!r}; see torchvision.datasets.")
    keys = inspect.signature(kind).parameters

    def rgb(image: Any) -> Any:
        return transform(image.convert("RGB"))

    def part(train: bool) -> Any:
        make: Any = kind
        options = {"train": train} if "train" in keys else {"split": "train" if train else "test"}
        try:
            return make(root, transform=rgb, **options)
        except ValueError:  # some call it val
            return make(root, transform=rgb, split="train" if train else "val")

    if "train" not in keys and "split" not in keys:
        raise SymbreakError(f"torchvision's {name} has no training and test part; make a folder of it.")
    try:
        return part(True), part(False)
    except Exception as error:  # the sets raise many classes
        reason = (str(error).split("\n")[0] or type(error).__name__)[:120]
        raise SymbreakError(f"Cannot open {name} in {root} ({reason}); download it there first.") from error
