"""See to it that the data of an experiment are there."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.verb import Verb, add_config, add_digest, require_digest


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `data`."""
    add_config(parser)
    add_digest(parser)
    parser.add_argument("--output", type=Path, help="write what was found here as well, as JSON")


def run(options: Namespace) -> None:
    """Fetch missing data, check them, and say what there is."""
    from symbreak.config import read
    from symbreak.data.configured import load_configured
    from symbreak.store.atomic import replacing_text

    experiment = read(options.config)
    require_digest(options, experiment, "data")
    found = {}
    for split in ("train", "validation"):
        images = load_configured(experiment.data, split)
        count = {"images": len(images), "labels": images.n_labels, "sha256": images.sha256}
        found[split] = {"name": images.name, **count}
        print(f"{images.name}, {split}: {len(images)} images of {images.n_labels} labels")
    if options.output:
        replacing_text(options.output, json.dumps(found, indent=2) + "\n")


VERB = Verb(
    "data",
    "fetch the data of an experiment where they are missing, and check them",
    "--config config/cifar100.yaml",
    arguments,
    run,
)
