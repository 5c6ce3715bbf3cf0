"""Command line: one verb for each rule of the workflow; parses and calls, no science."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from symbreak.cli.parser import build_parser
from symbreak.errors import SymbreakError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit status: 0, or 2 after one sentence on standard error."""
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
    except SymbreakError as error:
        print(f"symbreak {options.verb}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"symbreak {options.verb}: interrupted; run again to go on.", file=sys.stderr)
        return 130
    return 0
