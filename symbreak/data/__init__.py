"""Where images, labels and superclasses come from: drawn diacritics, CIFAR-10, CIFAR-100, Flowers-102."""

from symbreak.data.image_set import ImageSet, first_per_label
from symbreak.errors import SymbreakError

__all__ = ["NAMES", "SPLITS", "ImageSet", "first_per_label", "load"]

NAMES = ("diacritics", "cifar10", "cifar100", "flowers102")
SPLITS = ("train", "validation")


def load(
    name: str,
    split: str,
    *,
    root: str = "data",
    download: bool = True,
    train_per_label: int = 500,
    validation_per_label: int = 100,
    seed: int = 0,
    progress: bool = True,
    limit_per_label: int | None = None,
    nuisance: float = 1.0,
    division: str = "torchvision",
    split_file: str | None = None,
    image_size: int = 224,
) -> ImageSet:
    """Return one split of a data set, whole and in memory.

    Parameters
    ----------
    name : {"diacritics", "cifar10", "cifar100", "flowers102"}
        Which data set.
    split : {"train", "validation"}
        The validation split of CIFAR is its official test set, as in the papers.
    root : str
        Folder in which (or into which) the CIFAR and Flowers folders lie; unused by diacritics.
    download : bool
        Whether missing files may be fetched and archives unpacked.
    train_per_label, validation_per_label : int
        How many diacritics of each label to draw; unused by the others.
    seed : int
        Seed of the drawing of diacritics; the two splits use disjoint random streams.
    progress : bool
        Show a progress bar on stderr while drawing.
    limit_per_label : int, optional
        Keep at most this many images of each label (CIFAR, Flowers: the first ones in file order).
    nuisance : float
        Scale of everything that disturbs a drawn letter, 0 (clean) to 2.
    division, split_file, image_size
        Which split of Flowers-102, and to which side its images are resized; see
        `symbreak.data.images.flowers`.

    Returns
    -------
    ImageSet
        Images, labels and the superclass of every label.

    Raises
    ------
    SymbreakError
        If a name or number is not possible, or the files are missing or damaged.

    Examples
    --------
    >>> images = load("diacritics", "train", train_per_label=2, progress=False)
    >>> images.n_labels, len(images), len(images.superclass_names)
    (100, 200, 20)
    """
    _check(name, split, limit_per_label)
    if name == "diacritics":
        from symbreak.data.images import diacritics

        per_label = train_per_label if split == "train" else validation_per_label
        if limit_per_label is not None:
            per_label = min(per_label, limit_per_label)
        return diacritics.draw(split, per_label, seed=seed, nuisance=nuisance, progress=progress)
    if name == "flowers102":
        from symbreak.data.images import flowers

        return flowers.read(
            split,
            root=root,
            download=download,
            division=division,
            split_file=split_file,
            size=image_size,
            limit_per_label=limit_per_label,
            progress=progress,
        )
    from symbreak.data.images import cifar

    return cifar.read(name, split, root=root, download=download, limit_per_label=limit_per_label)


def _check(name: str, split: str, limit_per_label: int | None) -> None:
    if name not in NAMES:
        raise SymbreakError(f"There is no data set {name!r} (data.name): choose one of {', '.join(NAMES)}.")
    if split not in SPLITS:
        raise SymbreakError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    if limit_per_label is not None and limit_per_label < 1:
        raise SymbreakError(f"data.limit_per_label is {limit_per_label}: set it to 1 or more, or omit it.")
