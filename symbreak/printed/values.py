"""Reader of the printed tables, and their merger with ours; every number keeps the unit of its last digit."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
import yaml

from symbreak.errors import SymbreakError


@lru_cache(maxsize=1)
def _load() -> dict[str, Any]:
    text = files("symbreak.printed").joinpath("published_tables.yaml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    for paper in loaded.values():
        for table in paper["tables"].values():
            lines = [line.split() for line in table["rows"].splitlines()]
            table["digits"] = [dict(zip(table["columns"], line, strict=True)) for line in lines]
            table["rows"] = [{name: _number(word) for name, word in row.items()} for row in table["digits"]]
    return loaded


def _number(word: str) -> float | int:
    return float(word) if "." in word else int(word)


def published() -> dict[str, Any]:
    """All printed values, by paper.

    Returns
    -------
    dict
        ``{"P1" | "P2" | "official": {"tables": {name: {"columns", "rows", ...}}, "values", "suspect"}}``;
        the rows of a table are dictionaries of numbers by column. A fresh copy every time.

    Notes
    -----
    P1 is arXiv:2501.12900, P2 is arXiv:2506.23832, ``official`` the reference implementation of CCT.
    ``suspect`` names printed numbers that contradict other printed numbers.

    Examples
    --------
    >>> published()["P1"]["tables"]["table1"]["rows"][0]["noise"]
    417.2
    """
    return deepcopy(_load())


def _table(paper: str, table: str) -> dict[str, Any]:
    loaded = _load()
    if paper not in loaded or table not in loaded[paper]["tables"]:
        known = ", ".join(f"{name} {key}" for name in loaded for key in loaded[name]["tables"])
        raise SymbreakError(f"No printed table {paper} {table}: there are {known}.")
    return loaded[paper]["tables"][table]


def published_table(paper: str, table: str) -> list[dict[str, float]]:
    """Rows of one printed table as dictionaries of numbers by column.

    Parameters
    ----------
    paper : {"P1", "P2", "official"}
    table : str
        Name of the table, for example ``table1``.

    Raises
    ------
    SymbreakError
        If there is no such table.

    Examples
    --------
    >>> published_table("P2", "table1")[0]["snr"]
    277.2
    """
    return deepcopy(_table(paper, table)["rows"])


def units(paper: str, table: str) -> list[dict[str, float]]:
    """Unit of the last printed digit of every number of a table, in the shape of its rows.

    Parameters
    ----------
    paper : {"P1", "P2", "official"}
    table : str

    Raises
    ------
    SymbreakError
        If there is no such table.

    Examples
    --------
    >>> units("P1", "table2")[0]["snr"]
    0.01
    """
    digits = _table(paper, table)["digits"]
    return [{name: 10.0 ** -len(word.partition(".")[2]) for name, word in row.items()} for row in digits]


def agrees(value: float, printed: float, unit: float) -> bool:
    """Whether a value agrees with a printed one: closer than one unit of its last digit.

    Both rounding and cutting off occur in the printed tables; the rule admits either.

    Parameters
    ----------
    value, printed, unit : float
        The unit of the last digit as :func:`units` gives it.

    Examples
    --------
    >>> agrees(10.68, printed=10.6, unit=0.1), agrees(10.71, printed=10.6, unit=0.1)
    (True, False)
    """
    return abs(value - printed) < unit


class PrintedRow(Protocol):
    """What is printed in one row, by our names of columns."""

    @property
    def values(self) -> Mapping[str, float]:
        """Printed values."""

    @property
    def units(self) -> Mapping[str, float]:
        """Units of their last digits; without them agreement is not tested."""

    @property
    def suspect(self) -> Mapping[str, float]:
        """Those that contradict other printed numbers, with what these give."""


class Printed(NamedTuple):
    """Printed values of one row of a table of ours."""

    values: Mapping[str, float]
    units: Mapping[str, float] = MappingProxyType({})
    suspect: Mapping[str, float] = MappingProxyType({})


def with_printed(table: pd.DataFrame, rows: Sequence[PrintedRow | None]) -> pd.DataFrame:
    """Insert printed values next to ours, whether they agree, and which are suspect.

    Parameters
    ----------
    table : DataFrame
        Quantities, each followed by ``<name>_error`` if it has an error.
    rows : sequence of PrintedRow
        One entry a row, None where nothing is printed.

    Returns
    -------
    DataFrame
        With ``<name>_printed`` after each quantity and its error. Where units are known ``<name>_agrees``
        (closer than one unit of the last printed digit), and where a printed number contradicts others
        ``<name>_suspect``.

    Examples
    --------
    >>> table = pd.DataFrame({"accuracy": [0.6921], "accuracy_error": [0.001]})
    >>> with_printed(table, [Printed({"accuracy": 0.692}, {"accuracy": 0.001})]).columns.tolist()
    ['accuracy', 'accuracy_error', 'accuracy_printed', 'accuracy_agrees']
    """
    table = table.copy()
    known = [row or Printed({}) for row in rows]
    for name in [name for name in table.columns if any(name in row.values for row in known)]:
        columns: dict[str, list[Any]] = {"printed": [row.values.get(name, np.nan) for row in known]}
        if any(name in row.units for row in known):
            columns["agrees"] = [
                bool(name in row.values and agrees(ours, row.values[name], row.units[name]))
                for ours, row in zip(table[name], known)
            ]
        if any(name in row.suspect for row in known):
            columns["suspect"] = [name in row.suspect for row in known]
        place = list(table.columns).index(f"{name}_error" if f"{name}_error" in table else name) + 1
        for offset, (word, values) in enumerate(columns.items()):
            table.insert(place + offset, f"{name}_{word}", values)
    return table
