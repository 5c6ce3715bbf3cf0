"""The one error class that a user meets: a sentence that names the place and the cure."""


class SymbreakError(Exception):
    """Something outside the program is wrong: a file, a key, a value.

    The message is one sentence: what is wrong, where, and how to mend it. The
    command line prints it alone, without a traceback, and exits with status 2.
    """

    exit_code = 2
