"""The page of every printed table."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.verb import Verb


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `papers`."""
    parser.add_argument(
        "folders", type=Path, nargs="*", help="folders of experiments (default: results/* and docs/data/*)"
    )
    parser.add_argument("--html", type=Path, help="write the page as HTML to this file")


def run(options: Namespace) -> None:
    """Print or write the page of all printed tables."""
    from symbreak.papers.page import folders_of_experiments, papers_page
    from symbreak.store.atomic import replacing_text

    folders = [folder for folder in options.folders if not folder.is_file()]  # as a README among them
    folders = folders if options.folders else folders_of_experiments()
    source = " ".join(["symbreak papers", *map(str, options.folders)])
    if options.html:
        replacing_text(options.html, papers_page(folders, as_html=True))
    else:
        sys.stdout.write(papers_page(folders, source=source))


VERB = Verb(
    "papers",
    "print every table of both papers: reproduced at full budget, in miniature, or not run",
    "docs/data/cifar100_cpu > docs/papers.md",
    arguments,
    run,
)
