"""Statistics of nodes against block and against threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from symbreak.observables import best_threshold
from symbreak.results.averages import mean_and_error, repetitions
from symbreak.results.figures.style import (
    GREY,
    PALETTE,
    PRINTED,
    Figure,
    block_axis,
    block_colours,
    finish,
    styled,
)
from symbreak.results.tables.nodes import cluster_table

PANELS = {
    "n_clusters": r"clusters per matrix, $N_c$ (1)",
    "cluster_size": r"labels per cluster, $C_s$ (1)",
    "diagonal": "labels in clusters, diag (1)",
    "noise": "noise elements, $n$ (1)",
}


#: Stands for zero on a logarithmic axis, below its lower end.
FLOOR = 1e-3


@styled
def plot_clusters(
    statistics: xr.Dataset,
    threshold: float = 0.3,
    paper: str | None = None,
    tap: str = "block",
    title: str = "",
) -> Figure:
    """N_c, C_s, diag and n against block: P1 (arXiv:2501.12900) Table 1 as a figure.

    Parameters
    ----------
    statistics : Dataset
        Statistics of one tap, of one seed or joined over seeds.
    threshold : float
        Fraction of the maximum; the nearest scanned one is taken.
    paper, tap : str
        As in :func:`symbreak.results.tables.nodes.cluster_table`.
    title : str

    Returns
    -------
    Figure
        Error bars over seeds; with one seed the jackknife over images.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example
    >>> len(plot_clusters(block_tables(moments_example(), Statistics(thresholds=9))[0]).axes)
    4
    """
    table = cluster_table(statistics, threshold, paper, tap)
    figure = Figure(figsize=(8.0, 5.4))
    axes = figure.subplots(2, 2, sharex=True).ravel()
    for axis, (name, words) in zip(axes, PANELS.items()):
        _with_errors(axis, table, name)
        axis.set_ylabel(words)
        highest = float(axis.dataLim.ymax)
        axis.set_ylim(0, 1.1 * highest if highest > 0 else 1)
    for axis in axes[2:]:
        block_axis(axis, sorted(table.block))
    if f"{name}_printed" in table:
        axes[0].legend(loc="best")
    return finish(figure, axes, title or f"Threshold {table.threshold[0]:g}; errors: {table.error[0]}")


def _with_errors(axis: Axes, table: pd.DataFrame, name: str) -> None:
    axis.errorbar(
        table.block, table[name], table[f"{name}_error"].fillna(0), fmt="-o", color=PALETTE[0], label="here"
    )
    if f"{name}_printed" in table:
        axis.plot(
            table.block, table[f"{name}_printed"], "D", mfc="none", color=PRINTED, label="printed in P1"
        )


@styled
def plot_snr(statistics: xr.Dataset, threshold: float | None = None, title: str = "") -> Figure:
    """SNR and SNR_MIN against threshold for every block: P1 (arXiv:2501.12900) Fig. 5.

    Parameters
    ----------
    statistics : Dataset
        Statistics of one tap, of one seed or joined over seeds.
    threshold : float, optional
        Marked as the threshold of the tables.
    title : str

    Returns
    -------
    Figure
        Bands: standard error over seeds, with one seed over images. Shaded: SNR_MIN < 1, excluded. A dot
        marks the largest SNR_MIN of each block. Where SNR diverges, for want of noise, its curve ends.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example
    >>> figure = plot_snr(block_tables(moments_example(), Statistics(thresholds=9))[0])
    >>> [axis.get_ylabel() for axis in figure.axes]
    ['SNR (1)', 'SNR of the rarest label, SNR$_{MIN}$ (1)']
    """
    figure = Figure(figsize=(9.2, 4.0))
    axes = figure.subplots(1, 2, sharex=True)
    colours = block_colours(statistics.block.values)
    for axis, name in zip(axes, ("snr", "snr_minimum")):
        mean, error = mean_and_error(statistics, name)
        for block, colour in colours.items():
            _curve(axis, mean.sel(block=block), error.sel(block=block), color=colour, label=f"block {block}")
    _mark_best(axes[1], statistics, colours)
    axes[0].set_ylabel("SNR (1)")
    axes[1].set_ylabel("SNR of the rarest label, SNR$_{MIN}$ (1)")
    for axis, name, lowest in zip(axes, ("snr", "snr_minimum"), (1.0, 0.3)):
        _scale(axis, float(_finite(mean_and_error(statistics, name)[0]).max()), lowest)
        axis.set_xlabel("threshold (fraction of largest field)")
        axis.set_xlim(0, 1)
        if threshold is not None:
            axis.axvline(threshold, color=GREY, ls=":", lw=1)
    axes[1].axhspan(axes[1].get_ylim()[0], 1, color=GREY, alpha=0.13, lw=0)
    axes[1].text(0.98, 0.94, "excluded: SNR$_{MIN}$ < 1", color=GREY, fontsize=9, ha="right", va="top")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return finish(figure, axes, title or f"Bands: {repetitions(statistics)[1]}")


def _mark_best(axis: Axes, statistics: xr.Dataset, colours: dict[int, str]) -> None:
    """Dot at the largest SNR_MIN of the drawn curve of each block."""
    mean = mean_and_error(statistics, "snr_minimum")[0].to_dataset(name="snr_minimum")
    best = best_threshold(mean)
    for block, colour in colours.items():
        place = float(best.sel(block=block))
        if np.isfinite(place):
            height = float(mean.snr_minimum.sel(block=block, threshold=place))
            axis.plot(place, height, "o", color=colour, mec="black", mew=0.8, ms=7, zorder=5)


def _curve(axis: Axes, mean: xr.DataArray, error: xr.DataArray, **look: Any) -> None:
    """Curve with its band. A logarithmic axis has no zero: what vanishes leaves at the lower edge."""
    axis.plot(mean.threshold, mean.clip(min=FLOOR), **look)
    low, high = ((mean + sign * error.fillna(0)).clip(min=FLOOR) for sign in (-1, 1))
    axis.fill_between(mean.threshold, low, high, color=look["color"], alpha=0.15, lw=0)


def _finite(curves: xr.DataArray) -> np.ndarray:
    """Positive finite values, at least one."""
    values = curves.values[np.isfinite(curves.values) & (curves.values > 0)]
    return values if values.size else np.array([1.0])


def _scale(axis: Axes, top: float, lowest: float) -> None:
    """Logarithmic height from `lowest` to above `top`."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if top < 200 else (1,)))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_ylim(lowest, max(3.0, 1.6 * top))


