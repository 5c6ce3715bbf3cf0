"""Arguments of the verb of pruning."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from symbreak.cli import pruning

AddVerb = Callable[..., argparse.ArgumentParser]


def add_pruning_verbs(commands, add_verb: AddVerb) -> None:
    """Add `prune`."""
    of_seed = add_verb(
        commands,
        "prune",
        pruning.prune,
        "take weights from a trained network by the labels of its nodes and by other rules, and retrain it",
        "--config config/demo.yaml --folder results/demo/cct/seed1",
    )
    _with_config(of_seed)
    of_seed.add_argument(
        "--threads", type=_positive, default=1, help="processor threads (default: %(default)s)"
    )
    of_seed.add_argument("--folder", type=Path, required=True, help="folder of the seed; pruning/ goes there")


def _with_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=Path("config/demo.yaml"), help="experiment file (default: %(default)s)"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
