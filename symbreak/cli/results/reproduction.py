"""The page of what was run on real data."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.verb import Verb


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `reproduction`."""
    parser.add_argument("folders", type=Path, nargs="+", help="folders of experiments, or their small files")
    parser.add_argument(
        "--figures", type=Path, help="draw figures into this folder and show them (default: none)"
    )


def run(options: Namespace) -> None:
    """Print the page of what was run on real data; draw its figures if asked."""
    from symbreak.papers.pictures import draw_experiment
    from symbreak.papers.reproduction import reproduction_page

    pictures = {}
    if options.figures is not None:
        pictures = {folder: draw_experiment(folder, options.figures) for folder in options.folders}
    sys.stdout.write(reproduction_page(options.folders, pictures=pictures, figures=options.figures))


VERB = Verb(
    "reproduction",
    "print the page that tells what was run on real data, claim by claim",
    "docs/data/cifar100_cpu --figures docs/images/cifar100 > docs/reproduction.md",
    arguments,
    run,
)
