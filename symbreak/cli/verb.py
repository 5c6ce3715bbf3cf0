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


def add_step(parser: ArgumentParser, folder: str, threads: bool = True, several: bool = False) -> None:
    """Arguments of a step of the workflow: experiment file, folder or several `folders`, threads."""
    add_config(parser)
    add_digest(parser)
    if several:
        folder += "; or several folders of one network"
        parser.add_argument(
            "--folder", type=Path, nargs="+", required=True, dest="folders", metavar="FOLDER", help=folder
        )
    else:
        parser.add_argument("--folder", type=Path, required=True, help=folder)
    if threads:
        parser.add_argument(
            "--threads", type=positive, default=1, help="processor threads (default: %(default)s)"
        )


def add_digest(parser: ArgumentParser) -> None:
    """Digest of the settings that a job of the workflow was made for."""
    parser.add_argument(
        "--digest", help="refuse the experiment file if what determines this step has another digest"
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


def read_step(options: Namespace, stage: str) -> Experiment:
    """Read the experiment file of a step; refuse other settings than those that its job was made for.

    Another run of the same name may have rewritten the file since.
    """
    from symbreak.config import read

    experiment = read(options.config)
    named = getattr(options, "network", None)
    if named and named not in experiment.networks:
        known = ", ".join(experiment.networks)
        raise SymbreakError(f"{options.config} has no network {named!r}; choose one of {known}.")
    folders = options.folders if "folders" in options else [options.folder]
    networks = dict.fromkeys(named or _network_of(folder, experiment) for folder in folders)
    if len(networks) > 1 or len(set(folders)) < len(folders):
        raise SymbreakError(
            f"--folder names {', '.join(map(str, folders))}; give seeds of one network, each once."
        )
    require_digest(options, experiment, stage, *networks)
    return experiment


def require_digest(
    options: Namespace, experiment: Experiment, stage: str, network: str | None = None
) -> None:
    """Refuse an experiment whose settings of a stage have another digest than the job was told."""
    from symbreak.config.stages import digest

    if options.digest and digest(experiment, stage, network) != options.digest:
        raise SymbreakError(
            f"{options.config} has other settings than this job of `{stage}` was started with: another run "
            "of the same name rewrote it; start this run again, under another `name` if you want both."
        )


def _network_of(folder: Path, experiment: Experiment) -> str | None:
    """Network whose folder it is, or of whose seed."""
    name = folder.parent.name if folder.name.startswith("seed") else folder.name
    return name if name in experiment.networks else None
