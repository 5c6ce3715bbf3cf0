"""Accuracy and matrices of heads against their number: P2 (arXiv:2506.23832) Tables 2 and 3 in a figure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from symbreak.errors import SymbreakError
from symbreak.results.figures.style import GREY, MARKERS, PALETTE, PRINTED, Figure, finish, styled
from symbreak.results.figures.text import literal

#: Panels: words of the axis, logarithmic axis, columns of the table with their names in the legend.
PANELS: tuple[tuple[str, bool, dict[str, str]], ...] = (
    ("accuracy (fraction of images)", False, {"network_accuracy": "network", "accuracy": "heads' probe"}),
    ("labels on the diagonal (1)", False, {"diagonal": "Diag", "n_clusters": "$N_c$"}),
    ("labels per cluster, $C_s$ (1)", False, {"cluster_size": ""}),
    ("noise elements, $n$ (1)", False, {"noise": ""}),
    (
        "per label, all heads (1)",
        True,
        {"signal": "$N_{label}$", "noise_external": "$N_{noise}$", "noise_internal": "$N_{inter}$"},
    ),
    ("SNR (1)", True, {"snr": ""}),
)
#: The tap whose heads are no heads, for comparison.
ROTATED = "attention_rotated"


@styled
def plot_head_networks(table: pd.DataFrame, families: Mapping[str, str], title: str = "") -> Figure:
    """Accuracy and statistics of the matrices of heads against the number of heads in the last block.

    Parameters
    ----------
    table : DataFrame
        As :func:`symbreak.results.tables.head_networks.head_network_table` gives it.
    families : mapping of network to words
        Networks that differ in their heads only have the same words and one line.
    title : str

    Returns
    -------
    Figure
        a: accuracy of network and of the classifier head at the tap; b: Diag and N_c; c: C_s; d: n; e:
        N_label, N_noise and N_inter; f: SNR. Grey: the same nodes rotated, which are no heads. Brown: values
        printed in the paper, if the table has them. Error bars as in the table.

    Raises
    ------
    SymbreakError
        If the table is empty.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> from symbreak.results.tables.heads import head_network_table
    >>> table = head_network_table({("small", "attention"): head_tables_example()})
    >>> len(plot_head_networks(table, {"small": "example"}).axes)
    6
    """
    if table.empty:
        raise SymbreakError("There are no heads to draw; give one or more files of heads.")
    figure = Figure(figsize=(11.2, 6.6))
    axes = figure.subplots(2, 3, sharex=True).ravel()
    shown = table.assign(family=table.network.map(families))
    colours = dict(zip(dict.fromkeys(shown.family), PALETTE * 4))
    for axis, (words, logarithmic, columns) in zip(axes, PANELS):
        for number, (column, name) in enumerate(columns.items()):
            _draw(axis, shown, column, name, colours, number, logarithmic)
        axis.set_ylabel(words)
        values = shown[list(columns)].to_numpy(float)
        values = values[np.isfinite(values) & (values > 0)]
        if logarithmic and len(values) and values.max() > 10 * values.min():
            axis.set_yscale("log")
        else:
            axis.set_ylim(bottom=0)
        if len(columns) > 1:
            axis.legend(fontsize=8.5)
    axes[0].set_ylim(0, 1)
    for axis in axes:
        _head_axis(axis, sorted(set(table.heads)), axis in axes[3:])
    _name_families(figure, axes[2], colours, shown)
    known = f"Threshold {table.threshold.iloc[0]:g}; error bars: {table.error.iloc[0]}"
    return finish(figure, axes, title or known)


def _draw(
    axis: Axes,
    table: pd.DataFrame,
    column: str,
    name: str,
    colours: Mapping[str, str],
    number: int,
    logarithmic: bool,
) -> None:
    marker, line = MARKERS[number], ("-", "--", ":")[number]
    for (tap, family), part in table.groupby(["tap", "family"], sort=False):
        rotated = tap == ROTATED
        if rotated and column == "network_accuracy":
            continue
        values = part[column].where(np.isfinite(part[column]) & ((part[column] > 0) | (not logarithmic)))
        axis.errorbar(
            part.heads,
            values,
            part[f"{column}_error"].fillna(0),
            marker=marker,
            ls=line if len(part) > 1 else "none",
            color=GREY if rotated else colours[family],
            alpha=0.55 if rotated else 1.0,
            lw=1.1 if rotated else 1.6,
        )
        if f"{column}_printed" in part:
            axis.plot(
                part.heads, part[f"{column}_printed"], marker=marker, ls="none", mfc="none", color=PRINTED
            )
    if name:
        axis.plot([], [], marker=marker, ls=line, color="black", label=name)


def _head_axis(axis: Axes, heads: list[int], named: bool) -> None:
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_locator(FixedLocator(heads))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    if named:
        axis.set_xlabel("heads in the last block, $H$")


def _name_families(figure: Figure, axis: Axes, colours: Mapping[str, str], table: pd.DataFrame) -> None:
    """Legend of families, rotated nodes and printed values below the panels."""
    for family, colour in colours.items():
        axis.plot([], [], "-", color=colour, label=literal(family))
    if (table.tap == ROTATED).any():
        axis.plot([], [], "-", color=GREY, alpha=0.55, label="nodes rotated: no heads")
    if any(str(name).endswith("_printed") for name in table.columns):
        axis.plot([], [], "o", mfc="none", color=PRINTED, label="printed")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=4)
