"""Which head stands for which label: appearances, owners, accuracies (P1, arXiv:2501.12900)."""

from __future__ import annotations

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from symbreak.errors import SymbreakError
from symbreak.results.averages import of_seed
from symbreak.results.figures.style import GREY, PALETTE, Figure, finish, name_labels, styled


def head_colours(n_heads: int) -> list[str]:
    """One colour a head: the palette, or for many heads equidistant hues.

    Examples
    --------
    >>> head_colours(2), len(set(head_colours(32)))
    (['#0072B2', '#D55E00'], 32)
    """
    if n_heads <= len(PALETTE):
        return list(PALETTE[:n_heads])
    return [to_hex(matplotlib.colormaps["turbo"](x)) for x in np.linspace(0.04, 0.96, n_heads)]


def place_of(dataset: xr.Dataset) -> str:
    """First line of a title: network, data set and what the file holds; empty without these attributes.

    Examples
    --------
    >>> place_of(xr.Dataset(attrs={"source": "cct on letters", "title": "heads at attention"}))
    'cct on letters; heads at attention\\n'
    """
    known = [str(dataset.attrs[name]) for name in ("source", "title") if name in dataset.attrs]
    return "; ".join(known) + "\n" if known else ""


def owned_in_words(block: xr.Dataset) -> str:
    """Labels with an owner in one block and their chance level, for a title or a caption.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> owned_in_words(head_tables_example().isel(block=0))[:31]
    'labels with an owner: 6 of 10, '
    """
    known = f"labels with an owner: {int(block.n_owned_total)} of {block.sizes['label']}, "
    if int(block.n_heads) == 1:
        return known + "of a single head"
    chance = (
        f"{float(block.n_owned_total_null):.1f} ± {float(block.n_owned_total_null_deviation):.1f} by chance"
    )
    return f"{known}{chance} (q = {float(block.n_owned_total_q):.2g})"


@styled
def plot_appearances(heads: xr.Dataset, seed: int | None = None, title: str = "") -> Figure:
    """How often each label appears in the clusters of each head's nodes, block below block: P1 Fig. 7.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    seed : int, optional
        Default: the first; heads of different seeds are different heads and have no mean.
    title : str

    Returns
    -------
    Figure
        Bars stacked by head. A filled mark above a label: owned, in the colour of its head, with evidence; an
        open one: the rule of the papers assigns it, but so few appearances may do that by chance.

    Raises
    ------
    SymbreakError
        If the file lacks the seed.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> len(plot_appearances(head_tables_example()).axes)
    2
    """
    chosen = of_seed(heads, seed)
    blocks = chosen.block.values[::-1]
    figure = Figure(figsize=(10.4, 1.0 + 1.75 * len(blocks)))
    axes = figure.subplots(len(blocks), 1, sharex=True, squeeze=False)[:, 0]
    colours = head_colours(chosen.sizes["head"])
    for axis, block in zip(axes, blocks):
        _stack(axis, chosen.sel(block=block), colours, float(chosen.attrs.get("level", 0.05)))
        axis.set_ylabel(f"block {block}\nappearances")
    name_labels(axes[-1], label_names(chosen))
    if len(colours) <= 12:
        handles, words = axes[0].get_legend_handles_labels()
        figure.legend(handles, words, loc="outside right center")
    words = f"Seed {int(chosen.seed)}{_rule(heads)}; dots: owned, filled with evidence, open without"
    return finish(figure, (), title or place_of(heads) + words)


def _rule(heads: xr.Dataset) -> str:
    facts = [f"{name} {float(heads.attrs[name]):g}" for name in ("threshold", "ratio") if name in heads.attrs]
    return "".join(f", {fact}" for fact in facts)


