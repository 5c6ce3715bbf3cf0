"""Command line: one verb for each rule of the workflow; parses and calls, no science."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from symbreak.cli.parser import build_parser
from symbreak.errors import SymbreakError, missing_extra

#: Libraries that only some verbs need, and the extra that brings each.
EXTRAS = {"torch": "torch", "torchvision": "torch", "safetensors": "torch", "snakemake": "workflow"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit status: 0, or another after one sentence on standard error.

    2: something outside is wrong; 130: interrupted; 143: asked to leave (SIGTERM) where there is no state
    to save. A training that is asked to leave saves its state and returns 2.
    """
    _speak_any_encoding()
    options = build_parser().parse_args(arguments)
    try:
        with _leaving_on_request():
            options.run(options)
            sys.stdout.flush()
    except SymbreakError as error:
        return _refuse(options.verb, str(error), error.exit_code)
    except _Asked:
        return _refuse(options.verb, "stopped on request, nothing is half-written; run again.", 143)
    except KeyboardInterrupt:
        return _refuse(options.verb, "interrupted; run again to go on.", 130)
    except MemoryError as error:
        return _refuse(options.verb, f"There is not enough memory ({error or 'none left'}); free some.", 2)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        return _refuse(options.verb, str(missing_extra(error.name or "", extra)), 2)
    except BrokenPipeError:  # the reader of our standard output wants no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = error.filename or "a file"
        return _refuse(options.verb, f"Cannot use {where}: {error.strerror or error}; mend that.", 2)
    return 0


def _speak_any_encoding() -> None:
    """Let letters that a terminal or pipe has no code for become question marks, not errors."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


class _Asked(BaseException):
    """SIGTERM came."""


@contextmanager
def _leaving_on_request() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that no temporary file stays."""

    def leave(number: int, frame: object) -> None:
        raise _Asked

    try:
        previous = signal.signal(signal.SIGTERM, leave)
    except ValueError:  # not in the main thread: nobody can be asked
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _refuse(verb: str, sentence: str, status: int) -> int:
    print(f"symbreak {verb}: {sentence}", file=sys.stderr)
    return status
