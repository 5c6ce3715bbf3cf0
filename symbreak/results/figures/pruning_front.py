"""Figures of pruning: Pareto front of accuracy against parameters, silenced nodes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from symbreak.results.averages import mean_and_error
from symbreak.results.figures.pruning import LOOK, origin, require_studies, shared_legend
from symbreak.results.figures.style import GREY, PALETTE, Figure, finish, styled
from symbreak.results.figures.text import literal
from symbreak.results.tables.pruning import CRITERION_NAMES, METHOD_NAMES


@styled
def plot_pruning_front(studies: Mapping[str, xr.Dataset], title: str = "") -> Figure:
    """Accuracy after retraining against the parameters of the whole network, all studies and methods.

    Parameters
    ----------
    studies : mapping of name to Dataset
        Files of kind ``pruning``, of one seed or joined over seeds.
    title : str

    Returns
    -------
    Figure
        Line: the Pareto front, networks that none with as few parameters exceeds in accuracy.

    Raises
    ------
    SymbreakError
        If there is no study.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> plot_pruning_front({"last": pruning_example()}).axes[0].get_xlabel()
    'parameters that are not zero'
    """
    require_studies(studies)
    figure = Figure(figsize=(8.2, 4.4))
    axis = figure.subplots()
    first = next(iter(studies.values()))
    dense, error = mean_and_error(first.isel(epoch=0), "dense_accuracy")
    whole = float(np.max(first.n_parameters))
    axis.errorbar(
        whole, float(dense), np.nan_to_num(float(error)), fmt="*", ms=12, color="black", label="not pruned"
    )
    points = [(whole, float(dense))]
    named: set[str] = set()
    fills = ("full", "none", "left", "right", "top", "bottom")
    for number, (name, study) in enumerate(studies.items()):
        size, _ = mean_and_error(study, "kept_parameters")
        for method in study.chosen_by.values:
            mean, spread = mean_and_error(study.sel(chosen_by=method).isel(epoch=-1), "pruned_accuracy")
            colour, marker = LOOK[str(method)]
            label = METHOD_NAMES[str(method)] if str(method) not in named else None
            axis.errorbar(
                size,
                mean,
                spread.fillna(0),
                fmt=marker,
                color=colour,
                fillstyle=fills[number % len(fills)],
                label=label,
            )
            named.add(str(method))
            points += list(zip(size.values.tolist(), mean.values.tolist()))
        axis.plot(
            [], [], "o", color=GREY, fillstyle=fills[number % len(fills)], label=f"study {literal(name)}"
        )
    front = pareto_front(np.array(points))
    axis.plot(front[:, 0], front[:, 1], "-", color=GREY, lw=1, zorder=0, label="Pareto front")
    axis.set_xlabel("parameters that are not zero")
    axis.set_ylabel("accuracy (fraction of images)")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.tick_params(axis="x", labelrotation=20)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return finish(figure, (), title or origin(first))


def pareto_front(points: np.ndarray) -> np.ndarray:
    """Points (cost, value) that no other of at most the same cost exceeds, by rising cost.

    Examples
    --------
    >>> pareto_front(np.array([[3.0, 0.8], [1.0, 0.5], [2.0, 0.4]])).tolist()
    [[1.0, 0.5], [3.0, 0.8]]
    """
    finite = points[np.isfinite(points).all(1)]
    ordered = finite[np.lexsort((-finite[:, 1], finite[:, 0]))]
    best = np.maximum.accumulate(ordered[:, 1])
    return ordered[np.concatenate([[True], best[1:] > best[:-1]])]


@styled
def plot_silencing(silenced: xr.Dataset, title: str = "") -> Figure:
    """Accuracy without chosen nodes and with only them trained anew, compared with as many random nodes.

    Parameters
    ----------
    silenced : Dataset
        A file of kind ``silencing``, of one seed or joined over seeds.
    title : str

    Returns
    -------
    Figure
        Grey bars: mean and two standard deviations of random nodes. P1 (arXiv:2501.12900) section 5.

    Examples
    --------
    >>> from symbreak.planted import silencing_example
    >>> len(plot_silencing(silencing_example()).axes)
    2
    """
    figure = Figure(figsize=(8.4, 3.8))
    axes = figure.subplots(1, 2, sharey=True)
    base, _ = mean_and_error(silenced, "base_accuracy")
    counts, _ = mean_and_error(silenced, "n_silenced")
    nodes = int(np.max(silenced.n_nodes))
    words = [
        CRITERION_NAMES[str(name)].replace(", ", ",\n") + f"\n({float(count):g} of {nodes})"
        for name, count in zip(silenced.criterion.values, counts.values)
    ]
    places = np.arange(len(words))
    for axis, name, heading in zip(
        axes, ("silenced", "retrained"), ("silenced", "silenced, then trained anew")
    ):
        some = counts.values > 0  # where no node is like this there is nothing to compare
        mean, error = (part.where(some) for part in mean_and_error(silenced, f"{name}_accuracy"))
        null, deviation = (
            _over_seeds(silenced[f"{name}_accuracy_null{end}"]).where(some) for end in ("", "_deviation")
        )
        axis.axhline(float(base), color="black", lw=1.2, label="all nodes")
        axis.errorbar(
            places + 0.12, null, 2 * deviation, fmt="_", ms=14, color=GREY, lw=5, alpha=0.5, capsize=0,
            label="as many random nodes, ± 2 deviations",
        )  # fmt: skip
        axis.errorbar(places - 0.12, mean, error.fillna(0), fmt="o", color=PALETTE[0], label="chosen nodes")
        axis.set_xticks(places, words)
        axis.set_xlim(-0.6, len(words) - 0.4)
        axis.set_title(heading)
    axes[0].set_ylabel("accuracy (fraction of images)")
    shared_legend(figure, axes[:1])
    return finish(figure, (), title or origin(silenced))


def _over_seeds(variable: xr.DataArray) -> xr.DataArray:
    return variable.mean("seed") if "seed" in variable.dims else variable
