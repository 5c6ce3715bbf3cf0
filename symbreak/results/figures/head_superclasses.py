"""Superclasses filled by the labels of each head, and by random labels: P1 (arXiv:2501.12900) Table 4."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.results.averages import of_seed
from symbreak.results.figures.heads import head_colours, place_of
from symbreak.results.figures.style import GREY, Figure, finish, styled

#: More heads than this have no room: those with most labels are shown.
SHOWN = 6


@styled
def plot_superclass_filling(
    heads: xr.Dataset, blocks: int = 2, seed: int | None = None, title: str = ""
) -> Figure:
    """Number of superclasses of which a head owns 1, 2, … labels, and the exact law of random labels.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    blocks : int
        The last so many blocks; the paper shows two.
    seed : int, optional
        Default: the first.
    title : str

    Returns
    -------
    Figure
        One row a block, one panel a head. Bars: found; points: mean and standard deviation of as many random
        labels. p: exact, of the pairs of labels in one superclass; q: adjusted over all blocks and heads.

    Raises
    ------
    SymbreakError
        If the labels have no superclasses or the file lacks the seed.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> len(plot_superclass_filling(head_tables_example()).axes)
    4
    """
    if "filling_count" not in heads:
        raise SymbreakError("The labels have no superclasses; leave this figure out for this data set.")
    chosen = of_seed(heads, seed)
    numbers = chosen.block.values[::-1][:blocks]
    columns = min(int(chosen.n_heads.sel(block=numbers).max()), SHOWN)
    figure = Figure(figsize=(1.2 + 2.2 * columns, 0.8 + 2.3 * len(numbers)))
    axes = figure.subplots(len(numbers), columns, sharex=True, sharey=True, squeeze=False)
    colours = head_colours(chosen.sizes["head"])
    filling = chosen.filling.values[1:]
    for row, block in zip(axes, numbers):
        of_block = chosen.sel(block=block)
        there = np.arange(int(of_block.n_heads))
        largest = np.sort(there[np.argsort(-of_block.n_owned.values[there], kind="stable")][:columns])
        for axis in row[len(largest) :]:
            axis.set_visible(False)
        for axis, place in zip(row, largest):
            head = of_block.isel(head=place).isel(filling=slice(1, None))
            axis.bar(filling, head.filling_count, 0.8, color=colours[place], alpha=0.8)
            axis.errorbar(
                filling, head.filling_count_null, head.filling_count_null_deviation, fmt="D", color=GREY, ms=4
            )
            words = f"head {place + 1}: {int(head.n_owned)} labels ({float(head.n_owned_null):.1f} by chance)"
            axis.set_title(words, fontsize=8.5, loc="left")
            pairs = f"pairs {int(head.pairs)}, random {float(head.pairs_null):.1f}"
            test = f"p = {float(head.pairs_p):.2g}, q = {float(head.pairs_q):.2g}"
            axis.text(
                0.98, 0.95, f"{pairs}\n{test}", transform=axis.transAxes, ha="right", va="top", fontsize=8
            )
        row[0].set_ylabel(f"block {block}\nsuperclasses")
    for axis in axes[-1]:
        axis.set_xticks(filling)
        axis.set_xlabel("labels owned of it")
    axes[0, 0].set_ylim(0, axes[0, 0].get_ylim()[1] * 1.25)
    return finish(
        figure,
        (),
        title
        or place_of(heads) + f"Seed {int(chosen.seed)}; bars: found, points: random labels, ± one deviation",
    )
