"""Pages of HTML and Markdown from one set of templates: text, tables, and numbers with their errors."""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from symbreak.store.schema import KINDS, meaning_of

#: Column that no file holds -> heading, where that is not its name in words.
HEADINGS = {
    "skip": "Skip connection",
    "p_holm": "P (Holm)",
    "rule": "Cluster rule",
    "matrices": "Matrices averaged",
    "n_matrices": "N_M",
    "silenced": "Silenced at",
    "cut": "Threshold",
    "criterion": "Silenced",
    "n_silenced": "Nodes",
    "n_nodes": "Of",
    "base": "All nodes",
    "without": "Without them",
    "retrained": "Trained anew",
    "retrained_by_chance": "Trained anew, by chance",
    "file_kilobytes": "File (kB)",
    "size_gain": "Gain",
    "macs": "MACs per image",
    "throughput": "images/s",
    "latency_per_image": "Time per image (ms)",
}
#: Averages over matrices, which the papers' tables call by their symbols; they have subscripts in HTML.
AVERAGES = KINDS["averages"].variables
#: Ends of columns that share the column of their quantity, and columns that go below the table.
ERRORS = ("_error", "_deviation", "_spread")
SHARED = (*ERRORS, "_lower", "_upper", "_printed", "_agrees", "_suspect")
BELOW = ("threshold", "seeds", "error")
#: Cells of more letters may be wrapped.
LONG = 40


class Cell(NamedTuple):
    """A value in words, with its error and with what is printed in a paper."""

    text: str
    error: str = ""
    printed: str = ""


class Column(NamedTuple):
    """Heading and cells of a column, and what the registry of variables says of it."""

    heading: str
    cells: list[Cell]
    numeric: bool = True
    meaning: str = ""

    @property
    def has_print(self) -> bool:
        """Whether a paper prints any of its values."""
        return any(cell.printed for cell in self.cells)

    @property
    def style(self) -> Markup:
        """Attribute of its cells in HTML."""
        kind = "long" if any(len(cell.text) > LONG for cell in self.cells) else "name"
        return Markup("" if self.numeric else f' class="{kind}"')


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


def columns_of(table: pd.DataFrame) -> list[Column]:
    """Columns to be read: errors, intervals and printed values move to their quantity.

    Parameters
    ----------
    table : DataFrame
        A quantity `x` may be followed by `x_error` (or `x_deviation`, `x_spread`), `x_lower` and `x_upper`,
        `x_printed`; where `x_agrees` is true the printed value is marked by ✓, where `x_suspect` is by a
        question mark. Columns `threshold`, `seeds` and `error` are left out.

    Examples
    --------
    >>> table = pd.DataFrame({"snr": [3.284], "snr_error": [0.02], "snr_printed": [3.28]})
    >>> columns_of(table)[0].cells
    [Cell(text='3.28', error='0.02', printed='3.28')]
    """
    found, records = [], table.to_dict("records")
    names = [str(name) for name in table.columns]
    for name in names:
        if (name.endswith(SHARED) and name[: name.rindex("_")] in names) or name in BELOW:
            continue
        numeric = table[name].dtype.kind in "fiu"
        heading = _heading(name, names)
        # a printed table has one number of digits in each column; one of several taps is put together
        places = (
            None if f"{name}_printed" not in names or "tap" in names else _places(table[f"{name}_printed"])
        )
        cells = [_cell(row, name, places) for row in records]
        found.append(Column(heading, cells, numeric, meaning_of(name.removesuffix("_change"))))
        if f"{name}_lower" in names:
            ends = [(row[f"{name}_lower"], row[f"{name}_upper"]) for row in records]
            shown = [with_error(end, high - low)[0] for low, high in ends for end in (low, high)]
            pairs = zip(shown[::2], shown[1::2])
            texts = [Cell("–" if low == "–" else f"{low} … {high}") for low, high in pairs]
            found.append(Column(f"{heading} interval", texts))
    return found


def _heading(name: str, names: list[str]) -> str:
    """Words of a column; a latency is nominal, in layers, unless it was measured."""
    quantity = name.removesuffix("_change")
    words = re.sub(r"latency (\d+)", r"\1 images", re.sub(r"gain \d+", "gain", quantity.replace("_", " ")))
    if "latency" in quantity:
        timed = "latency_spread" in names or "measured" in name or words != quantity.replace("_", " ")
        words += " (ms)" if timed and "nominal" not in name else " (layers)"
    symbol = AVERAGES[quantity].symbol if quantity in AVERAGES else ""
    heading = HEADINGS.get(quantity, words[:1].upper() + words[1:]) if symbol in ("", quantity) else symbol
    return heading if quantity == name else f"Change of {heading}"


