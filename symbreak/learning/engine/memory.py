"""What to do when a batch does not fit into memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import torch

from symbreak.errors import SymbreakError
from symbreak.learning.engine import parallel

Result = TypeVar("Result")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is exhausted: a GPU's, or that of the machine.

    Examples
    --------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("sizes differ"))
    (True, False)
    """
    words = "not enough memory", "can't allocate memory", "out of memory"
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or (isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words))


def with_smaller_batches(run: Callable[[int], Result], batch_size: int, what: str) -> Result:
    """Call `run` with a batch size, halved with a warning as often as memory does not suffice.

    For passes whose result does not depend on the batch size beyond rounding.

    Parameters
    ----------
    run : callable
        Batch size -> result; it starts from the beginning at every call.
    batch_size : int
        The first to try.
    what : str
        What is done, for the warning.

    Raises
    ------
    SymbreakError
        If memory does not even suffice for one image, or several processes share the pass.

    Examples
    --------
    >>> def run(size):
    ...     if size > 64:
    ...         raise MemoryError
    ...     return size
    >>> with_smaller_batches(run, 250, "measure")
    62
    """
    while True:
        try:
            return run(batch_size)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if batch_size == 1 or parallel.count() > 1:  # which have divided the batches of this size
                raise SymbreakError(
                    f"There is not enough memory to {what} with batches of {batch_size} images; "
                    "free some, set a smaller `batch_size` or take another device."
                ) from error
        batch_size //= 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        print(f"There is not enough memory to {what}; going on with {batch_size} images.", file=sys.stderr)
