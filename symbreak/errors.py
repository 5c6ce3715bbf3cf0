"""The one error class that a user meets: a sentence that names the place and the cure."""


class SymbreakError(ValueError):
    """Something outside the program is wrong: a file, a key, a value.

    The message is one sentence: what is wrong, where, and how to mend it. The
    command line prints it alone, without a traceback, and exits with status 2.
    """

    exit_code = 2


def missing_extra(library: str, extra: str) -> SymbreakError:
    """What is said where an optional library is not installed.

    Examples
    --------
    >>> print(missing_extra("timm", "timm"))
    timm is not installed; get it by `pip install 'symbreak[timm]'`.
    """
    return SymbreakError(f"{library} is not installed; get it by `pip install 'symbreak[{extra}]'`.")
