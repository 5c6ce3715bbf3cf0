"""Write a file so that it is either whole or absent."""

from __future__ import annotations

import os
import platform
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from symbreak.errors import SymbreakError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it takes the place of `path`.

    An exception, a kill or a full disk leaves `path` as it was. What killed writers of `path` left
    behind under such names is removed.

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
    writer = f"{os.getpid()}-{_machine()}-{uuid.uuid4().hex[:6]}"
    temporary = path.with_name(f".{path.stem}.{writer}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
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


def _machine() -> str:
    """Name of this machine as far as a file name may hold it: process numbers mean nothing elsewhere."""
    return re.sub(r"[^A-Za-z0-9]", "", platform.node())[:32] or "unknown"


def _remove_abandoned(path: Path) -> None:
    """Remove temporaries of `path` whose writer, a process of this machine, lives no more."""
    ours = re.compile(rf"\.{re.escape(path.stem)}\.(\d+)-{_machine()}-[0-9a-f]{{6}}{re.escape(path.suffix)}")
    for name in os.listdir(path.parent):
        found = ours.fullmatch(name)
        if found and not _lives(int(found.group(1))):
            with suppress(OSError):
                (path.parent / name).unlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _flush(path: Path) -> None:
    """Push the bytes to the disk, so that the rename cannot overtake them."""
    with open(path, "rb") as handle:
        os.fsync(handle.fileno())
