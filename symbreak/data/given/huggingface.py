"""Image classification sets as Hugging Face `datasets` keeps them on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from symbreak.data.given.folder import TRAIN, VALIDATION
from symbreak.errors import SymbreakError, missing_extra

#: How names of Parquet files begin.
PARTS = ("train", "validation", "test")


class HuggingFaceImages(Dataset):
    """Images and labels of one split.

    Parameters
    ----------
    rows : datasets.Dataset
    image, label : str
        Names of the columns.
    transform : callable
        From a PIL image in RGB to what the network takes.
    """

    def __init__(self, rows: Any, image: str, label: str, transform: Callable[[Any], Any]) -> None:
        self.rows, self.image, self.label, self.transform = rows, image, label, transform
        self.classes = list(rows.features[label].names)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.rows)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        """Return a prepared image and its label."""
        row = self.rows[number]
        label = row[self.label]
        if label is None or label < 0:
            raise SymbreakError(f"Row {number} of the data has no label; leave such rows out.")
        return self.transform(row[self.image].convert("RGB")), label


def read_huggingface(path: str, transform: Callable[[Any], Any]) -> tuple[Dataset | None, Dataset]:
    """Training and validation set of a local folder, written by ``save_to_disk`` or with Parquet files.

    Parameters
    ----------
    path : str
        The folder; ``folder#column`` names the column of labels where there are several.
    transform : callable
        From a PIL image in RGB to what the network takes.

    Returns
    -------
    train : Dataset or None
        None where there is one split only.
    validation : Dataset

    Raises
    ------
    SymbreakError
        If the library is missing, the folder is none of its own, or columns are missing or ambiguous.
    """
    folder, _, wished = path.partition("#")
    splits = _splits(folder)
    names = {name.lower(): name for name in splits}
    train = next((splits[names[name]] for name in TRAIN if name in names), None)
    validation = next((splits[names[name]] for name in VALIDATION if name in names), None)
    if validation is None:
        if len(splits) > 1:
            raise SymbreakError(f"{folder} has the splits {', '.join(splits)}; call one validation or test.")
        train, validation = None, next(iter(splits.values()))
    measured = HuggingFaceImages(validation, *_columns(validation, folder, wished), transform)
    if train is None:
        return None, measured
    fitted = HuggingFaceImages(train, *_columns(train, folder, wished), transform)
    if fitted.classes != measured.classes:
        raise SymbreakError(f"The splits of {folder} have different labels; give them the same.")
    return fitted, measured


def _splits(folder: str) -> dict[str, Any]:
    """Splits of a folder by their names; no code that lies there is run, nothing is fetched."""
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise missing_extra("datasets", "huggingface") from error
    if not Path(folder).is_dir():
        raise SymbreakError(f"There is no folder {folder}; give the path of a data set on this machine.")
    try:
        if any((Path(folder) / name).is_file() for name in ("dataset_dict.json", "state.json")):
            found = datasets.load_from_disk(folder)
        else:
            files = sorted(Path(folder).rglob("*.parquet"))
            parts = {part: [str(path) for path in files if path.name.startswith(part)] for part in PARTS}
            found = datasets.load_dataset("parquet", data_files={k: v for k, v in parts.items() if v})
    except Exception as error:  # the library raises many classes
        reason = (str(error).split("\n")[0] or type(error).__name__)[:120]
        raise SymbreakError(
            f"{folder} holds no data set of Hugging Face ({reason}); write it by save_to_disk."
        ) from error
    return dict(found) if isinstance(found, dict) else {"validation": found}


def _columns(rows: Any, folder: str, wished: str) -> tuple[str, str]:
    """Columns of images and of labels."""
    import datasets

    images = [name for name, kind in rows.features.items() if isinstance(kind, datasets.Image)]
    labels = [name for name, kind in rows.features.items() if isinstance(kind, datasets.ClassLabel)]
    if wished:
        labels = [name for name in labels if name == wished]
    for what, found, cure in (
        ("images", images, "keep one"),
        ("labels", labels, f"name one: huggingface:{folder}#column"),
    ):
        if len(found) != 1:
            has = f"the columns {', '.join(found)} of {what}" if found else f"no column of {what}"
            raise SymbreakError(f"{folder} has {has} among {', '.join(rows.features)}; {cure}.")
    return images[0], labels[0]
