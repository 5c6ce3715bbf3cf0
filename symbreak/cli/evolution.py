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


def evolution_results(options: Namespace) -> None:
    """Write the table and draw the figure of order against training epoch."""
    from symbreak.cli import results_files as files
    from symbreak.config import read
    from symbreak.results import figures
    from symbreak.results.tables.order import epoch_table

    for tap in options.taps or read(options.config).evolution.taps:
        evolution = files.load(options.folder / "evolution" / f"{tap}.nc", "evolution")
        files.write_table(epoch_table(evolution), "", options.tables / tap / "heads_evolution.csv", None)
        files.write_figure(
            figures.plot_order_by_epoch(evolution), options.figures / tap / "heads_evolution.png"
        )
