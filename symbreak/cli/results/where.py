"""Say what an experiment has found, and where its results are."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.verb import Verb
from symbreak.errors import SymbreakError


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `where`."""
    parser.add_argument("folder", type=Path, help="folder of the experiment")


def run(options: Namespace) -> None:
    """Say the answer of every network in a sentence for each block, and where to look."""
    folder = options.folder
    if not folder.is_dir():
        raise SymbreakError(f"There are no results at {folder}; run the workflow first.")
    for path in sorted(folder.glob("*/heads/attention.nc")):
        _say(path)
    places = {
        "summary": "summary.html",
        "explorer": "explorer.html",
        "report": "report.html",
        "tables": "tables/**/*.csv",
        "figures": "figures/**/*.png",
        "NetCDF": "**/*.nc",
    }
    for name, pattern in places.items():
        files = sorted(folder.glob(pattern))
        if len(files) == 1:
            print(f"{name:8} {files[0]}")
        elif files:
            top = os.path.commonpath(files)
            print(f"{name:8} {top}/ ({len(files)} files)")


def _say(path: Path) -> None:
    """Sentences of the blocks of one network."""
    from symbreak.observables.heads.sentences import block_sentences
    from symbreak.results.context import load

    print(f"{path.parents[1].name}:")
    for found in block_sentences(load(path, "heads")):
        print(f"  {found.sentence}")


VERB = Verb(
    "where",
    "say what an experiment has found, in a sentence for each block, and where its results are",
    "results/demo",
    arguments,
    run,
)