def _cell(row: dict[Any, Any], name: str, places: int | None) -> Cell:
    value = row[name]
    if not isinstance(value, float):
        return Cell(str(value))
    if name.endswith("_change"):
        return Cell(f"{100 * value:+.1f} %" if np.isfinite(value) else "–")
    if name.split("_")[-1] in ("p", "q", "holm"):
        return Cell(f"{value:.2g}" if np.isfinite(value) else "–")
    error = next((row[name + end] for end in ERRORS if name + end in row), np.nan)
    printed = row.get(f"{name}_printed", np.nan)
    if not np.isfinite(printed):
        return Cell(*with_error(value, error))
    shown = f"{printed:g}" if places is None else f"{printed:.{places}f}"
    marks = (" ✓" if row.get(f"{name}_agrees") is True else "") + ("?" if row.get(f"{name}_suspect") else "")
    return Cell(*with_error(value, error), shown + marks)


def _places(printed: pd.Series) -> int:
    return max((len(repr(float(value)).partition(".")[2]) for value in printed.dropna()), default=0)


class Page:
    """A page that is written as HTML or as Markdown.

    Parameters
    ----------
    title : str
        First heading.

    Examples
    --------
    >>> page = Page("Labels")
    >>> page.table(pd.DataFrame({"label": ["<b>"], "count": [3]}))
    >>> "&lt;b&gt;" in page.html(), "| <b> | 3 |" in page.markdown()
    (True, True)
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.parts: list[dict[str, Any]] = []
        self.heading(title, 1)

    def heading(self, words: str, level: int = 2) -> None:
        """Begin a section."""
        self.parts.append({"words": words, "level": level})

    def text(self, words: str) -> None:
        """Add paragraphs and lists, with **bold** and `code`; an empty line ends each."""
        for paragraph in words.strip().split("\n\n"):
            if paragraph.startswith("- "):
                self.points([" ".join(point.split()) for point in f"\n{paragraph}".split("\n- ")[1:]])
            elif paragraph:
                self.parts.append({"words": " ".join(paragraph.split())})

    def points(self, points: list[str]) -> None:
        """Add a list."""
        self.parts.append({"points": points})

    def picture(self, png: bytes, words: str) -> None:
        """Add a picture, which the page holds itself, and what it shows in words."""
        data = f"data:image/png;base64,{base64.b64encode(png).decode()}"
        self.parts.append({"picture": data, "shows": words})

    def table(self, table: pd.DataFrame, marked: bool = False) -> None:
        """Add a table as :func:`columns_of` arranges it; `marked`: its cells have **bold** and `code`."""
        columns = columns_of(table)
        rows = list(zip(*(column.cells for column in columns)))
        self.parts.append({"columns": columns, "rows": rows, "marked": marked})

    def html(self) -> str:
        """The page as HTML; whatever it shows is escaped."""
        return _environment().get_template("page.html.j2").render(title=self.title, parts=self.parts)

    def markdown(self) -> str:
        """The page as Markdown; whatever it shows is literal, but line breaks and bars in cells."""
        return _environment().get_template("page.md.j2").render(parts=self.parts)


def to_html(table: pd.DataFrame, title: str, note: str = "") -> str:
    """Write a table with its errors and printed values as a page of HTML.

    Parameters
    ----------
    table : DataFrame
        As :func:`columns_of` takes it.
    title : str
    note : str
        Sentences below the table, after what the threshold, the errors and the marks are.

    Examples
    --------
    >>> page = to_html(pd.DataFrame({"snr": [3.284], "snr_error": [0.02], "snr_printed": [3.28]}), "Table 2")
    >>> "3.28<span class=\\"error\\"> ± 0.02</span>" in page, "SNR" in page
    (True, True)
    """
    page = Page(title)
    page.table(table)
    page.text(" ".join(sentence for sentence in (*_sentences(table), note) if sentence))
    return page.html()


def _sentences(table: pd.DataFrame) -> list[str]:
    """What threshold, errors and marks are."""
    found = []
    if "threshold" in table:
        cuts = ", ".join(f"{value:g}" for value in sorted({round(value, 4) for value in table["threshold"]}))
        found.append(f"Threshold {cuts} of the largest field of each matrix.")
    if "error" in table:
        found.append("± is the " + "; ".join(table["error"].unique()) + ".")
    ends = {str(name).rpartition("_")[2] for name in table.columns}
    if "printed" in ends:
        words = ["In brown: the value printed in the paper"]
        words += ["✓: ours is closer than one unit of its last digit"] if "agrees" in ends else []
        words += ["?: it contradicts other printed numbers and is no target"] if "suspect" in ends else []
        found.append("; ".join(words) + ".")
    return found


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("symbreak.results"),
        autoescape=lambda name: name is None or ".html" in name,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"marked": _marked, "cell": lambda words: _line(words).replace("|", r"\|")}
    environment.globals["zip"] = zip
    return environment


def _line(words: object) -> str:
    return " ".join(str(words).splitlines())


def _marked(words: str) -> Markup:
    """HTML of words with **bold**, `code`, and symbols with their subscripts."""
    text = re.sub(
        r"\b(N|C|SNR|noise)_(I|E|MIN|c|s|l|M|label|noise|inter)\b", r"\1<sub>\2</sub>", str(escape(words))
    )
    for mark, tag in (("**", "strong"), ("`", "code")):
        pieces = text.split(mark)
        text = "".join(
            piece if place % 2 == 0 else f"<{tag}>{piece}</{tag}>" for place, piece in enumerate(pieces)
        )
    return Markup(text)
