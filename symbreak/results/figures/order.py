"""Order of heads against block, ratio of the rule, and training epoch, compared with what chance gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from symbreak.results.averages import OVER_NODES, repetitions, with_seeds
from symbreak.results.figures.heads import place_of
from symbreak.results.figures.style import (
    GREY,
    PALETTE,
    Figure,
    block_axis,
    block_colours,
    draw_mean,
    finish,
    styled,
)
from symbreak.results.tables.order import ORDER_NAMES, beyond_chance

#: Words -> heads of a null model.
Nulls = Mapping[str, xr.Dataset]
#: Width of the chance bands in standard deviations.
BAND = 2.0
#: Panels of the evolution with a null model; the other order parameters of the table move with these.
SHOWN = {
    "potts_order": "Potts order $M$ − chance",
    "edwards_anderson_unbiased": "order $q_u$ − chance",
    "mutual_information": "information / ln $H$ − chance",
    "committee_contrast": "contrast $\\Delta$ − chance",
    "n_owned_total": "labels with owner − chance",
}


def chance_band(axis: Axes, x: np.ndarray, null: np.ndarray, deviation: np.ndarray) -> None:
    """Draw the mean under the null model and two standard deviations around it.

    Examples
    --------
    >>> axis = Figure().subplots()
    >>> chance_band(axis, np.arange(3), np.ones(3), np.ones(3))
    >>> len(axis.lines), len(axis.collections)
    (1, 1)
    """
    spread = BAND * np.nan_to_num(deviation)
    axis.fill_between(x, null - spread, null + spread, color=GREY, alpha=0.2, lw=0)
    axis.plot(x, null, "--", color=GREY, lw=1.2, label="by chance, ± 2 deviations")


def _band(axis: Axes, seeded: xr.Dataset, name: str) -> None:
    parts = (seeded[f"{name}_null{end}"] for end in ("", "_deviation"))
    null, spread = (part.mean([dim for dim in part.dims if dim != "block"]).values for part in parts)
    chance_band(axis, seeded.block.values, null, spread)


def _draw_nulls(axis: Axes, nulls: Nulls | None, name: str) -> None:
    for (words, other), colour, mark in zip((nulls or {}).items(), PALETTE[1:], "s^Dv"):
        draw_mean(
            axis,
            other.block,
            other,
            name,
            fmt=f":{mark}",
            color=colour,
            ms=4.5,
            label=words.replace("_", " "),
        )
        # It has a chance level of its own, with its own numbers of appearances.
        axis.plot(other.block, with_seeds(other)[f"{name}_null"].mean("seed"), "--", color=colour, lw=1)


def _bands_and_bars(dataset: xr.Dataset) -> str:
    bars = repetitions(dataset, OVER_NODES)[1]
    return f"{place_of(dataset)}Bands: nodes assigned to heads at random; error bars: {bars}"


@styled
def plot_owned_by_block(heads: xr.Dataset, title: str = "", nulls: Nulls | None = None) -> Figure:
    """Owned labels against block, in total and of each head, with their chance level.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    title : str
    nulls : mapping of words to Dataset, optional
        Null models measured like the network: its features rotated, an untrained network. Dashed in
        their colour: their own chance level.

    Returns
    -------
    Figure
        a: labels with an owner; small marks: seeds. b: labels of each head, a mark for each head and seed,
        the largest first. Bands: two standard deviations around the exact mean when nodes are assigned to
        heads at random, of a single network.

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
    draw_mean(axes[0], blocks, heads, "n_owned_total", fmt="-o", color=PALETTE[0], label="found")
    for seed in seeded.seed.values if seeded.sizes["seed"] > 1 else ():
        axes[0].plot(blocks, seeded.n_owned_total.sel(seed=seed), "o", color=PALETTE[0], mfc="white", ms=3.5)
    _draw_nulls(axes[0], nulls, "n_owned_total")
    evident = seeded.n_owned_evident.sum("head").mean("seed")
    axes[0].plot(blocks, evident, ":x", color=PALETTE[0], ms=5.5, label="of these with evidence")
    axes[0].set_ylabel("labels with an owner")
    _band(axes[1], seeded, "n_owned")
    # Heads of different seeds are different heads: only their rank can be compared.
    n_heads = seeded.n_heads.transpose("seed", "block").values[..., None]
    counts = seeded.n_owned.transpose("seed", "block", "head").values.astype(float)
    ranked = -np.sort(-np.where(np.arange(counts.shape[-1]) < n_heads, counts, -1.0), axis=-1)
    shift = np.linspace(-0.25, 0.25, counts.shape[-1]) if counts.shape[-1] > 1 else np.zeros(1)
    shown = ranked >= 0
    place = np.broadcast_to(blocks[:, None] + shift, ranked.shape)[shown]
    axes[1].plot(place, ranked[shown], "o", color=PALETTE[0], ms=4.0, alpha=0.75)
    axes[1].set_ylabel("labels of a head")
    for axis in axes:
        block_axis(axis, blocks)
        axis.set_ylim(bottom=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(figure, axes, title or _bands_and_bars(heads))


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
        found, null, deviation = (
            seeded[f"n_owned_curve{end}"].sel(block=block).mean("seed").values
            for end in ("", "_null", "_null_deviation")
        )
        axes[0].plot(ratios, found, "-o", color=colour, ms=3.5, label=f"block {block}")
        axes[0].plot(ratios, null, "--", color=colour, lw=1.1)
        spread = np.where(deviation > 0, deviation, np.nan)
        axes[1].plot(ratios, (found - null) / spread, "-o", color=colour, ms=3.5)
    axes[0].set_ylabel("labels with an owner")
    axes[1].set_ylabel("excess over chance / its deviation (1)")
    axes[1].axhspan(-BAND, BAND, color=GREY, alpha=0.15, lw=0)
    for axis in axes:
        axis.set_xscale("log")
        ticks = [1, 1.5, 2, 3, 4, 6, 8]
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
        axis.set_xlabel("ratio r of the rule")
        axis.axvline(float(heads.attrs.get("ratio", 2.0)), color=GREY, ls=":", lw=1)
    axes[0].set_ylim(bottom=0)
    axes[0].plot([], [], "--", color=GREY, label="by chance")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    words = "Dashed: exact mean when nodes are assigned to heads at random; shaded: 2 deviations"
    return finish(figure, axes, title or place_of(heads) + words)


@styled
def plot_order_by_block(heads: xr.Dataset, title: str = "", nulls: Nulls | None = None) -> Figure:
    """Order parameters of broken head symmetry against block, with their null bands.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    title : str
    nulls : mapping of words to Dataset, optional
        As in :func:`plot_owned_by_block`.

    Returns
    -------
    Figure
        One panel each (see ``docs/heads.md``); 0: heads alike, 1: every label in one head. Bands: two
        standard deviations around the mean when nodes are assigned to heads at random, of a single network.

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
        draw_mean(axis, seeded.block, heads, name, fmt="-o", color=PALETTE[0], label="found")
        _draw_nulls(axis, nulls, name)
        axis.set_ylabel(words)
        axis.axhline(0, color=GREY, lw=0.8)
    for axis in axes[3:]:
        block_axis(axis, seeded.block.values)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return finish(figure, axes, title or _bands_and_bars(heads))


def epoch_axis(axis: Axes, epochs: Sequence[int]) -> None:
    """Logarithmic axis of epochs on which epoch 0, before training, has its place.

    Examples
    --------
    >>> axis = Figure().subplots()
    >>> epoch_axis(axis, [0, 1, 2, 4, 8, 9])
    >>> [text.get_text() for text in axis.get_xticklabels()]
    ['0', '1', '2', '4', '9']
    """
    axis.set_xscale("symlog", linthresh=1, linscale=0.35)
    last = epochs[-1]
    named = [epoch for epoch in epochs if epoch in (0, last) or 1.5 * epoch <= last]
    axis.set_xticks(named, [str(epoch) for epoch in named])
    axis.minorticks_off()
    axis.set_xlim(-0.15, last * 1.15)
    axis.set_xlabel("epoch (0: untrained)")


@styled
def plot_order_by_epoch(evolution: xr.Dataset, title: str = "") -> Figure:
    """Order of the heads beyond chance against training epoch, block by block.

    Parameters
    ----------
    evolution : Dataset
        Evolution of one tap, of one seed or joined over seeds.
    title : str

    Returns
    -------
    Figure
        a-e: order parameters and labels with an owner, each minus its mean when nodes are assigned to heads
        at random; 0: the symmetry of the heads is unbroken. Bands: two standard deviations of that null
        model, of a single network. f: accuracy of the classifier heads of the blocks and of the network.

    Examples
    --------
    >>> from symbreak.planted import evolution_example
    >>> len(plot_order_by_epoch(evolution_example()).axes)
    6
    """
    figure = Figure(figsize=(10.4, 6.2))
    axes = figure.subplots(2, 3).ravel()
    epochs = evolution.epoch.values
    for axis, words in zip(axes, SHOWN.values()):
        axis.set_ylabel(words)
        axis.axhline(0, color=GREY, lw=0.8)
    for block, colour in block_colours(evolution.block.values).items():
        look = {"fmt": "-o", "ms": 4, "color": colour}
        for axis, name in zip(axes, SHOWN):
            excess, error, deviation = (part.sel(block=block) for part in beyond_chance(evolution, name))
            spread = BAND * np.nan_to_num(deviation.values)
            axis.fill_between(epochs, -spread, spread, color=colour, alpha=0.1, lw=0)
            axis.errorbar(epochs, excess, error.fillna(0), label=f"block {block}", **look)
        draw_mean(axes[-1], epochs, evolution.sel(block=block), "accuracy", **look)
    draw_mean(
        axes[-1], epochs, evolution, "network_accuracy", fmt="--s", ms=4, color="black", label="network"
    )
    axes[-1].set_ylabel("accuracy (fraction of images)")
    axes[-1].set_ylim(bottom=0)
    for axis in axes:
        epoch_axis(axis, [int(epoch) for epoch in epochs])
    blocks, network = (axis.get_legend_handles_labels() for axis in (axes[0], axes[-1]))
    handles, words = (one + other for one, other in zip(blocks, network))
    figure.legend(handles, words, loc="outside lower center", ncols=min(len(words) + 1, 6))
    return finish(figure, axes, title or _bands_and_bars(evolution))
