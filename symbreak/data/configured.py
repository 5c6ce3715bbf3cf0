"""Load the images that an experiment file asks for."""

from __future__ import annotations

from pathlib import Path

from symbreak import data
from symbreak.config import Data
from symbreak.data.image_set import ImageSet


def load_configured(settings: Data, split: str, per_label: int | None = None) -> ImageSet:
    """Load a split as the `data` section says.

    Parameters
    ----------
    settings : Data
        The section of the experiment.
    split : {"train", "validation"}
        Which images.
    per_label : int, optional
        Keep at most this many of each label, on top of what `settings` says.

    Raises
    ------
    SymbreakError
        If the files are missing or damaged.

    Examples
    --------
    >>> len(load_configured(Data(validation_per_label=5), "validation"))
    500
    """
    wished = settings.train_per_label if split == "train" else settings.validation_per_label
    limits = [limit for limit in (wished, per_label) if limit is not None]
    drawn = {} if wished is None else {f"{split}_per_label": wished}
    return data.load(
        settings.name,
        split,
        root=str(Path(settings.root).expanduser()),
        download=settings.download,
        seed=settings.seed,
        nuisance=settings.nuisance,
        limit_per_label=min(limits, default=None),
        division=settings.split,
        split_file=settings.split_file and str(Path(settings.split_file).expanduser()),
        image_size=settings.image_size,
        **drawn,  # type: ignore[arg-type]
    )
