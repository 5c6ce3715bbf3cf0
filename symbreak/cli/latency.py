"""Verbs about the time that networks take: open files, call the library, write files."""

from __future__ import annotations

from argparse import Namespace

from symbreak.errors import SymbreakError


def latency(options: Namespace) -> None:
    """Measure the latency of one network of an experiment."""
    from symbreak.cli.verbs import _use_threads
    from symbreak.config import read

    experiment = read(options.config)
    if options.network not in experiment.networks:
        known = ", ".join(experiment.networks)
        raise SymbreakError(f"{options.config} has no network {options.network!r}; choose one of {known}.")
    _use_threads(experiment.latency.threads)
    from symbreak.measure.latency import measure_latency

    measure_latency(experiment, options.network, options.folder)
