"""Section `data`: images, labels and superclasses."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from symbreak.config.section import Count, Folded, Integer, Place, Section, Seed

#: Labels of every data set, known before any image is read.
N_LABELS: dict[str, int] = {"diacritics": 100, "cifar10": 10, "cifar100": 100, "flowers102": 102}

#: Keys that came later, at their default: what was computed before needs no new computation.
_LATER: dict[str, Any] = {"split": "torchvision", "split_file": None, "image_size": 32}


class Data(Section):
    """Images, labels and superclasses."""

    name: Literal["diacritics", "cifar10", "cifar100", "flowers102"] = Field(
        "diacritics", description="Data set."
    )
    root: Place = Field("data", description="Folder that holds downloaded archives; diacritics needs none.")
    download: bool = Field(True, description="Fetch a missing archive when the network allows.")
    train_per_label: Count | None = Field(
        None, description="Training images per label; `null`: all (diacritics: 500)."
    )
    validation_per_label: Folded | None = Field(
        None, description="Validation images per label; `null`: all (diacritics: 100)."
    )
    seed: Seed = Field(0, description="Seed of the drawing of diacritics and of sub-sampling.")
    nuisance: float = Field(
        1.0, ge=0.0, le=2.0, description="Scale of all nuisance amplitudes of diacritics, up to 2."
    )
    split: Literal["torchvision", "kaggle"] = Field(
        "torchvision",
        description="Of flowers102: `torchvision` trains on 1,020 images and validates on the 6,149 of the "
        "official test set; `kaggle` on the 6,552 and 818 that `split_file` names.",
    )
    split_file: Place | None = Field(
        None,
        description="Of flowers102 with `split: kaggle`: CSV file with the columns `image` (number of the "
        "official file, from 1) and `split` (train, validation or test).",
    )
    image_size: Integer = Field(
        32,
        ge=4,
        le=4096,
        description="Of flowers102: side in pixels to which images are resized; others have 32.",
    )

    @property
    def has_superclasses(self) -> bool:
        """Whether the labels of the data set fall into superclasses."""
        return self.name in ("diacritics", "cifar100")

    @property
    def drawn(self) -> bool:
        """Whether images are made when they are needed; others lie in files, which may have to be fetched."""
        return self.name == "diacritics"

    @property
    def n_labels(self) -> int:
        """Number of labels.

        Examples
        --------
        >>> Data(name="flowers102").n_labels
        102
        """
        return N_LABELS[self.name]

    @property
    def side(self) -> int:
        """Side of the images in pixels."""
        return self.image_size if self.name == "flowers102" else 32

    def most_per_label(self, split: str) -> int | None:
        """Images that a split has of each label; None where there is no end, or the split is of a file.

        Examples
        --------
        >>> Data(name="cifar100").most_per_label("train"), Data().most_per_label("train")
        (500, None)
        """
        known = {"cifar10": (5000, 1000), "cifar100": (500, 100)}
        return known[self.name][split != "train"] if self.name in known else None

    def per_label(self, split: str) -> int | None:
        """Images of each label that an experiment takes; None where they are not known before reading.

        Examples
        --------
        >>> Data().per_label("train"), Data(name="flowers102", validation_per_label=5).per_label("validation")
        (500, 5)
        """
        usual = {"diacritics": (500, 100), "flowers102": (10, None)}.get(self.name, (None, None))
        wished = self.train_per_label if split == "train" else self.validation_per_label
        if self.name == "flowers102" and self.split != "torchvision":
            return wished
        return wished or self.most_per_label(split) or usual[split != "train"]

    def determining(self) -> dict[str, Any]:
        """All keys that determine results, as they were before the last three existed."""
        later = {name for name, default in _LATER.items() if getattr(self, name) == default}
        return self.model_dump(mode="json", exclude=later)

    @model_validator(mode="after")
    def _split_is_known(self) -> Data:
        changed = [name for name, default in _LATER.items() if getattr(self, name) != default]
        if self.name != "flowers102" and changed:
            raise ValueError(f"{changed[0]} belongs to flowers102 and {self.name} has none; remove this key")
        if (self.split == "kaggle") != (self.split_file is not None):
            raise ValueError("split: kaggle and split_file belong together; give both or neither")
        return self
