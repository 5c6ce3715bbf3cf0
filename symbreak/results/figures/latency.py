"""Nominal against measured latency: does the number of layers tell how long a network takes?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from symbreak.results.figures.style import GREY, MARKERS, PALETTE, letter_panels, styled, subtitle
from symbreak.results.figures.text import literal
from symbreak.results.tables.latency import latency_table, rank_correlations


@styled
def plot_latency(latencies: Mapping[str, xr.Dataset], title: str = "") -> Figure:
    """Measured latency per image against nominal latency, a point for each network.

    Parameters
    ----------
    latencies : mapping of network to Dataset
        Files of kind latency.
    title : str

    Returns
    -------
    Figure
        A row for each device, a panel for each batch. Bars: interquartile range of the passes. Dashed:
        proportional to the nominal latency of P2 (arXiv:2506.23832), through the median network; r is the
        rank correlation over the networks.

    Raises
    ------
    SymbreakError
        If there is no network.

    Examples
    --------
    >>> from symbreak.results.tables.latency import latency_example
    >>> len(plot_latency({"small": latency_example()}).axes)
    2
    """
    table = latency_table(latencies)
    devices, batches = list(table.device.unique()), sorted(table.batch.unique())
    figure = Figure(figsize=(4.6 * len(batches) + 0.4, 3.9 * len(devices) + 0.5))
    axes = figure.subplots(len(devices), len(batches), squeeze=False)
    for line, device in zip(axes, devices):
        for axis, batch in zip(line, batches):
            _panel(axis, table[(table.device == device) & (table.batch == batch)])
            axis.set_title(f"{device}, batch of {batch}", fontsize=10)
    for axis in axes[-1]:
        axis.set_xlabel("nominal latency: convolutions + 4 blocks + 1 (layers)")
    for line in axes:
        line[0].set_ylabel("measured latency per image (ms)")
    letter_panels(list(axes.ravel()))
    threads = ", ".join(str(count) for count in sorted(table.threads.unique()))
    subtitle(figure, title or f"Nominal and measured latency, processor threads: {threads}")
    return figure


def _panel(axis: Axes, table: pd.DataFrame) -> None:
    known = table.dropna(subset=["latency"])
    known = known.assign(spread=known.latency_spread / known.batch / 2)
    for number, (mode, part) in enumerate(known.groupby("mode", sort=False)):
        axis.errorbar(
            part.nominal_latency,
            part.latency_per_image,
            part.spread,
            fmt=MARKERS[number],
            color=PALETTE[number],
            ls="none",
            label=mode + _correlation(part),
        )
    axis.set_xlim(0, 1.2 * table.nominal_latency.max())
    if len(known):
        first = known[known["mode"] == known["mode"].max()]  # as they are, if that was measured
        factor = float((first.latency_per_image / first.nominal_latency).median())
        line = np.linspace(*axis.get_xlim(), 2)
        axis.plot(line, factor * line, "--", color=GREY, lw=1, label="proportional to nominal")
        axis.legend(loc="upper left", fontsize=8.5)
        highest = 1.3 * float((known.latency_per_image + known.spread).max())
        axis.set_ylim(0, highest)
        _name_points(axis, known, highest)


def _name_points(axis: Axes, known: pd.DataFrame, highest: float) -> None:
    """Write the names of networks beside their slowest point, none over another."""
    slowest = known.sort_values("latency_per_image").groupby("network", sort=False).last()
    width = axis.get_xlim()[1]
    placed: list[tuple[float, float]] = []
    for network, row in slowest.sort_values("latency_per_image").iterrows():
        height = float(row.latency_per_image)
        for other, taken in placed:
            if abs(other - row.nominal_latency) < 0.3 * width:
                height = max(height, taken + 0.045 * highest)
        placed.append((row.nominal_latency, height))
        axis.annotate(
            literal(network),
            (row.nominal_latency, height),
            (6, 2),
            textcoords="offset points",
            fontsize=8,
            color=GREY,
        )


def _correlation(part: pd.DataFrame) -> str:
    value = rank_correlations(part).with_nominal.iloc[0]
    return f", r = {value:.2f}" if np.isfinite(value) else ""
