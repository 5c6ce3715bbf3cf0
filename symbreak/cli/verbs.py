"""What each verb does: open files, call the library, write files.

Imports are inside the functions: a verb of the numpy wing must not pay for torch.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    from symbreak.config import Experiment


def train(options: Namespace) -> None:
    """Train one network."""
    _use_threads(options.threads)
    from symbreak.config import read
    from symbreak.learning import train_network
    from symbreak.store.provenance import require_listed

    experiment = read(options.config)
    _require_network(experiment, options)
    require_listed([options.seed], experiment.seeds, str(options.config))
    folder = options.folder
    train_network(
        experiment, options.network, options.seed, folder / "network.safetensors", folder / "history.csv"
    )


def _require_network(experiment: Experiment, options: Namespace) -> None:
    if options.network not in experiment.networks:
        known = ", ".join(experiment.networks)
        raise SymbreakError(f"{options.config} has no network {options.network!r}; choose one of {known}.")


def probe(options: Namespace) -> None:
    """Train the probes of one network."""
    _use_threads(options.threads)
    from symbreak.config import read
    from symbreak.learning import train_probes

    probes = options.folder / "probes"
    train_probes(
        read(options.config),
        options.folder / "network.safetensors",
        probes / "probes.safetensors",
        probes / "history.csv",
    )


def measure(options: Namespace) -> None:
    """Accumulate moments and logits of one seed."""
    _use_threads(options.threads)
    from symbreak.config import read
    from symbreak.measure import measure

    folder = options.folder
    measure(
        read(options.config), folder / "network.safetensors", folder / "probes" / "probes.safetensors", folder
    )


def scan(options: Namespace) -> None:
    """Statistics of every tap of one seed."""
    from symbreak.config import read
    from symbreak.observables import block_tables
    from symbreak.progress import Progress
    from symbreak.store import open_dataset, write_dataset
    from symbreak.store.provenance import derived

    experiment, folder = read(options.config), options.folder
    for tap in Progress(options.taps or experiment.probes.taps, desc="scan", unit="tap"):
        with open_dataset(folder / "moments" / f"{tap}.nc", "moments") as moments:
            known = derived(moments.attrs, experiment, folder / "moments" / f"{tap}.nc", title="")
            moments.load()
        statistics, nodes = block_tables(moments, experiment.statistics, options.threads)
        for kind, dataset in (("statistics", statistics), ("nodes", nodes)):
            facts = known | {"title": f"{kind} at {tap}"}
            write_dataset(folder / kind / f"{tap}.nc", dataset, kind, facts)


def join(options: Namespace) -> None:
    """Stack the results of several seeds, file by file of the same name."""
    from symbreak.store import open_dataset, write_dataset
    from symbreak.store.atomic import require_other
    from symbreak.store.joining import join_seeds

    for name in options.names:
        paths = [folder / name for folder in options.folders]
        require_other(options.output / name, paths)
        joined = join_seeds([open_dataset(path).load() for path in paths])
        write_dataset(options.output / name, joined, joined.attrs["symbreak_kind"], joined.attrs)


def configure(options: Namespace) -> None:
    """Write settings out in full."""
    from symbreak.config import dump, parse, read, strict

    if options.config:
        experiment = read(options.config)
    else:
        experiment = parse(strict.load(options.settings, "--settings", "JSON"), "--settings")
    text = dump(experiment.model_dump(mode="json"))
    if options.output is None:
        sys.stdout.write(text)
        return
    from symbreak.store.atomic import replacing_text, require_other

    require_other(options.output, [options.config] if options.config else [])
    replacing_text(options.output, text)


def schema(options: Namespace) -> None:
    """Print the keys of an experiment file, the shipped experiments, or the contents of result files."""
    from symbreak.config import documentation as experiment
    from symbreak.config.catalogue import catalogue
    from symbreak.results import documentation as results
    from symbreak.store import documentation as files

    if options.of == "experiment" and options.format == "json":
        sys.stdout.write(experiment.json_schema())
    elif options.format == "json":
        raise SymbreakError(f"`schema --of {options.of}` is a page for readers; leave `--format json` out.")
    elif options.of == "config":
        sys.stdout.write(catalogue(Path("config")))
    else:
        pages = {"files": files, "results": results, "experiment": experiment}
        sys.stdout.write(pages[options.of].markdown())


def compile_kernels(options: Namespace) -> None:
    """Compile every kernel by using it on a planted example; numba keeps them beside their source."""
    from symbreak.clusters import RULES
    from symbreak.config import Heads, Statistics
    from symbreak.observables import block_tables, head_tables
    from symbreak.planted import moments_example
    from symbreak.progress import Progress

    example = moments_example()
    for rule in Progress(RULES, desc="compile", unit="rule"):
        block_tables(example, Statistics(thresholds=3, rule=rule))
    grouped = example.assign_coords(superclass_of_label=("label", [0] * 5 + [1] * 5), superclass=[0, 1])
    head_tables(grouped, Statistics(thresholds=3), Heads(n_shuffles=99))


def where(options: Namespace) -> None:
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


def _use_threads(threads: int) -> None:
    """Fix the number of threads before the libraries start theirs; waiting threads give way.

    There are no more than processors that this process may use.
    """
    from symbreak.numerics.threads import processors

    threads = min(threads, processors())
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(threads)
