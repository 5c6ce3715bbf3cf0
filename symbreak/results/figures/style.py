"""One look for all figures: sizes, colours, legends. No global state, no pyplot."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

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
    "font.family": "DejaVu Sans",
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
        with matplotlib.rc_context(_RC):
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


def letter_panels(axes: Sequence[Axes]) -> None:
    """Letter the panels a, b, … at their upper left."""
    for axis, letter in zip(axes, "abcdefgh"):
        axis.set_title(letter, loc="left", fontweight="bold")


def block_axis(axis: Axes, blocks: Sequence[int]) -> None:
    """Whole numbers on the axis of blocks."""
    axis.set_xlabel("block")
    axis.set_xticks([int(block) for block in blocks])
    axis.set_xlim(min(blocks) - 0.35, max(blocks) + 0.35)


def name_labels(axis: Axes, names: Sequence[str], size: float = 6.5) -> None:
    """Write label names below an axis of label numbers: all if they have room, else every so many."""
    figure = axis.get_figure()
    width = (figure.get_figwidth() if isinstance(figure, Figure) else 8.0) * 72 * 0.9
    step = int(np.ceil(len(names) * (size + 0.6) / width))
    shown = range(0, len(names), step)
    upright = max(len(name) for name in names) <= 2
    axis.set_xticks(list(shown))
    axis.set_xticklabels(
        [names[i] for i in shown], fontsize=size + 0.7 * upright, rotation=0 if upright else 90
    )
    axis.set_xlim(-0.8, len(names) - 0.2)
    axis.set_xlabel("label" if step == 1 else f"label (every {step}th is named)")


def subtitle(figure: Figure, title: str) -> None:
    """Heading of a whole figure, left."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=11.5)
