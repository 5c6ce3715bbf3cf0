"""Figures of pruning: accuracy against kept weights, recovery epoch by epoch, weights of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from symbreak.errors import SymbreakError
from symbreak.results.averages import BINOMIAL, mean_and_error, repetitions
from symbreak.results.figures.style import MARKERS, PALETTE, Figure, finish, styled
from symbreak.results.figures.text import literal
from symbreak.results.tables.pruning import METHOD_NAMES, fraction_kept

#: Colour and marker of a method, the same in all figures.
LOOK = {
    "andc": (PALETTE[0], MARKERS[0]),
    "artificial": (PALETTE[4], MARKERS[3]),
    "random": (PALETTE[1], MARKERS[1]),
    "magnitude": (PALETTE[2], MARKERS[2]),
    "artificial_scratch": (PALETTE[3], MARKERS[4]),
}


@styled
def plot_pruning_curves(studies: Mapping[str, xr.Dataset], title: str = "") -> Figure:
    """Accuracy against the fraction of kept weights, all methods on one axis, one panel a study.

    Parameters
    ----------
    studies : mapping of name to Dataset
        Files of kind ``pruning``, of one seed or joined over seeds.
    title : str

    Returns
    -------
    Figure
        Full: after the short retraining; pale: before it. Horizontal line: the network without pruning,
        retrained alike. P1 (arXiv:2501.12900) section 3 gives two points of it.

    Raises
    ------
    SymbreakError
        If there is no study.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> len(plot_pruning_curves({"last": pruning_example(), "all": pruning_example()}).axes)
    2
    """
    require_studies(studies)
    figure = Figure(figsize=(1.2 + 3.6 * max(len(studies), 2), 4.3))
    axes = figure.subplots(1, len(studies), squeeze=False, sharey=True).ravel()
    for axis, (name, study) in zip(axes, studies.items()):
        _curves(axis, study)
        axis.set_title(_study_words(name, study))
    axes[0].set_ylabel("accuracy (fraction of images)")
    axes[0].set_ylim(bottom=0)
    shared_legend(figure, axes)
    panels = axes if len(axes) > 1 else ()
    return finish(figure, panels, title or origin(next(iter(studies.values()))))


def _curves(axis: Axes, study: xr.Dataset) -> None:
    fraction, width = mean_and_error(fraction_kept(study), "kept_total")
    order = np.argsort(fraction.values)
    for method in study.chosen_by.values:
        colour, marker = LOOK[str(method)]
        chosen = study.sel(chosen_by=method)
        after, error = mean_and_error(chosen.isel(epoch=-1), "pruned_accuracy")
        before, _ = mean_and_error(chosen.isel(epoch=0), "pruned_accuracy")
        axis.plot(
            fraction.values[order], before.values[order], f":{marker}", color=colour, ms=3.5, lw=1, alpha=0.55
        )
        axis.errorbar(
            fraction.values[order],
            after.values[order],
            error.fillna(0).values[order],
            width.fillna(0).values[order],
            fmt=f"-{marker}",
            color=colour,
            label=METHOD_NAMES[str(method)],
        )
    dense, _ = mean_and_error(study.isel(epoch=-1), "dense_accuracy")
    axis.axhline(float(dense), color="black", lw=1.2, label="not pruned")
    axis.set_xscale("log")
    low, high = float(fraction.min()), float(fraction.max())
    ticks = [tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if low / 1.6 <= tick <= high * 1.6]
    axis.set_xticks(ticks)
    axis.minorticks_off()
    axis.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    axis.set_xlim(low / 1.4, high * 1.4)
    axis.set_xlabel("weights kept, of the pruned layers")


@styled
def plot_retraining(study: xr.Dataset, title: str = "") -> Figure:
    """Accuracy in each epoch of the short retraining, one panel a setting.

    Parameters
    ----------
    study : Dataset
        A file of kind ``pruning``, of one seed or joined over seeds.
    title : str

    Returns
    -------
    Figure
        Epoch 0: pruned, not retrained.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> [axis.get_xlabel() for axis in plot_retraining(pruning_example()).axes]
    ['epoch of retraining', 'epoch of retraining']
    """
    settings = [str(name) for name in study.setting.values]
    columns = min(len(settings), 4)
    rows = -(-len(settings) // columns)
    figure = Figure(figsize=(1.2 + 2.9 * max(columns, 2), 0.9 + 2.9 * rows))
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axis in grid.ravel()[len(settings) :]:
        axis.set_visible(False)
    axes = grid.ravel()[: len(settings)]
    kept, _ = mean_and_error(fraction_kept(study), "kept_total")
    dense, _ = mean_and_error(study, "dense_accuracy")
    epochs = study.epoch.values
    for axis, setting in zip(axes, settings):
        axis.plot(epochs, dense, "-", color="black", lw=1.2, label="not pruned")
        for method in study.chosen_by.values:
            colour, marker = LOOK[str(method)]
            mean, error = mean_and_error(study.sel(setting=setting, chosen_by=method), "pruned_accuracy")
            axis.errorbar(
                epochs,
                mean,
                error.fillna(0),
                fmt=f"-{marker}",
                color=colour,
                ms=4.5,
                label=METHOD_NAMES[str(method)],
            )
        axis.set_title(f"{setting.replace('_', ' ')}: {float(kept.sel(setting=setting)):.1%} stay")
        axis.set_xlabel("epoch of retraining")
        axis.xaxis.get_major_locator().set_params(integer=True)
    for axis in grid[:, 0]:
        axis.set_ylabel("accuracy")
    axes[0].set_ylim(bottom=0)
    shared_legend(figure, axes)
    return finish(figure, (), title or origin(study))


@styled
def plot_pruning_layers(study: xr.Dataset, title: str = "") -> Figure:
    """Fraction of the weights of each layer that stays, compared with independent label sets.

    Parameters
    ----------
    study : Dataset
        A file of kind ``pruning``, of one seed or joined over seeds.
    title : str

    Returns
    -------
    Figure
        Bars: kept; black marks: expected for independent uniform label sets of the same sizes.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> plot_pruning_layers(pruning_example()).axes[0].get_ylabel()
    'weights that stay'
    """
    table = fraction_kept(study)
    kept, error = mean_and_error(table, "kept")
    expected, _ = mean_and_error(table, "expected")
    layers = [str(name) for name in study.layer.values]
    settings = study.setting.values
    width = 0.8 / len(settings)
    figure = Figure(figsize=(max(6.4, 1.6 + 0.30 * len(layers) * max(len(settings), 2)), 4.0))
    axis = figure.subplots()
    for number, setting in enumerate(settings):
        places = np.arange(len(layers)) + (number - (len(settings) - 1) / 2) * width
        axis.bar(
            places,
            kept.sel(setting=setting),
            0.92 * width,
            yerr=error.sel(setting=setting).fillna(0),
            color=PALETTE[number % len(PALETTE)],
            error_kw={"lw": 1},
            label=str(setting).replace("_", " "),
        )
        axis.hlines(
            expected.sel(setting=setting), places - width / 2, places + width / 2, color="black", lw=1.6
        )
    if bool(np.isfinite(expected).any()):
        axis.hlines([], 0, 0, color="black", lw=1.6, label="independent label sets")
    axis.set_xticks(range(len(layers)))
    upright = len(layers) > 6
    words = layers if upright else ["\n".join(name.rsplit(" ", 1)) for name in layers]
    axis.set_xticklabels(words, rotation=90 if upright else 0)
    axis.set_ylabel("weights that stay")
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.set_ylim(bottom=0)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return finish(figure, (), title or origin(study))


def _study_words(name: str, study: xr.Dataset) -> str:
    layers = study.sizes["layer"]
    return f"{literal(name)} ({layers} layer{'s' * (layers > 1)})"


def origin(dataset: xr.Dataset) -> str:
    """Network, data and what the errors are, for a heading."""
    return f"{dataset.attrs.get('source', '')}; {repetitions(dataset, BINOMIAL)[1]}"


def shared_legend(figure: Figure, axes: np.ndarray) -> None:
    """One legend below, each label once."""
    found: dict[str, Any] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        found |= {label: handle for label, handle in zip(labels, handles) if label not in found}
    figure.legend(list(found.values()), list(found), loc="outside lower center", ncols=min(len(found), 3))


def require_studies(studies: Mapping[str, xr.Dataset]) -> None:
    """Refuse to draw nothing."""
    if not studies:
        raise SymbreakError("There is no study of pruning to draw; give at least one file of `pruning/`.")