def _stack(axis: Axes, block: xr.Dataset, colours: list[str], level: float) -> None:
    label, bottom = np.arange(block.sizes["label"]), np.zeros(block.sizes["label"])
    for head, colour in zip(range(int(block.n_heads)), colours):
        height = block.appearance.isel(head=head).values
        axis.bar(label, height, 0.86, bottom, color=colour, label=f"head {head + 1}")
        bottom = bottom + height
    top = max(float(bottom.max()), 1.0)
    owner = block.owner.values
    for head in range(1, int(block.n_heads) + 1):
        for evident in (True, False):
            mark = (owner == head) & ((block.label_q.values <= level) == evident)
            face = colours[head - 1] if evident else "white"
            axis.plot(
                label[mark],
                bottom[mark] + 0.06 * top,
                "o",
                color=colours[head - 1],
                mfc=face,
                ms=3.6,
                mew=0.9,
            )
    axis.set_ylim(0, 1.16 * top)
    axis.set_title(owned_in_words(block), loc="left", fontsize=9.5, color=GREY)


def label_names(dataset: xr.Dataset | xr.DataArray) -> list[str]:
    """Names of the labels, or their numbers where they have none."""
    return [str(name) for name in dataset["label_name" if "label_name" in dataset.coords else "label"].values]


@styled
def plot_owned_labels(
    heads: xr.Dataset, block: int | None = None, seed: int | None = None, title: str = ""
) -> Figure:
    """Labels of each head with the appearances in all heads and each head's accuracy: P1 Fig. 8.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    block : int, optional
        Default: the last.
    seed : int, optional
        Default: the first.
    title : str

    Returns
    -------
    Figure
        Only labels with an owner, grouped by owner. Above: appearances; below: accuracy with the fields of
        one head only. Filled: the owner; open: the other heads.

    Raises
    ------
    SymbreakError
        If the file lacks the seed or block.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> [axis.get_ylabel() for axis in plot_owned_labels(head_tables_example()).axes]
    ['appearances', 'accuracy of one head (1)']
    """
    chosen = of_seed(heads, seed)
    number = int(chosen.block.max()) if block is None else block
    if number not in chosen.block:
        raise SymbreakError(f"There is no block {number}; choose one of {chosen.block.values.tolist()}.")
    chosen = chosen.sel(block=number)
    owner = chosen.owner.values
    order = [int(i) for i in np.argsort(owner, kind="stable") if owner[i] > 0]
    figure = Figure(figsize=(10.4, 5.2))
    with_accuracy = "head_label_accuracy" in chosen
    axes = figure.subplots(1 + with_accuracy, 1, sharex=True, squeeze=False)[:, 0]
    colours = head_colours(int(chosen.n_heads))
    # A gap between the labels of different heads.
    place = np.arange(len(order)) + np.searchsorted(np.unique(owner[order]), owner[order]) * 1.0
    _by_head(axes[0], place, chosen.appearance.values[:, order], owner[order], colours)
    axes[0].set_ylabel("appearances")
    if with_accuracy:
        _by_head(axes[1], place, chosen.head_label_accuracy.values[:, order], owner[order], colours)
        axes[1].set_ylabel("accuracy of one head (1)")
    for axis in axes:
        axis.set_ylim(bottom=0)
        axis.grid(axis="x", color="#E9EDF2", lw=0.7)
    names = label_names(chosen)
    name_labels(axes[-1], [names[i] for i in order], 7.5 if len(order) <= 80 else 6, place.tolist())
    axes[-1].set_xlabel(axes[-1].get_xlabel() + ", grouped by the head that owns it")
    if len(colours) <= 12:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    words = f"Block {number}, seed {int(chosen.seed)}; filled: the owner; {owned_in_words(chosen)}"
    return finish(figure, (), title or place_of(heads) + words)


def _by_head(
    axis: Axes, place: np.ndarray, values: np.ndarray, owner: np.ndarray, colours: list[str]
) -> None:
    """Values of every head at every label: the owner filled and larger."""
    for head, colour in enumerate(colours, 1):
        own = owner == head
        axis.plot(
            place[~own], values[head - 1, ~own], "o", color=colour, mfc="none", ms=3.5, mew=0.8, alpha=0.75
        )
        axis.plot(place[own], values[head - 1, own], "o", color=colour, ms=6.5, label=f"head {head}")
        if own.any():
            axis.axvspan(place[own].min() - 0.5, place[own].max() + 0.5, color=colour, alpha=0.07, lw=0)
