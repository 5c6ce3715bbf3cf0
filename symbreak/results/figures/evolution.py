"""The symmetry-breaking curve: order of the heads beyond chance against training epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from symbreak.results.averages import OVER_NODES, mean_and_error, repetitions
from symbreak.results.figures.heads import place_of
from symbreak.results.figures.style import GREY, block_colours, letter_panels, styled, subtitle
from symbreak.results.tables.order import beyond_chance

#: Panels with a null model; the other order parameters of the table move with these.
SHOWN = {
    "potts_order": "Potts order $M$ − chance",
    "edwards_anderson_unbiased": "order $q_u$ − chance",
    "mutual_information": "information / ln $H$ − chance",
    "committee_contrast": "contrast $\\Delta$ − chance",
    "n_owned_total": "labels with owner − chance",
}
#: Width of the chance bands in standard deviations.
BAND = 2.0


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
        a-e: order parameters and labels with an owner, each minus its mean when nodes are shuffled among
        heads; 0: the symmetry of the heads is unbroken. Bands: two standard deviations of that null model,
        of a single network. f: accuracy of the classifier heads of the blocks and of the network.

    Examples
    --------
    >>> from symbreak.planted import evolution_example
    >>> len(plot_order_by_epoch(evolution_example()).axes)
    6
    """
    figure = Figure(figsize=(10.4, 6.2))
    axes = figure.subplots(2, 3).ravel()
    colours = block_colours(evolution.block.values)
    epochs = evolution.epoch.values
    for axis, (name, words) in zip(axes, SHOWN.items()):
        _beyond_chance(axis, evolution, name, colours)
        axis.set_ylabel(words)
    _accuracies(axes[-1], evolution, colours)
    for axis in axes:
        epoch_axis(axis, [int(epoch) for epoch in epochs])
    handles, words = axes[0].get_legend_handles_labels()
    more, others = axes[-1].get_legend_handles_labels()
    figure.legend(
        [*handles, *more], [*words, *others], loc="outside lower center", ncols=min(len(words) + 1, 6)
    )
    letter_panels(axes)
    bars = f"error bars: {repetitions(evolution, OVER_NODES)[1]}"
    known = f"Bands: 2 deviations of nodes assigned to heads at random; {bars}"
    subtitle(figure, title or place_of(evolution) + known)
    return figure


def _beyond_chance(axis: Axes, evolution: xr.Dataset, name: str, colours: dict[int, str]) -> None:
    excess, error, deviation = beyond_chance(evolution, name)
    epochs = evolution.epoch.values
    axis.axhline(0, color=GREY, lw=0.8)
    for block, colour in colours.items():
        spread = BAND * np.nan_to_num(deviation.sel(block=block).values)
        axis.fill_between(epochs, -spread, spread, color=colour, alpha=0.1, lw=0)
        axis.errorbar(
            epochs,
            excess.sel(block=block),
            error.sel(block=block).fillna(0),
            fmt="-o",
            ms=4,
            color=colour,
            label=f"block {block}",
        )


def _accuracies(axis: Axes, evolution: xr.Dataset, colours: dict[int, str]) -> None:
    epochs = evolution.epoch.values
    mean, error = mean_and_error(evolution, "accuracy")
    for block, colour in colours.items():
        chosen = error.sel(block=block).fillna(0)
        axis.errorbar(epochs, mean.sel(block=block), chosen, fmt="-o", ms=4, color=colour)
    mean, error = mean_and_error(evolution, "network_accuracy")
    axis.errorbar(epochs, mean, error.fillna(0), fmt="--s", ms=4, color="black", label="network")
    axis.set_ylabel("accuracy (fraction of images)")
    axis.set_ylim(bottom=0)
