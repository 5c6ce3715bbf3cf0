"""Join the results of several seeds."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.verb import Verb
from symbreak.errors import SymbreakError


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `join`."""
    parser.add_argument("folders", type=Path, nargs="*", help="folders of the seeds")
    parser.add_argument("--seeds", nargs="+", default=[], help="seeds, instead: seed*/ below the output")
    parser.add_argument("--names", nargs="+", required=True, help="files to join, below each folder")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")


def run(options: Namespace) -> None:
    """Stack the results of several seeds, file by file of the same name."""
    from symbreak.store import open_dataset, write_dataset
    from symbreak.store.atomic import require_other
    from symbreak.store.joining import join_seeds

    folders = [*options.folders, *(options.output / f"seed{seed}" for seed in options.seeds)]
    if not folders:
        raise SymbreakError("There is nothing to join: give folders, or --seeds.")
    for name in options.names:
        paths = [folder / name for folder in folders]
        require_other(options.output / name, paths)
        joined = join_seeds([open_dataset(path).load() for path in paths])
        write_dataset(options.output / name, joined, joined.attrs["symbreak_kind"], joined.attrs)


VERB = Verb(
    "join",
    "stack the results of several seeds along the dimension seed",
    "--output results/demo/cct --seeds 1 2 --names statistics/block.nc",
    arguments,
    run,
)
