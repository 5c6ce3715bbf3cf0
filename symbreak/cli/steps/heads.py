"""Analyse the attention heads, seed by seed."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from itertools import product

from symbreak.cli.verb import Verb, add_step, read_step


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `heads`."""
    add_step(parser, "folder of the seed; heads/ goes there", several=True)
    parser.add_argument("--taps", nargs="+", help="taps to analyse (default: heads.taps)")


def run(options: Namespace) -> None:
    """Analyse the heads of every headed tap of the seeds of one network."""
    from symbreak.observables import head_tables
    from symbreak.progress import Progress
    from symbreak.store import open_dataset, write_dataset
    from symbreak.store.provenance import derived

    experiment = read_step(options, "heads")
    places = list(product(options.folders, options.taps or experiment.headed_taps))
    for folder, tap in Progress(places, desc="heads", unit="tap"):
        with open_dataset(folder / "moments" / f"{tap}.nc", "moments") as moments:
            known = derived(
                moments.attrs, experiment, folder / "moments" / f"{tap}.nc", title=f"heads at {tap}"
            )
            moments.load()
        table = head_tables(moments, experiment.statistics, experiment.heads, options.threads)
        write_dataset(folder / "heads" / f"{tap}.nc", table, "heads", known | table.attrs)


VERB = Verb(
    "heads",
    "which head stands for which label, compared with what chance gives",
    "--config config/demo.yaml --folder results/demo/cct/seed1",
    arguments,
    run,
)
