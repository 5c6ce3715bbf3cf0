"""Prune one network in every way that its experiment asks for."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step, use_threads


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `prune`."""
    add_step(parser, "folder of the seed; pruning/ goes there", several=True)


def run(options: Namespace) -> None:
    """Prune the networks of some seeds in every way that their experiment asks for."""
    use_threads(options.threads)
    from symbreak.pruning import prune

    experiment = read_step(options, "prune")
    for folder in options.folders:
        prune(experiment, folder)


VERB = Verb(
    "prune",
    "remove weights of a trained network by the labels of its nodes and by other rules, and retrain it",
    "--config config/demo_full.yaml --folder results/demo_full/cct/seed1",
    arguments,
    run,
)
