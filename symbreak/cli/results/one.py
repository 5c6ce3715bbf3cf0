"""Make one table or figure of results from files of any place."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from functools import partial
from pathlib import Path

from symbreak.cli.verb import Verb
from symbreak.errors import SymbreakError
from symbreak.results.files import FILES

#: What a figure or table may be asked for in place of its default.
CHOICES = ("threshold", "block", "node", "head", "filter")
EXAMPLES = {
    "table": "snr --statistics results/demo/cct/statistics/block.nc --html snr.html",
    "figure": "matrix --moments results/demo/cct/seed1/moments/block.nc --output m.png",
}


def _arguments(parser: ArgumentParser, kind: str) -> None:
    parser.add_argument("name", metavar="NAME", help=f"which {kind}: see docs/results.md")
    for name in FILES:
        parser.add_argument(f"--{name}", type=Path, nargs="+", metavar="FILE", help=SUPPRESS)
    parser.add_argument(
        "--config", type=Path, help="experiment file (default: the experiment kept in the data file)"
    )
    parser.add_argument(
        "--threshold", type=float, help="fraction of the largest field (default: the experiment's)"
    )
    parser.add_argument("--block", type=int, help="block, from 1 (default: the last)")
    if kind == "table":
        parser.add_argument("--output", type=Path, help="CSV file (default: print the table)")
        parser.add_argument("--html", type=Path, help="HTML file, to be looked at")
        return
    parser.add_argument("--output", type=Path, required=True, help="file to write: .png, .pdf or .svg")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--node", type=int, help="of `matrix`: node, from 1 (default: a typical one)")
    which.add_argument("--head", type=int, help="of `matrix`: attention head, from 1, in place of a node")
    which.add_argument("--filter", type=int, help="of `matrix`: filter of a convolution, from 1")


def run(options: Namespace) -> None:
    """Make one table or figure, from the files that are named."""
    from symbreak.config import read
    from symbreak.results.context import Context
    from symbreak.results.layout import Layout
    from symbreak.results.making import FORMATS, Table, make, write
    from symbreak.results.registry import find

    entry = find(options.name, options.kind)
    files = {kind: getattr(options, kind) for kind in FILES if getattr(options, kind)}
    wrong = [kind for kind in files if kind not in entry.required + entry.optional]
    if wrong:
        raise SymbreakError(
            f"{entry.name} is not made of {wrong[0]} but of {entry.inputs}; leave --{wrong[0]} out."
        )
    missing = [kind for kind in entry.required if kind not in files]
    if missing or not files:
        raise SymbreakError(
            f"{entry.name} is made of {entry.inputs}: give files of each by its option, or use results."
        )
    layout = Layout(read(options.config)) if options.config else None
    choices = {name: getattr(options, name, None) for name in CHOICES}
    context = Context(layout, files=files, choices=choices)
    paths = [path for path in (options.output, getattr(options, "html", None)) if path]
    if options.kind == "figure" and paths[0].suffix[1:] not in FORMATS:
        raise SymbreakError(f"{paths[0]} does not end in .png, .pdf or .svg; choose one of them.")
    made = make(entry, context)
    for path in paths:
        write(made, path, entry, context)
    if isinstance(made, Table) and not paths:
        print(made.frame.to_string(index=False))


VERBS = tuple(
    Verb(
        kind,
        f"make one {kind} of results from files of any place",
        example,
        partial(_arguments, kind=kind),
        run,
        {"kind": kind},
    )
    for kind, example in EXAMPLES.items()
)
