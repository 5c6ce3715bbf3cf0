"""Train the classifier heads of one network."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step, use_threads


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `probe`."""
    add_step(parser, "folder of network.safetensors; probes/ goes there", several=True)


def run(options: Namespace) -> None:
    """Train the probes of the seeds of one network."""
    use_threads(options.threads)
    from symbreak.learning import train_probes
    from symbreak.store.kept import one_by_one

    experiment, folders = read_step(options, "probe"), options.folders
    names = ("probes/probes.safetensors", "probes/history.csv")
    files = [[folder / name for name in names] for folder in folders]
    one_by_one(
        files,
        str(options.digest),
        lambda part: train_probes(experiment, folders[part] / "network.safetensors", *files[part]),
    )


VERB = Verb(
    "probe",
    "train the classifier heads of every tap and block in one frozen pass",
    "--config config/demo.yaml --folder results/demo/cct/seed1",
    arguments,
    run,
)
