"""Train one network of an experiment."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step, use_threads


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `train`."""
    add_step(parser, "where network.safetensors and history.csv go")
    parser.add_argument("--network", required=True, help="name of the network in the experiment")
    parser.add_argument("--seed", type=int, required=True, help="seed of the training")


def run(options: Namespace) -> None:
    """Train one network; a killed training goes on where it stopped."""
    use_threads(options.threads)
    from symbreak.learning import train_network
    from symbreak.store.provenance import require_listed

    experiment, folder = read_step(options, "train"), options.folder
    require_listed([options.seed], experiment.seeds, str(options.config))
    train_network(
        experiment, options.network, options.seed, folder / "network.safetensors", folder / "history.csv"
    )


VERB = Verb(
    "train",
    "train one network of an experiment; a killed training goes on where it stopped",
    "--config config/demo.yaml --network cct --seed 1 --folder results/demo/cct/seed1",
    arguments,
    run,
)
