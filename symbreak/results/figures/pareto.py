"""Accuracy against latency of single networks and of committees: the point of P2 (arXiv:2506.23832)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

from symbreak.printed.values import published, published_table
from symbreak.results.figures.style import GREY, MARKERS, PALETTE, PRINTED, letter_panels, styled, subtitle
from symbreak.results.figures.text import literal

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
        P2: its networks and committees beside ours.
    title : str

    Returns
    -------
    Figure
        Left: a committee is as slow as its slowest member; right: its members follow one another. Single
        networks are means over seeds with standard errors, named committees likewise, or with the interval
        over images where there is one; dots: every judged committee; line: what no other beats (dashed, as
        the best of many are chosen on the images they are judged on).

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
            _panel(axis, committee, kind, way, scale)
            axis.set_xlabel(f"{'' if kind == 'nominal' else 'measured '}latency, {words} ({units})")
            if kind == "nominal" and paper == "P2":
                _printed(axis, way)
            _logarithmic(axis)
        row[0].set_ylabel("accuracy (fraction of images)")
    handles, words = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside lower center", ncols=min(5, max(2, len(words))))
    letter_panels(list(axes.ravel()))
    subtitle(figure, title or f"Accuracy against latency: {committee.attrs['source']}")
    return figure


def _panel(axis: Axes, committee: xr.Dataset, kind: str, way: str, scale: float) -> None:
    latency = scale * committee[f"{kind}_latency_{way}"].values
    accuracy = committee.committee_accuracy.values
    axis.plot(latency, accuracy, ".", ms=3, color="#B8C4D0", label="every judged committee", zorder=1)
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
