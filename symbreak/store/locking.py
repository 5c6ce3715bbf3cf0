"""Locks on files, so that two processes never write the same results."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

from symbreak.errors import InUse, of_system

#: What `flock` answers on file systems that have no locks.
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)


@contextmanager
def alone(output: str | Path) -> Iterator[None]:
    """Hold the right to write `output`; a second process is refused.

    The operating system drops the lock when the process ends, however it ends. On a file system without
    locks a warning says once that nobody guards against a second process.

    Raises
    ------
    InUse
        If another process holds it.
    SymbreakError
        If the folder cannot be written.
    """
    output = Path(output)
    path = output.with_name(f".{output.stem}.lock")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        handle = locked(path)
    except BlockingIOError:
        raise InUse(f"Another process is already writing {output}; {InUse.cure}.") from None
    except OSError as error:
        raise of_system("write", path, error) from error
    with handle:
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()


def locked(path: Path, wait: bool = False) -> IO[str]:
    """Open and lock a file; again if its last holder has removed it in between.

    Parameters
    ----------
    path : Path
        The lock file.
    wait : bool
        Wait for another holder, where otherwise ``BlockingIOError`` is raised.
    """
    while True:
        handle = open(path, "w")  # noqa: SIM115
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _names(path, handle):
                return handle
        except OSError as error:
            if error.errno in _NO_LOCKS:
                _warn_once(path.parent)
                return handle
            handle.close()
            raise
        handle.close()


def _names(path: Path, handle: IO[str]) -> bool:
    """Whether `path` is still the name of the open file."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False


@lru_cache
def _warn_once(folder: Path) -> None:
    words = f"The file system of {folder} has no locks: let no second process write the same results."
    print(words, file=sys.stderr)
