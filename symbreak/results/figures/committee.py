"""Soft committees: who agrees with whom, what a committee gains with its size and by its diversity."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from symbreak.results.figures.style import GREY, PALETTE, Figure, finish, styled
from symbreak.results.figures.text import literal

#: Where legends stand: below their panel, as lines fill it.
BELOW: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "fontsize": 8.5}


@styled
def plot_committees(committee: xr.Dataset, title: str = "") -> Figure:
    """Agreement of members, accuracy against size, seeds of one network and different networks.

    Parameters
    ----------
    committee : Dataset
        File of committees.
    title : str

    Returns
    -------
    Figure
        a: share of images that two members both recognise or both miss, minus its value for independent
        errors. b: accuracy against size: all committees (their mean, and each as a dot where all were
        evaluated), the best on the images it was chosen on, and the best chosen on one half of the images and
        evaluated on the other. c: gain of seeds of one network and of different networks over their mean
        member and over their best; bars: interval over images.

    Examples
    --------
    >>> from symbreak.planted import committee_example
    >>> [axis.get_ylabel() for axis in plot_committees(committee_example()).axes[1:3]]
    ['accuracy (fraction of images)', 'accuracy − member']
    """
    figure = Figure(figsize=(12.4, 4.6))
    axes = figure.subplots(1, 3, width_ratios=(1.5, 1, 1))
    image = _agreement(axes[0], committee)
    figure.colorbar(image, ax=axes[0], label="agreement − independent (1)", shrink=0.85)
    _sizes(axes[1], committee)
    _diversity(axes[2], committee)
    words = f"{committee.attrs['source']} ({committee.attrs['n_images']})"
    search = "" if committee.attrs["search"] == "all" else "; committees grown greedily"
    return finish(figure, axes, title or f"Soft committees: {words}{search}")


def member_names(committee: xr.Dataset) -> list[str]:
    """Network and seed of every member; the seed alone where there is one network.

    Examples
    --------
    >>> from symbreak.planted import committee_example
    >>> member_names(committee_example())
    ['a 1', 'a 2', 'b 1', 'b 2']
    """
    return [
        f"{literal(name)} {seed}"
        for name, seed in zip(committee.network.values, committee.member_seed.values)
    ]


def _agreement(axis: Axes, committee: xr.Dataset):
    excess = (committee.agreement - committee.agreement_independent).values
    np.fill_diagonal(excess, np.nan)
    n = len(excess)
    top = max(float(np.nanmax(np.abs(excess))), 1e-3)
    image = axis.imshow(excess, cmap="RdBu_r", vmin=-top, vmax=top)
    names = member_names(committee)
    size = (8 if n <= 12 else 5.5) * min(1, 14 / max(map(len, names)))  # long names stay in the figure
    axis.set_xticks(range(n), names, rotation=90, fontsize=size)
    axis.set_yticks(range(n), names, fontsize=size)
    if n <= 8:
        for row, column in zip(*np.nonzero(np.isfinite(excess))):
            value = float(committee.agreement.values[row, column])
            dark = abs(excess[row, column]) > 0.6 * top
            axis.text(
                column,
                row,
                f"{value:.3f}"[1:] if value < 1 else "1",
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if dark else "black",
            )
    return image


def _sizes(axis: Axes, committee: xr.Dataset) -> None:
    sizes = committee.committee_size.values
    if committee.attrs["search"] == "all":
        shift = np.random.default_rng(0).uniform(-0.12, 0.12, committee.sizes["committee"])
        axis.plot(
            committee.n_members + shift, committee.committee_accuracy, ".", ms=2.5, color="#B8C4D0", zorder=1
        )
    for name, style, colour, words in (
        ("best_accuracy", "--^", PALETTE[1], "best, on the images of the choice"),
        ("split_half_accuracy", "-o", PALETTE[0], "best, chosen on other images"),
        ("mean_accuracy", "-s", PALETTE[2], "mean of all"),
    ):
        if name in committee:
            axis.plot(sizes, committee[name].values, style, color=colour, label=words)
    axis.set_xlabel("members of the committee")
    axis.set_ylabel("accuracy (fraction of images)")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(**BELOW)


def _diversity(axis: Axes, committee: xr.Dataset) -> None:
    axis.axhline(0, color=GREY, lw=0.8)
    axis.set_xlabel("members of the committee")
    axis.set_ylabel("accuracy − member")
    if "same_gain" not in committee:
        axis.set_axis_off()
        words = "one network, or one seed of each:\nnothing to compare"
        axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", color=GREY)
        return
    shown = committee.dropna("committee_size", subset=["same_gain"])
    for name, colour, style, shift, words in (
        ("same_gain", PALETTE[1], "-s", -0.06, "seeds of one network − mean member"),
        ("same_gain_best", PALETTE[1], "--s", -0.02, "seeds of one network − best member"),
        ("diverse_gain", PALETTE[0], "-o", 0.02, "different networks − mean member"),
        ("diverse_gain_best", PALETTE[0], "--o", 0.06, "different networks − best member"),
    ):
        mean, low, high = (shown[name + end].values for end in ("", "_lower", "_upper"))
        axis.errorbar(
            shown.committee_size + shift,
            mean,
            np.clip([mean - low, high - mean], 0, None),
            fmt=style,
            color=colour,
            mfc="white" if "best" in name else colour,
            label=words,
        )
    axis.set_xticks(shown.committee_size.values)
    axis.set_xlim(1.5, float(shown.committee_size.max()) + 0.5)
    words = f"bars: {100 * committee.attrs['confidence']:g} % over images"
    axis.legend(title=words, alignment="left", **BELOW)
