"""Compare seeds and blocks of one network."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `replicas`."""
    add_step(parser, "folder of the network, with its joined heads/", threads=False)
    parser.add_argument("--taps", nargs="+", help="taps to analyse (default: heads.taps)")


def run(options: Namespace) -> None:
    """Compare how the heads of different seeds and blocks divide the labels."""
    from symbreak.observables import replica_tables
    from symbreak.store import open_dataset, write_dataset
    from symbreak.store.provenance import derived

    experiment, folder = read_step(options, "replicas"), options.folder
    for tap in options.taps or experiment.headed_taps:
        with open_dataset(folder / "heads" / f"{tap}.nc", "heads") as joined:
            title = f"overlaps of seeds and blocks at {tap}"
            known = derived(joined.attrs, experiment, folder / "heads" / f"{tap}.nc", title=title)
            joined.load()
        table = replica_tables(joined, experiment.heads)
        write_dataset(folder / "replicas" / f"{tap}.nc", table, "replicas", known | table.attrs)


VERB = Verb(
    "replicas",
    "compare how the heads of different seeds and blocks divide the labels",
    "--config config/demo.yaml --folder results/demo/cct",
    arguments,
    run,
)
