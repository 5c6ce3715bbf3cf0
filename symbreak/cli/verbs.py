"""What each verb does: open files, call the library, write files.

Imports are inside the functions: a verb of the numpy wing must not pay for torch.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace

from symbreak.errors import SymbreakError


def train(options: Namespace) -> None:
    """Train one network."""
    _use_threads(options.threads)
    from symbreak.config import read
    from symbreak.learning import train_network

    experiment = read(options.config)
    if options.network not in experiment.networks:
        known = ", ".join(experiment.networks)
        raise SymbreakError(f"{options.config} has no network {options.network!r}; choose one of {known}.")
    folder = options.folder
    train_network(experiment, options.network, options.seed, folder / "network.safetensors", folder / "history.csv")


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
    measure(read(options.config), folder / "network.safetensors", folder / "probes" / "probes.safetensors", folder)


def scan(options: Namespace) -> None:
    """Statistics of one tap of one seed."""
    from symbreak.config import read
    from symbreak.observables.experiment import block_tables
    from symbreak.store import open_dataset, write_dataset

    settings = read(options.config).statistics
    with open_dataset(options.moments, "moments") as moments:
        moments.load()
        statistics, nodes = block_tables(moments, settings, options.threads)
        facts = moments.attrs
    for path, kind, dataset in ((options.statistics, "statistics", statistics), (options.nodes, "nodes", nodes)):
        write_dataset(path, dataset, kind, facts | {"title": f"{kind} of {facts['title'].removeprefix('label means ')}"})


def join(options: Namespace) -> None:
    """Stack the results of several seeds."""
    from symbreak.observables.experiment import join_seeds
    from symbreak.store import open_dataset, write_dataset

    datasets = [open_dataset(path).load() for path in options.files]
    kinds = {dataset.attrs["symbreak_kind"] for dataset in datasets}
    if len(kinds) > 1:
        raise SymbreakError(f"The files hold different kinds, {', '.join(sorted(kinds))}; join files of one kind.")
    seeds = [int(dataset.attrs["seed"]) for dataset in datasets]
    if len(set(seeds)) < len(seeds):
        raise SymbreakError(f"A seed comes twice among {seeds}; give each file once.")
    write_dataset(options.output, join_seeds(datasets, seeds), kinds.pop(), datasets[0].attrs | {"seed": seeds})


def configure(options: Namespace) -> None:
    """Write settings out in full."""
    import yaml

    from symbreak.config import parse, read

    if options.config:
        experiment = read(options.config)
    else:
        try:
            settings = json.loads(options.settings)
        except json.JSONDecodeError as error:
            raise SymbreakError(f"--settings is not JSON ({error}); quote it for the shell.") from None
        experiment = parse(settings, "--settings")
    text = yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    if options.output is None:
        sys.stdout.write(text)
        return
    from symbreak.store.atomic import replacing

    with replacing(options.output) as temporary:
        temporary.write_text(text, encoding="utf-8")


def schema(options: Namespace) -> None:
    """Print the keys of an experiment file."""
    from symbreak.config.documentation import json_schema, markdown

    sys.stdout.write(json_schema() if options.format == "json" else markdown())


def validate(options: Namespace) -> None:
    """Check files of ours."""
    for path in options.files:
        if path.suffix in {".yaml", ".yml"}:
            from symbreak.config import read

            found = f"experiment {read(path).name}"
        elif path.suffix == ".safetensors":
            from symbreak.models import load

            found = f"weights of {load(path)[1].get('name', 'a network')}"
        else:
            from symbreak.store import open_dataset, read_values

            with open_dataset(path) as dataset:
                for variable in dataset.variables:
                    read_values(dataset[variable], str(path))
                found = f"{dataset.attrs['symbreak_kind']}, schema {dataset.attrs['schema_version']}"
        print(f"{path}: {found}")


def _use_threads(threads: int) -> None:
    """Fix the number of threads before the libraries start theirs; waiting threads give way."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(threads)
