"""Progress bars that stay legible on a terminal, in a pipe and in a log file."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

from tqdm import tqdm

#: One line of progress where nothing can move.
LINE = (
    "{desc} {percentage:3.0f} % {bar:16} {n_fmt}/{total_fmt} [{elapsed} < {remaining}, {rate_fmt}{postfix}]"
)


class Progress(tqdm):
    """A tqdm bar; where standard error is no terminal, one line every ten seconds.

    Several jobs of a workflow share one terminal through pipes: whole lines of
    theirs can interleave, moving cursors cannot.

    Examples
    --------
    >>> sum(Progress(range(4), desc="adding", disable=True))
    6
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.moves = sys.stderr.isatty()
        if os.environ.get("RANK", "0") != "0":  # of several processes the first speaks
            options |= {"disable": True}
        if not self.moves:
            options = {"mininterval": 10.0, "maxinterval": 20.0, "bar_format": LINE, "ascii": " ─━"} | options
        super().__init__(*args, **({"dynamic_ncols": self.moves, "file": sys.stderr} | options))

    def display(self, msg: str | None = None, pos: int | None = None) -> bool | None:
        """Draw the bar in place, or print it as a line."""
        if self.moves:
            return super().display(msg, pos)
        if self.n:
            with suppress(BrokenPipeError):  # who reads may be gone; the work goes on to save its state
                print(msg or str(self), file=sys.stderr, flush=True)
        return True
