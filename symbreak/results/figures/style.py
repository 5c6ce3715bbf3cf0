"""One look for all figures: sizes, colours, legends. No global state, no pyplot."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterable, Sequence
from textwrap import wrap
from typing import Any, ParamSpec, TypeVar

import matplotlib
import matplotlib.figure
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from symbreak.results.averages import mean_and_error
from symbreak.results.figures.text import font_families, literal

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

#: Colours that people with any colour vision tell apart (Okabe and Ito), without yellow and black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
NOISE = "#F0E442"
BACKGROUND = "#E9EDF2"
GREY = "#52606D"
PRINTED = "#9C4221"

_RC: Any = {
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "errorbar.capsize": 2.5,
    "pdf.fonttype": 42,
}


class Figure(matplotlib.figure.Figure):
    """A figure without pyplot that a notebook shows as the value of a cell."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()


def styled(draw: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Draw a figure in the style of this module, leaving matplotlib's settings as they were.

    Examples
    --------
    >>> import matplotlib
    >>> styled(lambda: matplotlib.rcParams["axes.spines.top"])(), matplotlib.rcParams["axes.spines.top"]
    (False, True)
    """

    @functools.wraps(draw)
    def wrapped(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        with matplotlib.rc_context(_RC | {"font.family": list(font_families())}):
            return draw(*arguments, **options)

    return wrapped


def block_colours(blocks: Sequence[int]) -> dict[int, str]:
    """Dark to light along the depth, equidistant in brightness (viridis without its pale end).

    Examples
    --------
    >>> list(block_colours([1, 2]))
    [1, 2]
    """
    shades = np.linspace(0.0, 0.82, max(len(blocks), 2))
    return {
        int(block): to_hex(matplotlib.colormaps["viridis"](shade)) for block, shade in zip(blocks, shades)
    }


def letter_panels(axes: Iterable[Axes]) -> None:
    """Letter the panels a, b, … at their upper left."""
    for axis, letter in zip(axes, "abcdefgh"):
        axis.set_title(letter, loc="left", fontweight="bold")


def block_axis(axis: Axes, blocks: Sequence[int]) -> None:
    """Whole numbers on the axis of blocks."""
    axis.set_xlabel("block")
    axis.set_xticks([int(block) for block in blocks])
    axis.set_xlim(min(blocks) - 0.35, max(blocks) + 0.35)


def name_labels(
    axis: Axes, names: Sequence[str], size: float = 6.5, places: Sequence[float] | None = None
) -> None:
    """Write label names below an axis: all if they have room, else every so many."""
    figure = axis.get_figure()
    width = (figure.get_figwidth() if isinstance(figure, matplotlib.figure.Figure) else 8.0) * 72 * 0.85
    upright = max((len(name) for name in names), default=1) <= 2
    step = max(int(np.ceil(len(names) * (size + 0.7 * upright + 0.6) / width)), 1)
    where = list(range(len(names))) if places is None else list(places)
    axis.set_xticks(
        where[::step], [literal(name) for name in names[::step]], fontsize=size + 0.7 * upright,
        rotation=0 if upright else 90,
    )  # fmt: skip
    if places is None:
        axis.set_xlim(-0.8, len(names) - 0.2)
    axis.set_xlabel("label" if step == 1 else f"label (every {ordinal(step)} is named)")


def ordinal(number: int) -> str:
    """A number as it counts.

    Examples
    --------
    >>> [ordinal(number) for number in (1, 2, 3, 4, 11, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def draw_mean(axis: Axes, x: Any, dataset: xr.Dataset, name: str, **look: Any) -> None:
    """Mean over seeds with error bars, none where the error is unknown."""
    mean, error = mean_and_error(dataset, name)
    axis.errorbar(x, mean, error.fillna(0), **look)


def finish(figure: Figure, panels: Any, title: str) -> Figure:
    """Letter the panels, if there are any, and set the heading."""
    letter_panels(np.ravel(panels))
    subtitle(figure, title)
    return figure


def subtitle(figure: Figure, title: str) -> None:
    """Heading of a whole figure, left, wrapped to its width."""
    room = max(int(figure.get_figwidth() * 12.5), 40)
    lines = [part for line in title.splitlines() for part in wrap(line, room) or [""]]
    words = "\n".join(literal(line, room) for line in lines[:6])
    figure.suptitle(words, x=0.01, ha="left", fontsize=11.5)
