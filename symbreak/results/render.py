"""Small self-contained HTML of a table, to be looked at in a report."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pandas as pd

#: Column -> heading with the papers' symbols.
HEADINGS = {
    "block": "Block",
    "tap": "Tap",
    "skip": "Skip connection",
    "network": "Network",
    "n_matrices": "<i>N</i><sub>M</sub>",
    "accuracy": "Accuracy",
    "n_clusters": "<i>N</i><sub>c</sub>",
    "cluster_size": "<i>C</i><sub>s</sub>",
    "diagonal": "diag",
    "noise": "<i>n</i>",
    "signal": "signal",
    "noise_internal": "noise<sub>I</sub>",
    "noise_external": "noise<sub>E</sub>",
    "snr": "SNR",
    "snr_minimum": "SNR<sub>MIN</sub>",
    "best_threshold": "best threshold",
    "rule": "Cluster rule",
    "bias": "Bias",
    "centred": "Centred",
    "matrices": "Matrices averaged",
    "origin": "Origin",
    "snr_change": "change of SNR",
    "silenced": "Silenced at",
    "n_clusters_change": "change of <i>N</i><sub>c</sub>",
    "cluster_size_change": "change of <i>C</i><sub>s</sub>",
    "diagonal_change": "change of diag",
    "noise_change": "change of <i>n</i>",
    "cut": "threshold",
    "setting": "Setting",
    "layer": "Layer",
    "nodes": "Nodes",
    "method": "Method",
    "form": "Form",
    "criterion": "Silenced",
    "n_silenced": "nodes",
    "n_nodes": "of",
    "base": "all nodes",
    "without": "without them",
    "by_chance": "by chance",
    "retrained": "trained anew",
    "retrained_by_chance": "trained anew, by chance",
    "file_kilobytes": "file (kB)",
    "size_gain": "gain",
    "latency_1": "1 image (ms)",
    "gain_1": "gain",
    "latency_100": "100 images (ms)",
    "gain_100": "gain",
}

#: Style sheet of all pages.
STYLE = """
body { font: 15px/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1f2933; margin: 1.5rem; }
h1 { font-size: 1.15rem; margin: 0 0 .8rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { border-bottom: 2px solid #334e68; padding: .35rem .8rem; text-align: right; font-weight: 600; }
td { border-bottom: 1px solid #e4e7eb; padding: .3rem .8rem; text-align: right; white-space: nowrap; }
th.name, td.name { text-align: left; }
tbody tr:hover { background: #f0f4f8; }
.error { color: #7b8794; } .printed { color: #9c4221; }
p { max-width: 46rem; color: #52606d; font-size: .88rem; }
"""


#: Columns that share that of their quantity.
BESIDE = ("_error", "_printed", "_agrees", "_suspect")


def to_html(table: pd.DataFrame, title: str, note: str = "") -> str:
    """Write a table with its errors and printed values as a page of HTML.

    Parameters
    ----------
    table : DataFrame
        A quantity `x` may be followed by `x_error` and `x_printed`: they share its column, as ``x ± error``
        and a printed value in another colour; where `x_agrees` is true it is marked by ✓, where `x_suspect`
        is by a question mark. Columns `threshold`, `seeds` and `error` go below the table.
    title : str
    note : str
        Sentences below the table.

    Returns
    -------
    str

    Examples
    --------
    >>> page = to_html(pd.DataFrame({"snr": [3.284], "snr_error": [0.02], "snr_printed": [3.28]}), "Table 2")
    >>> "3.28<span class=\\"error\\"> ± 0.02</span>" in page, "SNR" in page
    (True, True)
    """
    below = ("threshold", "seeds", "error")
    names = [name for name in table.columns if not str(name).endswith(BESIDE) and name not in below]
    printed = any(str(name).endswith("_printed") for name in table.columns)
    places = {} if "tap" in table else _decimals(table)
    head = "".join(_cell("th", HEADINGS.get(name, escape(str(name))), table[name]) for name in names)
    body = "".join(
        "<tr>" + "".join(_cell("td", _value(row, name, places), table[name]) for name in names) + "</tr>\n"
        for row in table.to_dict("records")
    )
    sentences = [_origin(table), note]
    if printed:
        sentences.insert(1, _printed_in_words(table))
    text = " ".join(sentence for sentence in sentences if sentence)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style></head>\n<body><h1>{escape(title)}</h1>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>\n<p>{text}</p></body></html>\n"
    )


def with_error(value: float, error: float) -> tuple[str, str]:
    """Digits of a value, and of its error with two significant digits where it is small.

    Examples
    --------
    >>> with_error(417.23, 3.217), with_error(0.9724, 0.0011), with_error(3.14159, float("nan"))
    (('417.2', '3.2'), ('0.9724', '0.0011'), ('3.142', ''))
    """
    if not np.isfinite(value):
        return ("∞" if value == np.inf else "–"), ""
    if not np.isfinite(error) or error <= 0:
        return (f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"), ("0" if error == 0 else "")
    places = int(np.clip(1 - np.floor(np.log10(error)), 0, 6))
    if round(error, places) == round(error, max(places - 1, 0)):  # 0.020 says no more than 0.02
        places = max(places - 1, 0)
    return f"{value:.{places}f}", f"{error:.{places}f}"


def _decimals(table: pd.DataFrame) -> dict[str, int]:
    """Digits after the point of every printed column: a printed table has one number of them in each."""
    columns = [name for name in table.columns if str(name).endswith("_printed")]
    return {
        name: max((len(repr(float(value)).partition(".")[2]) for value in table[name].dropna()), default=0)
        for name in columns
    }


def _value(row: dict[str, Any], name: str, places: dict[str, int]) -> str:
    value = row[name]
    if not isinstance(value, float):
        return escape(str(value))
    if name.endswith("_change"):
        return f"{100 * value:+.1f} %" if np.isfinite(value) else "–"
    digits, error = with_error(value, row.get(f"{name}_error", np.nan))
    text = digits + (f'<span class="error"> ± {error}</span>' if error else "")
    printed = row.get(f"{name}_printed", np.nan)
    if not np.isfinite(printed):
        return text
    shown = f"{printed:.{places[f'{name}_printed']}f}" if f"{name}_printed" in places else f"{printed:g}"
    marks = (" ✓" if row.get(f"{name}_agrees") is True else "") + ("?" if row.get(f"{name}_suspect") else "")
    return f'{text} <span class="printed">{shown}{marks}</span>'


def _cell(tag: str, content: str, column: pd.Series) -> str:
    kind = ' class="name"' if column.dtype.kind not in "fiu" else ""
    return f"<{tag}{kind}>{content}</{tag}>"


def _printed_in_words(table: pd.DataFrame) -> str:
    words = 'In <span class="printed">brown</span>: the value printed in the paper'
    if any(str(name).endswith("_agrees") for name in table.columns):
        words += "; ✓: ours is closer than one unit of its last digit"
    if any(str(name).endswith("_suspect") for name in table.columns):
        words += "; ?: it contradicts other printed numbers and is no target"
    return words + "."


def _origin(table: pd.DataFrame) -> str:
    parts = []
    if "threshold" in table:
        cuts = ", ".join(f"{value:g}" for value in sorted({round(value, 4) for value in table["threshold"]}))
        parts.append(f"Threshold {cuts} of the largest field of each matrix.")
    if "error" in table:
        parts.append("± is the " + "; ".join(escape(words) for words in table["error"].unique()) + ".")
    return " ".join(parts)