@styled
def plot_null(statistics: xr.Dataset, worlds: xr.Dataset, title: str = "") -> Figure:
    """SNR and SNR_MIN against threshold, of the network and of worlds without a network, block by block.

    Parameters
    ----------
    statistics : Dataset
        Of the network, of one seed or joined over seeds.
    worlds : Dataset
        The same of linear-Gaussian worlds of the same accuracy, from
        :func:`symbreak.planted.null_statistics`.
    title : str

    Returns
    -------
    Figure
        One panel a block. Solid: network; dashed: null; bands as in :func:`snr`.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example, null_statistics
    >>> settings = Statistics(thresholds=9)
    >>> network = block_tables(moments_example(), settings)[0]
    >>> len(plot_null(network, null_statistics(moments_example(), settings)).axes)
    2
    """
    blocks = [int(block) for block in statistics.block.values]
    columns = min(4, len(blocks))
    rows = -(-len(blocks) // columns)
    figure = Figure(figsize=(2.5 * columns + 1.9, 2.5 * rows + 0.8))
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axis in axes[len(blocks) :]:
        axis.remove()
    for axis, block in zip(axes, blocks):
        for colour, name, symbol in zip(PALETTE, ("snr", "snr_minimum"), ("SNR", "SNR$_{MIN}$")):
            for dataset, words, line in ((statistics, "network", "-"), (worlds, "null", "--")):
                curve = (part.sel(block=block) for part in mean_and_error(dataset, name))
                _curve(axis, *curve, color=colour, ls=line, label=f"{symbol}, {words}")
        axis.set_title(_accuracies(block, statistics, worlds), fontsize=9.5)
        axis.axhspan(FLOOR, 1, color=GREY, alpha=0.13, lw=0)
        axis.set_xlim(0, 1)
        axis.tick_params(labelbottom=True)
    top = max(float(_finite(mean_and_error(dataset, "snr")[0]).max()) for dataset in (statistics, worlds))
    _scale(axes[0], top, 0.3)
    figure.supxlabel("threshold (fraction of largest field)", fontsize=10.5)
    figure.supylabel("signal-to-noise ratio (1)", fontsize=10.5)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=9)
    return finish(figure, (), title)


def _accuracies(block: int, statistics: xr.Dataset, worlds: xr.Dataset) -> str:
    here, there = (
        float(mean_and_error(part, "accuracy")[0].sel(block=block)) for part in (statistics, worlds)
    )
    return f"block {block}\naccuracy {here:.3f}, null {there:.3f}"
