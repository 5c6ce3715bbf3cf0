"""The null model without a network."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from symbreak.cli.verb import Verb, add_step, read_step

if TYPE_CHECKING:
    import xarray as xr


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `null`."""
    add_step(parser, "folder of the network, with its seed*/")
    parser.add_argument("--taps", nargs="+", help="taps (default: all that have nodes)")


def run(options: Namespace) -> None:
    """Statistics of linear-Gaussian worlds that are as accurate as the measured blocks."""
    from symbreak.planted import null_statistics
    from symbreak.progress import Progress
    from symbreak.results.context import load
    from symbreak.store import write_dataset
    from symbreak.store.joining import join_seeds
    from symbreak.store.provenance import derived

    experiment, folder = read_step(options, "null"), options.folder
    seeds = experiment.seeds
    known = [tap for tap in experiment.probes.taps if (folder / f"seed{seeds[0]}/moments/{tap}.nc").is_file()]
    for tap in options.taps or [tap for tap in known if tap != "filters"]:
        found: list[xr.Dataset] = []
        facts: dict[str, Any] = {}
        for seed in Progress(seeds, desc=f"null {tap}", unit="seed"):
            moments = load(folder / f"seed{seed}" / "moments" / f"{tap}.nc", "moments")
            found.append(null_statistics(moments, experiment.statistics, seed, options.threads))
            title = f"statistics of linear-Gaussian worlds matched to {tap}"
            facts = derived(moments.attrs, experiment, f"The moments at {tap}", title=title)
        facts["seed"] = seeds
        write_dataset(folder / "null" / f"{tap}.nc", join_seeds(found, seeds), "statistics", facts)


VERB = Verb(
    "null",
    "statistics of linear-Gaussian worlds as accurate as the measured blocks",
    "--folder results/demo/cct --taps block",
    arguments,
    run,
)
