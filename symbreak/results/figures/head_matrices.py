"""Matrices of heads (P2, arXiv:2506.23832, section 2): statistics, and the averages of node matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from symbreak.matrices import by_head, clip
from symbreak.observables import averaged_nodes, common_share, pooled_moments
from symbreak.results.averages import mean_and_error, repetitions
from symbreak.results.figures.heads import place_of
from symbreak.results.figures.style import (
    BACKGROUND,
    GREY,
    PALETTE,
    Figure,
    block_axis,
    block_colours,
    finish,
    styled,
)
from symbreak.results.tables.heads import matrix_table

#: Panels of `head_statistics`: column of `matrix_table`, words, logarithmic axis.
PANELS = (
    ("diagonal", "labels in clusters, Diag (1)", False),
    ("noise", "noise elements, $n$ (1)", True),
    ("cluster_size", "labels per cluster, $C_s$ (1)", False),
    ("snr", "SNR (1)", True),
)


@styled
def plot_head_statistics(heads: xr.Dataset, threshold: float = 0.3, title: str = "") -> Figure:
    """Diag, n, C_s and SNR of the matrices of heads against block: P2 (arXiv:2506.23832) Table 1.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    threshold : float
        The nearest scanned one is taken.
    title : str

    Returns
    -------
    Figure
        Error bars over seeds; with one seed the jackknife over images. Dashed: nodes assigned to
        heads at random. What is not positive has no place on the logarithmic axes of n and SNR.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> len(plot_head_statistics(head_tables_example()).axes)
    4
    """
    table = matrix_table(heads, threshold)
    if "silenced" in table:
        table = table[table.silenced == "readout"].reset_index(drop=True)
    figure = Figure(figsize=(8.0, 5.4))
    axes = figure.subplots(2, 2, sharex=True).ravel()
    for axis, (name, words, logarithmic) in zip(axes, PANELS):
        values = table[name].where(np.isfinite(table[name]) & ((table[name] > 0) | (not logarithmic)))
        axis.errorbar(table.block, values, table[f"{name}_error"].fillna(0), fmt="-o", color=PALETTE[0])
        if f"{name}_by_chance" in table:
            chance = table[f"{name}_by_chance"]
            axis.plot(table.block, chance.where((chance > 0) | (not logarithmic)), "--", color=GREY)
        axis.set_ylabel(words)
        if logarithmic and values.notna().any() and values.max() > 10 * values.min():
            axis.set_yscale("log")
        else:
            axis.set_ylim(bottom=0)
    for axis in axes[2:]:
        block_axis(axis, sorted(table.block))
    words = f"Matrices of heads, threshold {table.threshold[0]:g}; {table.error[0]}"
    words += "\ndashed: nodes assigned to heads at random" if "noise_by_chance" in table else ""
    return finish(figure, axes, title or place_of(heads) + words)


@styled
def plot_head_agreement(heads: xr.Dataset, title: str = "") -> Figure:
    """Matrices of heads compared with their mean node matrices, over thresholds: P2 Fig. 4 in numbers.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    title : str

    Returns
    -------
    Figure
        a: common elements above threshold over elements of either (Jaccard), mean over heads; dashed: of
        different heads, what heads have in common anyway. b: the same for the labels on the diagonal. c:
        labels in clusters of the heads' own matrices (full) and of the averaged ones (dashed). Bands: errors
        over seeds or images.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> len(plot_head_agreement(head_tables_example()).axes)
    3
    """
    figure = Figure(figsize=(11.2, 3.9))
    axes = figure.subplots(1, 3, sharex=True)
    for block, colour in block_colours(heads.block.values).items():
        _curve(axes[0], heads, "agreement", block, color=colour, label=f"block {block}")
        _curve(axes[0], heads, "agreement_other_heads", block, color=colour, ls="--", lw=1.1)
        _curve(axes[1], heads, "agreement_labels", block, color=colour)
        _curve(axes[2], heads, "head_diagonal", block, color=colour)
        _curve(axes[2], heads, "node_mean_diagonal", block, color=colour, ls="--", lw=1.1)
    for axis, words in zip(
        axes, ("common elements (1)", "common labels (1)", "labels in clusters, Diag (1)")
    ):
        axis.set_ylabel(words)
        axis.set_xlabel("threshold (fraction of largest field)")
        axis.set_xlim(0, 1)
        axis.set_ylim(bottom=0)
    for axis in axes[:2]:
        axis.set_ylim(0, 1.03)
    axes[0].plot([], [], "--", color=GREY, label="a: different heads\nc: averaged nodes")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return finish(
        figure,
        axes,
        title
        or place_of(heads)
        + f"Matrix of a head compared with the mean of its node matrices; bands: {repetitions(heads)[1]}",
    )


def _curve(axis: Axes, heads: xr.Dataset, name: str, block: int, **style: Any) -> None:
    mean, error = (part.sel(block=block) for part in mean_and_error(heads, name))
    axis.plot(mean.threshold, mean, **style)
    band = error.fillna(0)
    axis.fill_between(mean.threshold, mean - band, mean + band, color=style["color"], alpha=0.15, lw=0)


@styled
def plot_head_matrices(
    moments: xr.Dataset,
    head: int = 1,
    block: int | None = None,
    thresholds: tuple[float, ...] = (0.3, 0.6),
    centred: bool = False,
    title: str = "",
) -> Figure:
    """Clipped matrix of a head, mean of its node matrices below: P2 (arXiv:2506.23832) Fig. 4.

    Parameters
    ----------
    moments : Dataset
        Moments of one seed, at a tap with heads.
    head : int
        From 1.
    block : int, optional
        Default: the last.
    thresholds : floats
    centred : bool
        Gauge of the matrices.
    title : str

    Returns
    -------
    Figure
        Dark: above threshold in both; coloured: in one of them only.

    Raises
    ------
    SymbreakError
        If there is no such block.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> [axis.get_title() for axis in plot_head_matrices(moments_example()).axes[:2]]
    ['threshold 0.3', 'threshold 0.6']
    """
    number = int(moments.block.max()) if block is None else block
    mean, readout, bias = pooled_moments(moments, number)
    head_of_node = moments.sel(block=number).head_of_node.values.astype(np.int64)
    own = by_head(mean, readout, head_of_node, bias, centred)[head - 1]
    nodes = averaged_nodes(mean, readout, head_of_node, bias, centred)[head - 1]
    figure = Figure(figsize=(3.6 * len(thresholds) + 0.6, 7.4))
    axes = figure.subplots(2, len(thresholds), sharex=True, sharey=True, squeeze=False)
    for column, threshold in zip(axes.T, thresholds):
        pair = [clip(matrix, threshold) for matrix in (own, nodes)]
        share = float(common_share(pair[0][None], pair[1][None])[0, 0])
        for axis, above, colour in zip(column, pair, PALETTE):
            kind = above.astype(int) + (pair[0] & pair[1])
            colours = ListedColormap([BACKGROUND, colour, "#243B53"])
            axis.imshow(kind, cmap=colours, vmin=0, vmax=2, interpolation="nearest")
        column[0].set_title(f"threshold {threshold:g}")
        column[1].set_title(f"common elements {share:.2f}", fontsize=9.5, color=GREY)
        column[1].set_xlabel("output unit")
    for axis, words in zip(axes[:, 0], ("matrix of the head", "mean of its node matrices")):
        axis.set_ylabel(f"{words}\nlabel of the input")
    words = f"Block {number}, head {head}; dark: in both, colour: in one only"
    return finish(figure, (), title or place_of(moments) + words)
