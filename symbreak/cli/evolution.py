"""Verbs of the symmetry-breaking curve: open files, call the library, write files."""

from __future__ import annotations

from argparse import Namespace


def evolve(options: Namespace) -> None:
    """Follow the heads of one seed through its training."""
    from symbreak.cli.verbs import _use_threads

    _use_threads(options.threads)
    from symbreak.config import read
    from symbreak.measure.evolution import evolve

    evolve(read(options.config), options.folder, options.threads)
