"""How networks learned, and what their blocks can do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from symbreak.errors import SymbreakError
from symbreak.results.averages import mean_and_error
from symbreak.results.figures.style import GREY, MARKERS, PALETTE, Figure, block_axis, finish, styled

CURVES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")


@styled
def plot_training(histories: Mapping[int, pd.DataFrame], title: str = "") -> Figure:
    """Loss and accuracy against epoch, all seeds.

    Parameters
    ----------
    histories : mapping of seed to DataFrame
        Columns ``epoch, train_loss, train_accuracy, validation_loss, validation_accuracy``; an epoch without
        validation has empty places.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    SymbreakError
        If there is no history or a column is missing.

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [1, 2], **{name: [0.5, 0.4] for name in CURVES}})
    >>> [axis.get_ylabel() for axis in plot_training({1: history}).axes]
    ['cross-entropy loss (nats)', 'accuracy (fraction of images)']
    """
    if not histories:
        raise SymbreakError("There is no training history to draw; give history.csv of at least one seed.")
    figure = Figure(figsize=(8.4, 3.5))
    axes = figure.subplots(1, 2)
    for number, (seed, history) in enumerate(histories.items()):
        missing = [name for name in ("epoch", *CURVES) if name not in history]
        if missing:
            raise SymbreakError(
                f"The history of seed {seed} has no column `{missing[0]}`; give a file history.csv."
            )
        colour = PALETTE[number % len(PALETTE)]
        for axis, quantity in zip(axes, ("loss", "accuracy")):
            measured = history.dropna(subset=[f"validation_{quantity}"])
            axis.plot(history["epoch"], history[f"train_{quantity}"], "--", color=colour, lw=1.2, alpha=0.8)
            axis.plot(
                measured["epoch"],
                measured[f"validation_{quantity}"],
                "-o",
                color=colour,
                ms=3.5,
                label=f"seed {seed}",
            )
    axes[0].set_ylabel("cross-entropy loss (nats)")
    axes[1].set_ylabel("accuracy (fraction of images)")
    axes[0].set_ylim(bottom=0)
    axes[1].set_ylim(0, 1)
    for axis in axes:
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].plot([], [], "-o", color=GREY, ms=3.5, label="validation")
    axes[0].plot([], [], "--", color=GREY, lw=1.2, label="training, as augmented")
    axes[0].legend(loc="upper right")
    return finish(figure, axes, title)


@styled
def plot_accuracy(
    statistics: Mapping[str, xr.Dataset], n_labels: int | None = None, title: str = ""
) -> Figure:
    """Accuracy of the classifier heads against block for every tap, and of the whole network.

    Parameters
    ----------
    statistics : mapping of tap to Dataset
        With `accuracy` on (block) or (seed, block) and, if known, `network_accuracy`.
    n_labels : int, optional
        Number of labels, for the chance level; default: the labels of the first dataset.
    title : str

    Returns
    -------
    Figure
        P1 (arXiv:2501.12900) Table 1, first column, as a figure.

    Raises
    ------
    SymbreakError
        If there is nothing to draw.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> figure = plot_accuracy({"block": moments_example()[["accuracy", "network_accuracy"]]}, n_labels=10)
    >>> figure.axes[0].get_xlabel()
    'block'
    """
    if not statistics:
        raise SymbreakError("There are no accuracies to draw; give the statistics of at least one tap.")
    figure = Figure(figsize=(7.4, 4.2))
    axis = figure.subplots()
    first = next(iter(statistics.values()))
    offsets = (np.arange(len(statistics)) - (len(statistics) - 1) / 2) * min(0.06, 0.3 / len(statistics))
    for number, (tap, dataset) in enumerate(statistics.items()):
        mean, error = mean_and_error(dataset, "accuracy")
        axis.errorbar(
            mean.block + offsets[number],
            mean,
            error.fillna(0),
            marker=MARKERS[number % len(MARKERS)],
            color=PALETTE[number % len(PALETTE)],
            ls="-" if number < len(PALETTE) else "--",
            lw=1.2,
            label=tap,
        )
    _levels(axis, first, n_labels or first.sizes.get("label"))
    block_axis(axis, first.block.values)
    axis.set_ylabel("accuracy (fraction of images)")
    axis.set_ylim(0, 1)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return finish(figure, (), title)


def _levels(axis: Axes, dataset: xr.Dataset, n_labels: int | None) -> None:
    """Lines of the whole network and of chance."""
    if "network_accuracy" in dataset:
        mean, error = mean_and_error(dataset, "network_accuracy")
        axis.axhline(float(mean), color="black", lw=1.2, label="whole network")
        if np.isfinite(error):
            axis.axhspan(float(mean - error), float(mean + error), color="black", alpha=0.12, lw=0)
    if n_labels:
        axis.axhline(1 / n_labels, color=GREY, lw=1, ls=":", label=f"chance, 1/{n_labels}")
