"""Reader of the printed tables; every number keeps the unit of its last printed digit."""

from copy import deepcopy
from functools import lru_cache
from importlib.resources import files
from typing import Any

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
