"""Arguments of the verbs about networks as such: what they consist of, how long they take."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from symbreak.cli import describe, latency

#: Adds a verb: (commands, name, what it does, summary, example) -> its parser.
AddVerb = Callable[..., argparse.ArgumentParser]


def add_network_verbs(commands, add: AddVerb) -> None:
    """Add `describe` and `latency`."""
    what = add(
        commands,
        "describe",
        describe.describe,
        "print layers, parameters, multiply-accumulates and nominal latency of a network",
        "cct_2_3x5 --options dim=512 heads=32 pooling=first",
    )
    what.add_argument(
        "what",
        metavar="NETWORK",
        help="name of an architecture (cct_7_3x1, vgg_16, …), experiment file, or network.safetensors",
    )
    what.add_argument("--network", help="network of the experiment file (default: all, a line each)")
    what.add_argument("--labels", type=int, help="output units (default: those of the data, or 100)")
    what.add_argument(
        "--options", nargs="+", metavar="KEY=VALUE", help="keys of `networks` for an architecture"
    )
    what.add_argument(
        "--format", choices=("text", "csv", "json"), default="text", help="(default: %(default)s)"
    )
    measured = add(
        commands,
        "latency",
        latency.latency,
        "measure how long a forward pass of a network takes; needs no training and a quiet machine",
        "--config config/low_latency_cpu.yaml --network deep --folder results/low_latency_cpu/deep",
    )
    measured.add_argument(
        "--config", type=Path, default=Path("config/demo.yaml"), help="experiment file (default: %(default)s)"
    )
    measured.add_argument("--network", required=True, help="name of the network in the experiment")
    measured.add_argument("--folder", type=Path, required=True, help="where latency.nc goes")
