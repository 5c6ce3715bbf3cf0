"""Print a script with which a shell completes verbs and options."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb
from symbreak.errors import SymbreakError

SHELLS = ("bash", "zsh", "tcsh")


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `completion`."""
    parser.add_argument("shell", choices=SHELLS, help="for which shell")


def run(options: Namespace) -> None:
    """Print the script; its verbs and options are those of the parser."""
    from symbreak.cli.parser import build_parser

    try:
        import shtab
    except ImportError:
        raise SymbreakError("Completion needs the package shtab; add it by `pip install shtab`.") from None
    sys.stdout.write(shtab.complete(build_parser(listed=True), shell=options.shell))


VERB = Verb(
    "completion",
    "print a script that lets a shell complete verbs and options",
    "bash > ~/.local/share/bash-completion/completions/symbreak",
    arguments,
    run,
)
