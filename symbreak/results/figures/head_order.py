"""Order of heads against block and against the ratio of the rule, always beside what chance gives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from symbreak.results.averages import OVER_NODES, mean_and_error, repetitions, with_seeds
from symbreak.results.figures.heads import place_of
from symbreak.results.figures.style import (
    GREY,
    PALETTE,
    block_axis,
    block_colours,
    letter_panels,
    styled,
    subtitle,
)
from symbreak.results.tables.order import ORDER_NAMES

#: Words -> heads of a null model.
Beside = Mapping[str, xr.Dataset]
#: Width of the chance bands.
BAND = 2.0


def chance_band(axis: Axes, x: np.ndarray, null: np.ndarray, deviation: np.ndarray, **style) -> None:
    """Draw the mean under the null model and two standard deviations around it.

    Examples
    --------
    >>> axis = Figure().subplots()
    >>> chance_band(axis, np.arange(3), np.ones(3), np.ones(3))
    >>> len(axis.lines), len(axis.collections)
    (1, 1)
    """
    style = {"color": GREY, "alpha": 0.2, "label": "by chance, ± 2 deviations"} | style
    spread = BAND * np.nan_to_num(deviation)
    axis.fill_between(x, null - spread, null + spread, color=style["color"], alpha=style["alpha"], lw=0)
    axis.plot(x, null, "--", color=style["color"], lw=1.2, label=style["label"])


@styled
def plot_owned_by_block(heads: xr.Dataset, title: str = "", beside: Beside | None = None) -> Figure:
    """Owned labels against block, in total and of each head, with their chance level.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    title : str
    beside : mapping of words to Dataset, optional
        Null models measured like the network: its features rotated, an untrained network. Dashed in
        their colour: their own chance level.

    Returns
    -------
    Figure
        a: labels with an owner; small marks: seeds. b: labels of each head, a mark for each head and seed,
        the largest first. Bands: two standard deviations around the exact mean when nodes are shuffled among
        heads, of a single network.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> [axis.get_ylabel() for axis in plot_owned_by_block(head_tables_example()).axes]
    ['labels with an owner', 'labels of a head']
    """
    seeded = with_seeds(heads)
    blocks = seeded.block.values
    figure = Figure(figsize=(9.2, 4.0))
    axes = figure.subplots(1, 2)
    _band(axes[0], seeded, "n_owned_total")
    mean, error = mean_and_error(heads, "n_owned_total")
    axes[0].errorbar(blocks, mean, error.fillna(0), fmt="-o", color=PALETTE[0], label="found")
    for seed in seeded.seed.values if seeded.sizes["seed"] > 1 else ():
        axes[0].plot(blocks, seeded.n_owned_total.sel(seed=seed), "o", color=PALETTE[0], mfc="white", ms=3.5)
    _beside(axes[0], beside, "n_owned_total")
    evident = seeded.n_owned_evident.sum("head").mean("seed")
    axes[0].plot(blocks, evident, ":x", color=PALETTE[0], ms=5.5, label="of these with evidence")
    axes[0].set_ylabel("labels with an owner")
    null, spread = (
        seeded[f"n_owned_null{part}"].mean(["seed", "head"]).values for part in ("", "_deviation")
    )
    chance_band(axes[1], blocks, null, spread)
    # Heads of different seeds are different heads: only their rank can be compared.
    n_heads = seeded.n_heads.transpose("seed", "block").values[..., None]
    counts = seeded.n_owned.transpose("seed", "block", "head").values.astype(float)
    ranked = -np.sort(-np.where(np.arange(counts.shape[-1]) < n_heads, counts, -1.0), axis=-1)
    shift = np.linspace(-0.25, 0.25, counts.shape[-1]) if counts.shape[-1] > 1 else np.zeros(1)
    place = np.broadcast_to(blocks[:, None] + shift, ranked.shape)
    shown = ranked >= 0
    axes[1].plot(place[shown], ranked[shown], "o", color=PALETTE[0], ms=4.0, alpha=0.75)
    axes[1].set_ylabel("labels of a head")
    for axis in axes:
        block_axis(axis, blocks)
        axis.set_ylim(bottom=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    letter_panels(axes)
    words = f"Bands: nodes shuffled among heads; error bars: {repetitions(heads, OVER_NODES)[1]}"
    subtitle(figure, title or place_of(heads) + words)
    return figure


def _beside(axis: Axes, beside: Beside | None, name: str) -> None:
    for (words, other), colour, mark in zip((beside or {}).items(), PALETTE[1:], "s^Dv"):
        mean, error = mean_and_error(other, name)
        axis.errorbar(mean.block, mean, error.fillna(0), fmt=f":{mark}", color=colour, ms=4.5, label=words)
        # It has a chance level of its own, with its own numbers of appearances.
        axis.plot(mean.block, with_seeds(other)[f"{name}_null"].mean("seed"), "--", color=colour, lw=1)


def _band(axis: Axes, seeded: xr.Dataset, name: str) -> None:
    null = seeded[f"{name}_null"].mean("seed").values
    chance_band(axis, seeded.block.values, null, seeded[f"{name}_null_deviation"].mean("seed").values)


@styled
def plot_ownership_curves(heads: xr.Dataset, title: str = "") -> Figure:
    """Labels with an owner against the ratio r of the rule, the papers' r = 2 being one point of it.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    title : str

    Returns
    -------
    Figure
        a: found (full) and by chance (dashed). b: found minus chance, over the standard deviation of chance.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> [axis.get_ylabel() for axis in plot_ownership_curves(head_tables_example()).axes]
    ['labels with an owner', 'excess over chance / its deviation (1)']
    """
    seeded = with_seeds(heads)
    figure = Figure(figsize=(9.6, 4.0))
    axes = figure.subplots(1, 2)
    ratios = seeded.ratio.values
    for block, colour in block_colours(seeded.block.values).items():
        chosen = seeded.sel(block=block)
        found, null = chosen.n_owned_curve.mean("seed").values, chosen.n_owned_curve_null.mean("seed").values
        deviation = chosen.n_owned_curve_null_deviation.mean("seed").values
        axes[0].plot(ratios, found, "-o", color=colour, ms=3.5, label=f"block {block}")
        axes[0].plot(ratios, null, "--", color=colour, lw=1.1)
        spread = np.where(deviation > 0, deviation, np.nan)
        axes[1].plot(ratios, (found - null) / spread, "-o", color=colour, ms=3.5)
    axes[0].set_ylabel("labels with an owner")
    axes[1].set_ylabel("excess over chance / its deviation (1)")
    axes[1].axhspan(-BAND, BAND, color=GREY, alpha=0.15, lw=0)
    for axis in axes:
        axis.set_xscale("log")
        axis.set_xticks([1, 1.5, 2, 3, 4, 6, 8], ["1", "1.5", "2", "3", "4", "6", "8"])
        axis.minorticks_off()
        axis.set_xlabel("ratio r of the rule")
        axis.axvline(float(heads.attrs.get("ratio", 2.0)), color=GREY, ls=":", lw=1)
    axes[0].set_ylim(bottom=0)
    axes[0].plot([], [], "--", color=GREY, label="by chance")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    letter_panels(axes)
    subtitle(
        figure,
        title
        or place_of(heads) + "Dashed: exact mean when nodes are shuffled among heads; shaded: 2 deviations",
    )
    return figure


@styled
def plot_order_by_block(heads: xr.Dataset, title: str = "", beside: Beside | None = None) -> Figure:
    """Order parameters of broken head symmetry against block, with their null bands.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    title : str
    beside : mapping of words to Dataset, optional
        Null models measured like the network: its features rotated, an untrained network. Dashed in
        their colour: their own chance level.

    Returns
    -------
    Figure
        One panel each (see ``docs/heads.md``); 0: heads alike, 1: every label in one head. Bands: two
        standard deviations around the mean when nodes are shuffled among heads, of a single network.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> len(plot_order_by_block(head_tables_example()).axes)
    6
    """
    seeded = with_seeds(heads)
    figure = Figure(figsize=(9.6, 5.4))
    axes = figure.subplots(2, 3, sharex=True).ravel()
    for axis, (name, words) in zip(axes, ORDER_NAMES.items()):
        _band(axis, seeded, name)
        mean, error = mean_and_error(heads, name)
        axis.errorbar(seeded.block, mean, error.fillna(0), fmt="-o", color=PALETTE[0], label="found")
        _beside(axis, beside, name)
        axis.set_ylabel(words)
        axis.axhline(0, color=GREY, lw=0.8)
    for axis in axes[3:]:
        block_axis(axis, seeded.block.values)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    letter_panels(axes)
    words = f"Bands: nodes shuffled among heads; error bars: {repetitions(heads, OVER_NODES)[1]}"
    subtitle(figure, title or place_of(heads) + words)
    return figure
