"""Verbs that hold results against the papers' claims: a scorecard, and the page of what was run."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path


def add_scorecard_verbs(commands, add_verb) -> None:
    """Add `scorecard` and `reproduction`."""
    card = add_verb(
        commands,
        "scorecard",
        scorecard,
        "test the papers' claims on the results of an experiment",
        "--config config/demo.yaml --folder results/demo --output results/demo/tables/scorecard.csv",
    )
    card.add_argument("--config", type=Path, default=Path("config/demo.yaml"), help="experiment file")
    card.add_argument("--folder", type=Path, required=True, help="folder of the experiment, results/…")
    card.add_argument("--output", type=Path, required=True, help="table to write as CSV")
    card.add_argument("--html", type=Path, help="the same as a page")
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


def scorecard(options: Namespace) -> None:
    """Write the claims of the papers beside what was measured, with verdicts."""
    from symbreak.cli import results_files as files
    from symbreak.config import read
    from symbreak.papers.scorecard import NOTE, scorecard

    experiment = read(options.config)
    table = scorecard(options.folder, experiment.model_dump(mode="json"))
    title = f"Claims of the papers on {experiment.title or experiment.name}"
    files.write_table(table, title, options.output, options.html, NOTE)


def reproduction(options: Namespace) -> None:
    """Print the page of what was run on real data; draw its figures if asked."""
    from symbreak.cli.reproduction_figures import draw_experiment
    from symbreak.papers.reproduction import reproduction_page

    pictures = {}
    if options.figures is not None:
        pictures = {folder: draw_experiment(folder, options.figures) for folder in options.folders}
    sys.stdout.write(reproduction_page(options.folders, pictures=pictures, figures=options.figures))
