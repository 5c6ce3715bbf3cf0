"""Statistics of nodes, seed by seed."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from itertools import product

from symbreak.cli.verb import Verb, add_step, read_step


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `scan`."""
    add_step(parser, "folder of the seed; statistics/ and nodes/ go there", several=True)
    parser.add_argument("--taps", nargs="+", help="taps to scan (default: all of the experiment)")


def run(options: Namespace) -> None:
    """Statistics of every tap of the seeds of one network."""
    from symbreak.observables import block_tables
    from symbreak.progress import Progress
    from symbreak.store import open_dataset, write_dataset
    from symbreak.store.provenance import derived

    experiment = read_step(options, "scan")
    places = list(product(options.folders, options.taps or experiment.probes.taps))
    for folder, tap in Progress(places, desc="scan", unit="tap"):
        with open_dataset(folder / "moments" / f"{tap}.nc", "moments") as moments:
            known = derived(moments.attrs, experiment, folder / "moments" / f"{tap}.nc", title="")
            moments.load()
        statistics, nodes = block_tables(moments, experiment.statistics, options.threads)
        for kind, dataset in (("statistics", statistics), ("nodes", nodes)):
            facts = known | {"title": f"{kind} at {tap}"}
            write_dataset(folder / kind / f"{tap}.nc", dataset, kind, facts)


VERB = Verb(
    "scan",
    "matrices, clusters and signal-to-noise ratio of all nodes at all thresholds",
    "--config config/demo.yaml --folder results/demo/cct/seed1",
    arguments,
    run,
)
