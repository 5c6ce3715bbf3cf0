"""Figures of the page of what was run: those that small result files are enough for."""

from __future__ import annotations

from pathlib import Path

from symbreak.config import read
from symbreak.results.context import Context
from symbreak.results.layout import Layout
from symbreak.results.making import make, write
from symbreak.results.registry import find

#: Names of figures, and the tap of those that have one.
SHOWN = {
    "clusters": "block",
    "snr": "block",
    "heads_owned": "attention",
    "heads_statistics": "attention",
    "heads_evolution": "attention",
    "pruning/curves": "",
    "committees": "",
    "pareto": "",
    "latency": "",
}


def draw_experiment(folder: Path, place: Path) -> list[tuple[str, Path]]:
    """Draw what the files of an experiment allow; return what each figure shows, and where it is."""
    layout = Layout(read(folder / "experiment.yaml"))
    drawn = []
    for name, tap in SHOWN.items():
        entry = find(name, "figure")
        for where in layout.places(entry.scope):
            context = Context(layout, where, folder)
            measured = not where.network or (folder / where.network / "statistics" / "block.nc").is_file()
            if measured and where.tap == tap and layout.has(entry, where) and context.complete(entry):
                words = f"`{where.network}`: {entry.shows}" if where.network else entry.shows
                parts = filter(None, (folder.name, where.network, name.replace("/", "_")))
                drawn.append((words, place / f"{'_'.join(parts)}.png"))
                write(make(entry, context), drawn[-1][1], entry, context)
    return drawn
