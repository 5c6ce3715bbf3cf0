"""Verb of pruning."""

from __future__ import annotations

from argparse import Namespace


def prune(options: Namespace) -> None:
    """Prune the network of one seed in every way that its experiment asks for."""
    from symbreak.cli.verbs import _use_threads

    _use_threads(options.threads)
    from symbreak.config import read
    from symbreak.pruning import prune

    prune(read(options.config), options.folder)
