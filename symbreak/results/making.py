"""Make results and write them: figures as PNG, PDF or SVG, tables as CSV and HTML, pages as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from symbreak.errors import SymbreakError
from symbreak.results.context import Context
from symbreak.results.layout import Layout, Place
from symbreak.results.registry import Entry
from symbreak.store import replacing
from symbreak.store.atomic import replacing_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Dots per inch of PNG files.
RESOLUTION = 160
#: Endings of the files of figures.
FORMATS = ("png", "pdf", "svg")


class Table(NamedTuple):
    """What the maker of a table returns.

    Attributes
    ----------
    frame : DataFrame
        For the CSV file.
    shown : DataFrame, optional
        For HTML, if another.
    note : str
        Sentences below it, after the caption.
    """

    frame: pd.DataFrame
    shown: pd.DataFrame | None = None
    note: str = ""


def make(entry: Entry, context: Context) -> Table | Figure | str:
    """Call the maker of an entry.

    Raises
    ------
    SymbreakError
        If a file is missing or damaged.
    """
    module, _, name = entry.maker.rpartition(".")
    made: Any = getattr(import_module(module), name)(context)
    return made


def make_all(
    layout: Layout,
    folder: Path,
    wanted: Iterable[tuple[Place, Sequence[Entry]]],
    output: Path | None = None,
    formats: Sequence[str] = ("png",),
    skip: bool = False,
) -> list[Path]:
    """Make results of an experiment and write them below a folder.

    Parameters
    ----------
    layout : Layout
        Of the experiment.
    folder : path
        ``results/{experiment}``.
    wanted : iterable of (Place, sequence of Entry)
        Files are read once for each place.
    output : path, optional
        Folder for ``tables/`` and ``figures/``; by default `folder`.
    formats : sequence of str
        Endings of figures.
    skip : bool
        Leave out what lacks files, in place of an error.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    SymbreakError
        If a file is missing or damaged.
    """
    written = []
    for place, entries in wanted:
        context = Context(layout, place, folder)
        for entry in entries:
            if skip and not context.complete(entry):
                continue
            made = make(entry, context)
            for path in paths_of(entry, place, output or folder, formats):
                written.append(path)
                write(made, path, entry, context)
    return written


def paths_of(entry: Entry, place: Place, folder: Path, formats: Sequence[str] = ("png",)) -> list[Path]:
    """Files of a result at a place."""
    found = [folder / file.format(**place._asdict()) for file in entry.files]
    return (
        [path.with_suffix(f".{ending}") for path in found for ending in formats]
        if entry.kind == "figure"
        else found
    )


def write(made: Table | Figure | str, path: Path, entry: Entry, context: Context) -> None:
    """Write a result in the format that the name of the file says.

    Raises
    ------
    SymbreakError
        If figures cannot be written in it.
    """
    if isinstance(made, str):
        replacing_text(path, made)
    elif isinstance(made, Table):
        html = path.suffix == ".html"
        replacing_text(path, html_of(made, entry, context) if html else made.frame.to_csv(index=False))
    elif path.suffix[1:] not in FORMATS:
        raise SymbreakError(f"{path} does not end in .png, .pdf or .svg; choose one of them.")
    else:
        with replacing(path) as temporary:
            made.savefig(temporary, dpi=RESOLUTION)


def html_of(table: Table, entry: Entry, context: Context) -> str:
    """A table as a page, below the heading and above the caption of its entry."""
    from symbreak.results.render import to_html

    caption = entry.caption.replace("{tap}", context.tap if entry.scope == "tap" else "")
    note = f"{caption} {table.note}".strip()
    return to_html(table.frame if table.shown is None else table.shown, heading(entry, context), note)


def heading(entry: Entry, context: Context) -> str:
    """What a result shows, and of what; at the tap `filters` matrices are those of filters."""
    words = entry.shows[0].upper() + entry.shows[1:]
    if entry.scope == "experiment":
        return f"{words}: {context.experiment.title or context.experiment.name}"
    words = f"{words}: {context.source}"
    if entry.scope == "tap":
        words = words.replace("nodes", "filters") if context.tap == "filters" else words
        words += f"; tap {context.tap}"
    return words + (f"; study {context.place.study}" if context.place.study else "")
