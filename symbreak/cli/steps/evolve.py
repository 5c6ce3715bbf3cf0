"""Follow the heads of one seed through its training."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step, use_threads


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `evolve`."""
    add_step(parser, "folder of the seed, with checkpoints/; evolution/ goes there", several=True)


def run(options: Namespace) -> None:
    """Follow the heads through the training, seed by seed."""
    use_threads(options.threads)
    from symbreak.measure.evolution import evolve

    experiment = read_step(options, "evolve")
    for folder in options.folders:
        evolve(experiment, folder, options.threads)


VERB = Verb(
    "evolve",
    "follow the heads of a network through its training, where its weights were kept",
    "--config config/demo.yaml --folder results/demo/cct/seed1",
    arguments,
    run,
)
