"""Train one network of an experiment, one seed after the other."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step, use_threads
from symbreak.errors import SymbreakError


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `train`."""
    add_step(parser, "where network.safetensors and history.csv go", several=True)
    parser.add_argument("--network", required=True, help="name of the network in the experiment")
    words = "seed of the training; one for each folder"
    parser.add_argument(
        "--seed", type=int, nargs="+", required=True, metavar="SEED", dest="seeds", help=words
    )


def run(options: Namespace) -> None:
    """Train one network; a killed training goes on where it stopped."""
    use_threads(options.threads)
    from symbreak.learning import train_network
    from symbreak.store.kept import one_by_one
    from symbreak.store.provenance import require_listed

    experiment, seeds = read_step(options, "train"), options.seeds
    require_listed(seeds, experiment.seeds, str(options.config))
    if len(seeds) != len(options.folders):
        raise SymbreakError(
            f"{len(seeds)} seeds do not fit {len(options.folders)} folders; give one for each."
        )
    files = [(folder / "network.safetensors", folder / "history.csv") for folder in options.folders]
    one_by_one(
        files,
        str(options.digest),
        lambda part: train_network(experiment, options.network, seeds[part], *files[part]),
    )


VERB = Verb(
    "train",
    "train one network of an experiment; a killed training goes on where it stopped",
    "--config config/demo.yaml --network cct --seed 1 --folder results/demo/cct/seed1",
    arguments,
    run,
)
