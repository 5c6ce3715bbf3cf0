"""Features and labels as people have them, checked and as NumPy arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import SymbreakError


def read_npz(path: str | Path) -> dict[str, NDArray]:
    """Arrays of a file of `numpy.savez`, by name.

    Raises
    ------
    SymbreakError
        If the file is missing, damaged, or holds objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise SymbreakError(f"There is no file {path}; check the path.") from None
    except (AttributeError, ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        reason = str(error).split("\n")[0][:100]
        raise SymbreakError(
            f"{path} is no file of plain arrays ({reason}); write it by numpy.savez."
        ) from error


def measured_folds(count: NDArray, names: Sequence[str], folds: int) -> int:
    """Folds that every label fills, at most as many as wanted.

    Raises
    ------
    SymbreakError
        If a label has fewer than two inputs: there is no error bar from one.
    """
    if folds < 2:
        raise SymbreakError(f"folds is {folds}; two or more parts of the inputs are needed for error bars.")
    few = int(np.argmin(count))
    if count[few] < 2:
        raise SymbreakError(
            f"Label {names[few]!r} has {count[few]} inputs to measure; give two or more of each label."
        )
    return int(min(folds, count[few]))


def require_labels(training: NDArray, names: Sequence[str]) -> None:
    """Refuse a label without an input to train its readout."""
    missing = np.flatnonzero(np.bincount(training, minlength=len(names)) == 0)
    if len(missing):
        raise SymbreakError(
            f"{len(missing)} labels have no input to train the readout, the first is {names[missing[0]]!r}; "
            "give some of each."
        )


def to_array(values: Any, what: str) -> NDArray:
    """Array of an array or tensor on whatever device, without its gradient.

    Raises
    ------
    SymbreakError
        If it is not numbers.

    Examples
    --------
    >>> to_array([[1, 2]], "features").dtype
    dtype('int64')
    """
    if hasattr(values, "detach"):  # a tensor, perhaps bfloat16, which NumPy lacks
        values = values.detach().cpu()
        values = values.float().numpy() if values.is_floating_point() else values.numpy()
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise SymbreakError(f"The {what} are no array ({str(error).splitlines()[0]}); give one.") from None
    if array.dtype.kind == "O":
        raise SymbreakError(f"The {what} are objects of different kinds; give an array of numbers.")
    return array.astype(np.float32) if array.dtype == np.float16 else array


def feature_arrays(features: Any) -> dict[int, NDArray]:
    """Pooled features by block, checked."""
    blocks = dict(features) if isinstance(features, Mapping) else {1: features}
    arrays = {}
    for number in sorted(blocks):
        array = to_array(blocks[number], f"features of block {number}")
        if array.ndim != 2 or array.dtype.kind not in "fiu":
            raise SymbreakError(
                f"Features of block {number} are {array.dtype} of shape {array.shape}; pool over the tokens "
                "and give (inputs, nodes) numbers."
            )
        if not np.isfinite(array).all():
            raise SymbreakError(f"Features of block {number} are not all finite; look at the network.")
        arrays[int(number)] = array
    if list(arrays) != list(range(1, len(arrays) + 1)) or not arrays:
        raise SymbreakError(f"Blocks are numbered {sorted(blocks)}; number them 1, 2, … without a gap.")
    return arrays


def label_numbers(labels: Any, names: Sequence[str] | None, inputs: int) -> tuple[list[str], NDArray]:
    """Names of the labels, and the number of each input's label."""
    array = to_array(labels, "labels")
    if array.shape != (inputs,):
        raise SymbreakError(
            f"There are {inputs} inputs and labels of shape {array.shape}; give one for each."
        )
    if array.dtype.kind in "US":
        known, array = np.unique(array.astype(str), return_inverse=True)
        names = [str(name) for name in known] if names is None else names
    if array.dtype.kind not in "iu":
        raise SymbreakError(f"Labels are {array.dtype}; give integers from 0, or names.")
    count = np.bincount(array) if array.min(initial=0) >= 0 else np.zeros(1)
    if len(count) < 2 or not count.all():
        raise SymbreakError("Labels must run from 0 without a gap, over two labels or more; number them so.")
    if names is not None and len(names) != len(count):
        raise SymbreakError(f"There are {len(count)} labels and {len(names)} names; give one for each.")
    return [str(n) for n in (range(len(count)) if names is None else names)], array.astype(np.int64)


def training_inputs(split: Any, labels: NDArray) -> NDArray[np.bool_]:
    """Which inputs train the readout."""
    if split is None:
        return every_second(labels, np.zeros(int(labels.max()) + 1, dtype=np.int64))
    array = to_array(split, "split")
    training = array == "train" if array.dtype.kind in "US" else array.astype(bool)
    if training.shape != labels.shape or not training.any() or training.all():
        raise SymbreakError(
            "The split must say of every input whether it trains, and some must not; mend it."
        )
    return training


def every_second(labels: NDArray, seen: NDArray) -> NDArray[np.bool_]:
    """Whether each input is the 1st, 3rd, 5th, … of its label; `seen` counts those before and is updated.

    Examples
    --------
    >>> every_second(np.array([0, 0, 1, 0]), np.zeros(2, dtype=int)).tolist()
    [True, False, True, True]
    """
    training = np.empty(len(labels), dtype=bool)
    for row, label in enumerate(labels):
        training[row] = seen[label] % 2 == 0
        seen[label] += 1
    return training


def heads_per_block(heads: int | Sequence[int] | None, widths: list[int]) -> tuple[int, ...]:
    """Number of heads of each block, which divides its nodes."""
    if heads is None:
        return ()
    per_block = (heads,) * len(widths) if isinstance(heads, int) else tuple(heads)
    if len(per_block) != len(widths):
        raise SymbreakError(
            f"There are {len(widths)} blocks and {len(per_block)} numbers of heads; give one for each."
        )
    for block, (number, width) in enumerate(zip(per_block, widths), start=1):
        if number < 1 or width % number:
            raise SymbreakError(f"{number} heads do not divide {width} nodes of block {block}; mend either.")
    return per_block


def superclass_names(
    superclass: Mapping[str, str] | Sequence[str] | None, names: Sequence[str]
) -> list[str] | None:
    """Name of the superclass of each label."""
    if superclass is None:
        return None
    if isinstance(superclass, Mapping):
        missing = [name for name in names if name not in superclass]
        if missing:
            raise SymbreakError(f"Label {missing[0]!r} has no superclass; name one for each label, or none.")
        return [str(superclass[name]) for name in names]
    if len(superclass) != len(names):
        raise SymbreakError(
            f"There are {len(names)} labels and {len(superclass)} superclasses; give one for each."
        )
    return [str(name) for name in superclass]
