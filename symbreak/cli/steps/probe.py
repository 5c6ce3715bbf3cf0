"""Train the classifier heads of one network."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step, use_threads


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `probe`."""
    add_step(parser, "folder of network.safetensors; probes/ goes there")


def run(options: Namespace) -> None:
    """Train the probes of one network."""
    use_threads(options.threads)
    from symbreak.learning import train_probes

    probes = options.folder / "probes"
    train_probes(
        read_step(options, "probe"),
        options.folder / "network.safetensors",
        probes / "probes.safetensors",
        probes / "history.csv",
    )


VERB = Verb(
    "probe",
    "train the classifier heads of every tap and block in one frozen pass",
    "--config config/demo.yaml --folder results/demo/cct/seed1",
    arguments,
    run,
)
