"""Arguments of the verbs of pruning."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from symbreak.cli import pruning

AddVerb = Callable[..., argparse.ArgumentParser]


def add_pruning_verbs(commands, add_verb: AddVerb) -> None:
    """Add `prune` and `prune-results`."""
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
    results = add_verb(
        commands,
        "prune-results",
        pruning.prune_results,
        "write the tables and draw the figures of the pruning of a network",
        "--folder results/demo/cct --tables results/demo/tables/cct --figures results/demo/figures/cct",
    )
    _with_config(results)
    results.add_argument("--folder", type=Path, required=True, help="folder of the network, with pruning/")
    results.add_argument("--tables", type=Path, required=True, help="folder to write tables to")
    results.add_argument("--figures", type=Path, required=True, help="folder to draw figures into")
    results.add_argument("--studies", nargs="+", help="studies (default: all of the network)")


def _with_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=Path("config/demo.yaml"), help="experiment file (default: %(default)s)"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
