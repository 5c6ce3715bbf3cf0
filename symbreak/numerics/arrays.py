"""What a caller gives as numbers, as arrays of numbers: one check at the door of public functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import SymbreakError


def as_array(values: Any, name: str) -> NDArray[Any]:
    """Array of what was given: tensors are detached and brought to the CPU, masked elements refused.

    Parameters
    ----------
    values : array_like or tensor
        bfloat16 is read as float32.
    name : str
        Of the argument, for the message.

    Raises
    ------
    SymbreakError
        If elements are masked, rows differ in length, or a tensor has no dense numbers.

    Examples
    --------
    >>> as_array([[1, 2]], "matrix").shape
    (1, 2)
    """
    if hasattr(values, "detach"):  # a tensor; this wing does not import torch
        try:
            tensor = values.detach().cpu()
            values = tensor.float().numpy() if "bfloat16" in str(tensor.dtype) else tensor.numpy()
        except Exception as error:  # sparse, meta and quantised tensors raise many classes
            reason = str(error).split("\n")[0][:100]
            raise SymbreakError(
                f"{name} is a tensor without plain numbers ({reason}); give a dense one."
            ) from error
    if np.ma.is_masked(values):
        raise SymbreakError(f"{name} has masked elements; fill them or leave their rows out.")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise SymbreakError(f"{name} is no array ({error}); give rows of one length.") from error


def as_floats(values: Any, name: str, finite: bool = True) -> NDArray[np.float64]:
    """Real numbers in double precision, refusing what would be another number or none.

    Parameters
    ----------
    values : array_like or tensor
    name : str
        Of the argument, for the message.
    finite : bool
        Refuse NaN and infinity.

    Raises
    ------
    SymbreakError
        If elements are masked, complex, no numbers, or not finite.

    Examples
    --------
    >>> as_floats([1, 2], "bias")
    array([1., 2.])
    >>> as_floats([[0.0, float("nan")]], "feature_mean")
    Traceback (most recent call last):
    symbreak.errors.SymbreakError: feature_mean is nan at (0, 1); give finite numbers only.
    """
    array = as_array(values, name)
    if array.dtype.kind not in "fiub":
        raise SymbreakError(f"{name} holds {array.dtype}; give real numbers.")
    with np.errstate(over="ignore"):
        floats = array.astype(np.float64, copy=False)
    if finite and not np.isfinite(floats).all():
        first = tuple(int(place) for place in np.argwhere(~np.isfinite(floats))[0])
        raise SymbreakError(f"{name} is {floats[first]} at {first}; give finite numbers only.")
    return floats
