"""Compiled kernels whose cache notices every change of their sources."""

import os
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import config, njit

settings: Any = config  # numba fills the module at run time, type checkers see it empty

#: What LLVM may do to sums: reorder them, contract a product and a sum, and forget the sign of a zero.
REORDER = {"reassoc", "contract", "nsz"}


@lru_cache
def _cache_folder(sources: Path) -> str:
    """Folder for compiled code of exactly these sources; empty (numba's choice) if not writable."""
    digest = sha256(Path(__file__).read_bytes())  # how they are compiled
    for path in sorted(sources.glob("*.py")):
        digest.update(path.read_bytes())
    base = Path(settings.CACHE_DIR) if settings.CACHE_DIR else sources / "__pycache__"
    nearest = next(folder for folder in (base, *base.parents) if folder.exists())
    return str(base / f"kernels-{digest.hexdigest()[:16]}") if os.access(nearest, os.W_OK) else ""


@lru_cache
def _warn_once() -> None:
    words = (
        "No folder for compiled kernels may be written, so each process compiles them; set NUMBA_CACHE_DIR."
    )
    print(words, file=sys.stderr)


def kernel(function: Callable | None = None, *, reorder: bool = False) -> Any:
    """Compile a function without the interpreter lock, caching the machine code on disk.

    With ``reorder=True`` the terms of its sums may be added in another order than written, so that several
    are added at once; numbers that are not finite keep their meaning.

    numba looks only at the file of a function to decide whether cached code is still valid, not at
    the files of the functions it calls. Here all sources of the folder name the cache, so that an
    updated kernel is never mixed with old ones.

    Examples
    --------
    >>> @kernel
    ... def double(value):
    ...     return 2 * value
    >>> double(4)
    8
    """
    if function is None:
        return partial(kernel, reorder=reorder)
    usual = settings.CACHE_DIR
    source = Path(function.__code__.co_filename)
    compiler = njit(nogil=True, fastmath=REORDER if reorder else False, cache=source.is_file())
    settings.CACHE_DIR = _cache_folder(source.parent) or usual
    try:
        return compiler(function)  # one typed at a prompt has no file and no cache
    except RuntimeError:  # numba finds no place for its cache
        _warn_once()
        return njit(nogil=True, fastmath=REORDER if reorder else False)(function)
    finally:
        settings.CACHE_DIR = usual
