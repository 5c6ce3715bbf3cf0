"""Verbs about the time that networks take: open files, call the library, write files."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from symbreak.cli import results_files as files
from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    import xarray as xr


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


def table_latency(options: Namespace) -> None:
    """Nominal and measured latency of several networks."""
    from symbreak.results.tables.latency import latency_note, latency_table

    datasets = _by_network(options)
    table, note = latency_table(datasets), latency_note(datasets)
    title = "Nominal and measured latency"
    files.write_table(table, title, options.output, options.html, note)


def figure_latency(options: Namespace) -> None:
    """Nominal against measured latency."""
    from symbreak.results.figures.latency import plot_latency as draw

    files.write_figure(draw(_by_network(options)), options.output)


def _by_network(options: Namespace) -> dict[str, xr.Dataset]:
    return {path.absolute().parent.name: files.load(path, "latency") for path in options.latency}
