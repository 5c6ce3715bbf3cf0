"""Say where the results of an experiment are."""

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
    """Say where the results of an experiment are."""
    folder = options.folder
    if not folder.is_dir():
        raise SymbreakError(f"There are no results at {folder}; run the workflow first.")
    places = {
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


VERB = Verb("where", "say where the results of an experiment are", "results/demo", arguments, run)
