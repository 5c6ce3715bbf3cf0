"""Accumulate label means of one network."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step, use_threads


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `measure`."""
    add_step(parser, "folder of the seed; moments/ and logits/ go there", several=True)


def run(options: Namespace) -> None:
    """Accumulate moments and logits of the seeds of one network."""
    use_threads(options.threads)
    from symbreak.measure import measure

    experiment = read_step(options, "measure")
    for folder in options.folders:
        measure(experiment, folder / "network.safetensors", folder / "probes" / "probes.safetensors", folder)


VERB = Verb(
    "measure",
    "accumulate label means, head accuracies and output fields in one pass",
    "--config config/demo.yaml --folder results/demo/cct/seed1",
    arguments,
    run,
)
