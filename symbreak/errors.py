"""The errors that a user meets: one class for each cause, whose sentence names the place and the cure."""

from __future__ import annotations

import errno
from pathlib import Path


class SymbreakError(ValueError):
    """Something outside the program is wrong: a file, a key, a value.

    The message is one sentence: what is wrong, where, and how to mend it. The
    command line prints it alone, without a traceback, and exits with status 2.
    """

    exit_code = 2


class NoSpace(SymbreakError):
    """A disk or a quota is full."""

    cure = "free space there"


class NotAllowed(SymbreakError):
    """Somebody may not write or read there."""

    cure = "choose a place that you may use, or ask for the right to it"


class WrongPlace(SymbreakError):
    """A path cannot be that of such a file."""

    cure = "choose another name"


class Unreachable(SymbreakError):
    """The system fails for a reason of its own."""

    cure = "see that the place is reachable, has space and that you may use it"


class InUse(SymbreakError):
    """Another process is at work there."""

    cure = "wait until it has finished, or stop it first"


class NotFound(SymbreakError):
    """There is no such file."""

    cure = "check the path"


class Damaged(SymbreakError):
    """A file is not what it was when it was written."""

    cure = "delete the file and run again"


class Foreign(SymbreakError):
    """A file that is whole, but none of those that are wanted here."""

    cure = "give one of ours of that kind"


class OtherVersion(SymbreakError):
    """A file that another version of the schema wrote."""

    cure = "write it anew"


class Unstorable(SymbreakError):
    """Tensors that no file can hold as they are."""

    cure = "give tensors with values of their own, by `.to_dense()` or on a device"


class Partners(SymbreakError):
    """Processes that share the work do not find each other."""

    cure = "start all of them"


_CAUSES: dict[int, type[NoSpace | NotAllowed | WrongPlace | NotFound | InUse]] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), NoSpace),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), NotAllowed),
    **dict.fromkeys((errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP), WrongPlace),
    **dict.fromkeys((errno.EAGAIN, errno.EBUSY, errno.ETXTBSY), InUse),
    errno.ENOENT: NotFound,
}


def of_system(doing: str, path: str | Path, error: OSError) -> SymbreakError:
    """Turn an error of the system into that of its cause.

    Parameters
    ----------
    doing : str
        What was tried, such as ``"write"``.
    path : path
        Where.
    error : OSError
        What the system says.

    Returns
    -------
    SymbreakError
        Of the class of the cause, to be raised.

    Examples
    --------
    >>> print(of_system("write", "a.nc", OSError(errno.ENOSPC, "No space left on device")))
    Cannot write a.nc: No space left on device; free space there.
    """
    cause = _CAUSES.get(error.errno or 0, Unreachable)
    return cause(f"Cannot {doing} {path}: {error.strerror or error}; {cause.cure}.")


def missing_extra(library: str, extra: str) -> SymbreakError:
    """What is said where an optional library is not installed.

    Examples
    --------
    >>> print(missing_extra("timm", "timm"))
    timm is not installed; get it by `pip install 'symbreak[timm]'`.
    """
    return SymbreakError(f"{library} is not installed; get it by `pip install 'symbreak[{extra}]'`.")
