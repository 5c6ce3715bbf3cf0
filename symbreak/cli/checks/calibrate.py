"""Simulate the size and the power of every test."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.verb import Verb, positive


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `calibrate`."""
    parser.add_argument("--tests", nargs="+", metavar="TEST", help="names of tests (default: all)")
    parser.add_argument(
        "--worlds", type=positive, default=400, help="worlds for each row (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the first world (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="write the table as CSV (default: print Markdown)")


def run(options: Namespace) -> None:
    """Print or write the table of sizes and powers."""
    from symbreak.planted import calibrate
    from symbreak.planted.calibration import calibration_page
    from symbreak.progress import Progress
    from symbreak.store.atomic import replacing_text

    table = calibrate(
        options.worlds,
        options.tests,
        seed=options.seed,
        progress=lambda chosen: Progress(chosen, desc="calibrate", unit="world"),
    )
    if options.output:
        replacing_text(options.output, table.to_csv(index=False, lineterminator="\n"))
    else:
        sys.stdout.write(calibration_page(table))


VERB = Verb(
    "calibrate",
    "simulate how often each test rejects where nothing is there, and where something is",
    "--worlds 400 > docs/calibration.md",
    arguments,
    run,
)
