"""Latency: nominal against measured, and accuracy against latency (the point of P2, arXiv:2506.23832)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

from symbreak.printed.values import published, published_table
from symbreak.results.figures.style import GREY, MARKERS, PALETTE, PRINTED, Figure, finish, styled
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
    threads = ", ".join(str(count) for count in sorted(table.threads.unique()))
    return finish(figure, axes, title or f"Nominal and measured latency, processor threads: {threads}")


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
    """Write the names of networks next to their slowest point, none over another."""
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


#: Ways to run a committee, in words.
WAYS = {"parallel": "members in parallel", "serial": "members in series"}
KINDS = {"seeds": PALETTE[1], "networks": PALETTE[0], "all": PALETTE[2]}


def front(latency: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Places of points that no other one beats in both latency and accuracy, by latency.

    Examples
    --------
    >>> front(np.array([6.0, 11.0, 30.0, 11.0]), np.array([0.7, 0.8, 0.79, 0.75])).tolist()
    [0, 1]
    """
    order = np.lexsort((-accuracy, latency))
    best, kept = -np.inf, []
    for place in order:
        if accuracy[place] > best:
            kept.append(int(place))
            best = accuracy[place]
    return np.array(kept, dtype=int)


@styled
def plot_pareto(committee: xr.Dataset, paper: str | None = None, title: str = "") -> Figure:
    """Accuracy against latency, nominal and, where it was measured, in milliseconds.

    Parameters
    ----------
    committee : Dataset
        File of committees.
    paper : str, optional
        P2: its networks and committees with ours.
    title : str

    Returns
    -------
    Figure
        Left: a committee is as slow as its slowest member; right: its members follow one another. Single
        networks are means over seeds with standard errors, named committees likewise, or with the interval
        over images where there is one; dots: every evaluated committee; line: what no other beats (dashed, as
        the best of many are chosen on the images they are evaluated on).

    Examples
    --------
    >>> from symbreak.planted import committee_example
    >>> [axis.get_xlabel() for axis in plot_pareto(committee_example()).axes]
    ['latency, members in parallel (layers)', 'latency, members in series (layers)']
    """
    measured = bool(np.isfinite(committee.measured_latency).all())
    figure = Figure(figsize=(10.4, 8.4 if measured else 4.6))
    axes = figure.subplots(2 if measured else 1, 2, sharey=True, squeeze=False)
    for row, (kind, scale, units) in zip(axes, (("nominal", 1.0, "layers"), ("measured", 1e3, "ms"))):
        for axis, (way, words) in zip(row, WAYS.items()):
            _pareto_panel(axis, committee, kind, way, scale)
            axis.set_xlabel(f"{'' if kind == 'nominal' else 'measured '}latency, {words} ({units})")
            if kind == "nominal" and paper == "P2":
                _printed(axis, way)
            _logarithmic(axis)
        row[0].set_ylabel("accuracy (fraction of images)")
    handles, words = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside lower center", ncols=min(5, max(2, len(words))))
    return finish(figure, axes, title or f"Accuracy against latency: {committee.attrs['source']}")


def _pareto_panel(axis: Axes, committee: xr.Dataset, kind: str, way: str, scale: float) -> None:
    latency = scale * committee[f"{kind}_latency_{way}"].values
    accuracy = committee.committee_accuracy.values
    axis.plot(latency, accuracy, ".", ms=3, color="#B8C4D0", label="every evaluated committee", zorder=1)
    best = front(latency, accuracy)
    axis.step(
        latency[best], accuracy[best], "--", where="post", color=GREY, lw=1, label="best at its latency"
    )
    members = pd.DataFrame(
        {
            "network": committee.network.values,
            "latency": scale * committee[f"{kind}_latency"].values,
            "accuracy": committee.member_accuracy.values,
        }
    )
    for number, (name, rows) in enumerate(members.groupby("network", sort=False)):
        error = rows.accuracy.std(ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.nan
        axis.errorbar(
            rows.latency.iloc[0],
            rows.accuracy.mean(),
            np.nan_to_num(error),
            fmt=MARKERS[number % len(MARKERS)],
            color="black",
            mfc="white",
            label=literal(name),
            zorder=4,
        )
    _named(axis, committee, kind, way, scale)


def _named(axis: Axes, committee: xr.Dataset, kind: str, way: str, scale: float) -> None:
    """Named committees by their kind."""
    words = {"seeds": "seeds of one", "networks": "one seed of each", "all": "all seeds of all"}
    for name, colour in KINDS.items():
        chosen = committee.isel(group=committee.group_kind.values == name)
        if not chosen.sizes["group"]:
            continue
        mean, error = chosen.group_accuracy.values, chosen.group_accuracy_stderr.values
        low = np.where(np.isfinite(error), mean - error, chosen.group_accuracy_lower.values)
        high = np.where(np.isfinite(error), mean + error, chosen.group_accuracy_upper.values)
        axis.errorbar(
            scale * chosen[f"group_{kind}_latency_{way}"].values,
            mean,
            np.clip([mean - low, high - mean], 0, None),
            fmt="D",
            color=colour,
            label=f"committee, {words[name]}",
            zorder=3,
        )


def _printed(axis: Axes, way: str) -> None:
    """Printed networks and committees of P2."""
    latency = {(row["blocks"], row["convs"]): row["latency"] for row in published_table("P2", "latency")}
    table6, table7 = published_table("P2", "table6"), published_table("P2", "table7")
    points = [
        (latency[r["blocks"], r["convs"]], r["accuracy_network"]) for r in published_table("P2", "table5")
    ]
    committees = {"table5": [latency[7, 1]] * 2 + [latency[2, 5]] * 2}
    points += [(latency[2, 2], row["accuracy_network"]) for row in table6]
    committees["table6"] = [latency[2, 2]] * len(table6)
    points += [(latency[1, row["convs"]], row["accuracy"]) for row in table7]
    committees["table7"] = [latency[1, row["convs"]] for row in table7]
    axis.plot(*zip(*points), "o", ms=4, mfc="none", color=PRINTED, label="network (P2)")
    combine = max if way == "parallel" else sum
    reached = published()["P2"]["values"]["committee"]
    axis.plot(
        [combine(committees[name]) for name in committees],
        [reached[name] for name in committees],
        "D",
        ms=5,
        mfc="none",
        color=PRINTED,
        label="committee (P2)",
    )


def _logarithmic(axis: Axes) -> None:
    """Logarithmic axis with plain numbers at ticks that do not crowd."""
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    ticks = [m * 10.0**e for e in range(-3, 6) for m in (1, 1.5, 2, 3, 5, 7) if low <= m * 10.0**e <= high]
    crowded = len(ticks) > 7
    shown = (
        [tick for tick in ticks if f"{tick:e}"[0] in "125" and f"{tick:e}"[2] == "0"] if crowded else ticks
    )
    axis.xaxis.set_major_locator(FixedLocator(shown if len(shown) > 1 else [low, high]))
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_formatter(NullFormatter())
