"""What a verb of the command line is, and the arguments that verbs share."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    from symbreak.config import Experiment


class Verb(NamedTuple):
    """One verb: its arguments and its run stand in the same file.

    Imports of the package belong into `run`: a verb of the numpy wing must not pay for torch, nor ``--help``
    for either.
    """

    name: str
    summary: str
    example: str
    """Arguments of a call that works, shown by ``--help``."""
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], None]
    defaults: Mapping[str, Any] = MappingProxyType({})
    """What `run` finds in its options besides the arguments."""


def add_config(parser: ArgumentParser) -> None:
    """Experiment file."""
    parser.add_argument(
        "--config", type=Path, default=Path("config/demo.yaml"), help="experiment file (default: %(default)s)"
    )


def add_step(parser: ArgumentParser, folder: str, threads: bool = True) -> None:
    """Arguments of a step of the workflow: experiment file, folder, threads."""
    add_config(parser)
    parser.add_argument("--folder", type=Path, required=True, help=folder)
    if threads:
        parser.add_argument(
            "--threads", type=positive, default=1, help="processor threads (default: %(default)s)"
        )


def positive(text: str) -> int:
    """Read a number of at least 1.

    Examples
    --------
    >>> positive("2")
    2
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def use_threads(threads: int) -> None:
    """Fix the number of threads before the libraries start theirs; waiting threads give way.

    There are no more than processors that this process may use.
    """
    import os

    from symbreak.numerics.threads import processors

    threads = min(threads, processors())
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(threads)


def read_with_network(options: Namespace) -> Experiment:
    """Read the experiment file and refuse a network that it does not name."""
    from symbreak.config import read

    experiment = read(options.config)
    if options.network not in experiment.networks:
        known = ", ".join(experiment.networks)
        raise SymbreakError(f"{options.config} has no network {options.network!r}; choose one of {known}.")
    return experiment
