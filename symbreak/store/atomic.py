"""Write a file so that it is either whole or as it was."""

from __future__ import annotations

import errno
import os
import platform
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from symbreak.errors import SymbreakError, of_system

#: What `fsync` answers on file systems that have none.
_NO_FSYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
#: What `rename` answers where the old file may only be overwritten (a mounted file, others' folders).
_NO_RENAME = (errno.EPERM, errno.EACCES, errno.EBUSY, errno.EXDEV)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name in the folder of `path`; on success it takes the place of `path`.

    An exception, a kill or a full disk leaves `path` as it was. Of a symbolic link the target is replaced and
    the link stays. The file has the mode that the umask gives. What killed writers of `path` left under
    temporary names is removed.

    Raises
    ------
    SymbreakError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    target = Path(path)
    temporary = None
    try:
        target = _linked(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target)
        writer = f"{os.getpid()}-{_machine()}-{uuid.uuid4().hex[:6]}"
        temporary = target.with_name(f".{target.stem}.{writer}{target.suffix}")
        mode = _create(temporary)
        yield temporary
        temporary.chmod(mode)  # some libraries make files that only their owner may read
        _flush(temporary)
        _take_place(temporary, target)
    except OSError as error:
        raise of_system("write", path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def replacing_text(path: str | Path, text: str) -> None:
    """Write a text file atomically.

    Raises
    ------
    SymbreakError
        If the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def require_other(output: str | Path, inputs: Iterable[str | Path]) -> None:
    """Refuse to write a file over one that it is made of.

    Raises
    ------
    SymbreakError
        Naming the file.
    """
    if os.path.realpath(output) in map(os.path.realpath, inputs):
        raise SymbreakError(f"{output} is an input, and writing would lose it; choose another output.")


def _linked(path: Path) -> Path:
    """Where a symbolic link leads in the end; any other path as it is."""
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return target


def _create(path: Path) -> int:
    """Make an empty file as the umask wants it, and return its mode."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        return os.fstat(handle).st_mode & 0o777
    finally:
        os.close(handle)


def _take_place(temporary: Path, target: Path) -> None:
    """Rename a finished file; where the old one may only be overwritten, do that."""
    try:
        os.replace(temporary, target)
    except OSError as error:
        if error.errno not in _NO_RENAME or not target.is_file():
            raise
        try:
            shutil.copyfile(temporary, target)
        except OSError as second:
            kept = target.with_name(f"{target.name}.new")
            os.replace(temporary, kept)
            raise OSError(error.errno, f"{second.strerror} (the finished file is {kept})") from second
        _flush(target)


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
    """Push the bytes to the disk, so that the rename cannot overtake them, where the file system can."""
    with open(path, "rb") as handle:
        try:
            os.fsync(handle.fileno())
        except OSError as error:
            if error.errno not in _NO_FSYNC:
                raise
