"""Verb that writes the page of what was run."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path


def add_reproduction(commands, add_verb) -> None:
    """Add `reproduction`."""
    page = add_verb(
        commands,
        "reproduction",
        reproduction,
        "print the page that tells what was run on real data, claim by claim",
        "docs/data/cifar100_cpu --figures docs/images/cifar100 > docs/reproduction.md",
    )
    page.add_argument("folders", type=Path, nargs="+", help="folders of experiments, or their small files")
    page.add_argument(
        "--figures", type=Path, help="draw figures into this folder and show them (default: none)"
    )


def reproduction(options: Namespace) -> None:
    """Print the page of what was run on real data; draw its figures if asked."""
    from symbreak.papers.pictures import draw_experiment
    from symbreak.papers.reproduction import reproduction_page

    pictures = {}
    if options.figures is not None:
        pictures = {folder: draw_experiment(folder, options.figures) for folder in options.folders}
    sys.stdout.write(reproduction_page(options.folders, pictures=pictures, figures=options.figures))
