"""Finished parts of a job that takes several, kept until all of them are finished."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path


def one_by_one(parts: Sequence[Sequence[Path]], key: str, work: Callable[[int], None]) -> None:
    """Make the files of several parts, each part once, however often the job is started.

    Snakemake deletes all outputs of a job that failed or was killed, also those of its finished parts. So a
    second, hidden name of each finished file stays until the last part is finished, and a later try takes it.

    Parameters
    ----------
    parts : sequence of sequences of Path
        Files of each part.
    key : str
        What determines the files; those that were kept under another key are not taken.
    work : callable
        Makes the files of the part with the number that it is given.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> files = [[folder / "a"], [folder / "b"]]
    >>> one_by_one(files, "key", lambda part: files[part][0].write_text("done") and None)
    >>> sorted(path.name for path in folder.iterdir())
    ['a', 'b']
    """
    hidden = [[path.with_name(f".{path.name}.kept-{key}") for path in files] for files in parts]
    several = len(parts) > 1
    for number, (files, kept) in enumerate(zip(parts, hidden, strict=True)):
        if several and all(path.exists() for path in kept):
            for path, name in zip(kept, files, strict=True):
                _same_file(path, name)
            continue
        work(number)
        if several:
            for path, name in zip(kept, files, strict=True):
                _same_file(name, path)
    for path in (path for kept in hidden for path in kept):
        path.unlink(missing_ok=True)


def _same_file(source: Path, name: Path) -> None:
    """Give a file a second name, or copy it where the file system has one name for each."""
    name.unlink(missing_ok=True)
    try:
        os.link(source, name)
    except OSError:
        shutil.copyfile(source, name)
