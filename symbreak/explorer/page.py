"""The explorer as one file of HTML that works offline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from symbreak.config import Heads, Statistics
from symbreak.errors import SymbreakError
from symbreak.explorer.choosing import Choice, choose
from symbreak.explorer.payload import payload
from symbreak.results.context import Context

#: Scripts in the order in which they are read.
SCRIPTS = ("numbers.js", "state.js", "views.js", "controls.js")
ABOUT = """A row of the map is a unit, a column a label; a click opens both. Matrices and their clusters are
made here, from label means and readouts in single precision. Nothing is sent anywhere, and the address keeps
what is shown."""


def explorer_page(
    title: str,
    paths: Iterable[Path],
    statistics: Statistics | None = None,
    heads: Heads | None = None,
    asked: Choice | None = None,
    untrained: Sequence[str] = (),
) -> str:
    """The explorer of some moments files.

    Parameters
    ----------
    title : str
        Of the experiment or study.
    paths : iterable of Path
        Moments files, ``moments/{tap}.nc``; what their heads say is read from ``heads/{tap}.nc`` near them.
    statistics, heads : Statistics, Heads, optional
        Rule, gauge and thresholds; ratio of the ownership rule.
    asked : Choice, optional
        Networks, seeds, taps and blocks, and the size of the page.
    untrained : sequence of str
        Networks that come last.

    Returns
    -------
    str
        A page of HTML that needs no other file and no connection.

    Raises
    ------
    SymbreakError
        If a file is damaged or of another version, the files are about different labels, or nothing of what
        was asked for is there.
    """
    from bokeh.embed import file_html
    from bokeh.resources import INLINE
    from jinja2 import Template

    from symbreak.explorer.document import document

    settings, asked = statistics or Statistics(), asked or Choice()
    kept, total = choose(paths, asked, untrained)
    data = payload(kept, total, settings, heads or Heads())
    style = _packaged("style.css")
    page = document(data["labels"]["names"], _headline(title, len(kept), data, asked), style)
    words: dict[str, Any] = {
        "style": style,
        "scripts": "\n".join(map(_packaged, SCRIPTS)),
        # No word of a file may end the script that it stands in.
        "data": json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
    }
    template = Template(_packaged("page.html"))
    return file_html(page, INLINE, f"{title}: explorer", template=template, template_variables=words)


def make_explorer(context: Context) -> str:
    """The explorer as a result of an experiment: of what is there, also of a half-finished one."""
    return explorer_of(context, Choice())


def explorer_of(context: Context, asked: Choice) -> str:
    """The explorer of an experiment with a choice of what it holds.

    Raises
    ------
    SymbreakError
        If no moments have been measured yet, and as :func:`explorer_page`.
    """
    experiment, paths = context.experiment, context.present("moments")
    if not paths:
        raise SymbreakError(
            f"There are no moments files in {context.folder} yet; run the workflow up to them."
        )
    untrained = [name for name, network in experiment.networks.items() if not network.trained]
    title = experiment.title or experiment.name
    return explorer_page(title, paths, experiment.statistics, experiment.heads, asked, untrained)


@cache
def _packaged(name: str) -> str:
    return files(__package__).joinpath("scripts", name).read_text(encoding="utf-8")


def _headline(title: str, held: int, data: dict[str, Any], asked: Choice) -> str:
    """Title, what the page is, what it left out, and where it differs from the tables."""
    words = [f"<h1>{escape(title)}</h1><p>{ABOUT}</p>"]
    if data["rule"] != "first_fit":
        words.append(
            "<p>Clusters on this page are those of the rule first_fit, curves and tables those of "
            f"{data['rule']}, as the experiment asks.</p>"
        )
    if data["centred"]:
        words.append("<p>Label means and readouts are centred, as the experiment asks.</p>")
    if held < data["total"]:
        words.append(
            f"<p>This page holds {held} of {data['total']} blocks, as many as fit into {asked.megabytes:g} "
            "MB: last blocks first, then earlier ones. <code>symbreak explore</code> chooses others by "
            "<code>--networks</code>, <code>--seeds</code>, <code>--taps</code>, <code>--blocks</code>, or "
            "makes a larger page by <code>--megabytes</code>.</p>"
        )
    return "".join(words)
