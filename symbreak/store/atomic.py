"""Write a file so that it is either whole or absent."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from symbreak.errors import SymbreakError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it takes the place of `path`.

    An exception, a kill or a full disk leaves `path` as it was.

    Raises
    ------
    SymbreakError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{uuid.uuid4().hex[:6]}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise SymbreakError(
            f"Cannot write {path}: {error.strerror or error}; free space or choose a folder you may write to."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def replacing_text(path: str | Path, text: str) -> None:
    """Write a text file atomically.

    Raises
    ------
    SymbreakError
        If the folder cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _flush(path: Path) -> None:
    """Push the bytes to the disk, so that the rename cannot overtake them."""
    with open(path, "rb") as handle:
        os.fsync(handle.fileno())
