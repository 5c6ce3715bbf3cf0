"""Check our CSV files: histories of trainings, and tables."""

from __future__ import annotations

import csv
from pathlib import Path

from symbreak.errors import Damaged, Foreign, SymbreakError, of_system


def check_csv(path: str | Path) -> str:
    """Check that a CSV file is whole, and say what it holds.

    Every row must have as many cells as there are columns and end with a line break; a history of a training
    counts its epochs from 1, or is that of an untrained network, and holds numbers.

    Raises
    ------
    SymbreakError
        Naming the file and the first wrong row.

    Examples
    --------
    >>> check_csv("docs/data/cifar100_cpu/cct/seed1/history.csv").split(",")[0]
    'history'
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            text = handle.read()
        rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
    except OSError as error:
        raise of_system("read", path, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise Damaged(f"Cannot read {path}: it is not a table; check the path or write it anew.") from error
    if not rows or not rows[0]:
        raise Damaged(f"{path} is empty; write it anew.")
    columns = rows[0]
    for number, row in enumerate(rows, 1):
        if len(row) != len(columns) or (number == len(rows) and not text.endswith("\n")):
            raise Damaged(f"{path} is cut off or damaged at row {number}; write it anew.")
    if columns[0] == "epoch" and any(name.startswith("train_loss") for name in columns):
        _require_numbers(path, rows)
        return f"history, {len(rows) - 1} epochs"
    return f"table, {len(rows) - 1} rows"


def require_history(path: str | Path) -> None:
    """Refuse what is no whole history of a training.

    Raises
    ------
    SymbreakError
        Naming the file.
    """
    try:
        found = check_csv(path)
    except SymbreakError as error:
        raise type(error)(f"{str(error).rstrip('.')}, or give a history.csv of a training.") from error
    if not found.startswith("history"):
        raise Foreign(f"{path} is no history of a training; give a history.csv.")


def _require_numbers(path: Path, rows: list[list[str]]) -> None:
    """Epochs one after the other, and numbers or empty cells."""
    for number, row in enumerate(rows[1:], 1):
        try:
            epoch, _ = int(row[0]), [float(cell) for cell in row if cell]
        except ValueError:
            raise Damaged(
                f"{path} has something else than numbers in row {number + 1}; write it anew."
            ) from None
        if epoch != number and (epoch, len(rows)) != (0, 2):
            raise Damaged(f"{path} lacks epoch {number}; write it anew.")
