"""Verbs of the head analysis: open files, call the library, write files."""

from __future__ import annotations

from argparse import Namespace


def heads(options: Namespace) -> None:
    """Analyse the heads of every headed tap of one seed."""
    from symbreak.config import read
    from symbreak.observables import head_tables
    from symbreak.progress import Progress
    from symbreak.store import open_dataset, write_dataset
    from symbreak.store.provenance import derived

    experiment, folder = read(options.config), options.folder
    for tap in Progress(options.taps or experiment.headed_taps, desc="heads", unit="tap"):
        with open_dataset(folder / "moments" / f"{tap}.nc", "moments") as moments:
            known = derived(
                moments.attrs, experiment, folder / "moments" / f"{tap}.nc", title=f"heads at {tap}"
            )
            moments.load()
        table = head_tables(moments, experiment.statistics, experiment.heads, options.threads)
        write_dataset(folder / "heads" / f"{tap}.nc", table, "heads", known | table.attrs)


def attention(options: Namespace) -> None:
    """Compare the attention maps of the heads of one seed."""
    from symbreak.cli.verbs import _use_threads

    _use_threads(options.threads)
    from symbreak.config import read
    from symbreak.measure.attention import measure_attention

    folder = options.folder
    measure_attention(read(options.config), folder / "network.safetensors", folder, options.block)


def replicas(options: Namespace) -> None:
    """Compare how the heads of different seeds and blocks divide the labels."""
    from symbreak.config import read
    from symbreak.observables import replica_tables
    from symbreak.store import open_dataset, write_dataset
    from symbreak.store.provenance import derived

    experiment, folder = read(options.config), options.folder
    for tap in options.taps or experiment.headed_taps:
        with open_dataset(folder / "heads" / f"{tap}.nc", "heads") as joined:
            title = f"overlaps of seeds and blocks at {tap}"
            known = derived(joined.attrs, experiment, folder / "heads" / f"{tap}.nc", title=title)
            joined.load()
        table = replica_tables(joined, experiment.heads)
        write_dataset(folder / "replicas" / f"{tap}.nc", table, "replicas", known | table.attrs)
