"""Say what one folder of results holds and another lacks: proof that a change of the code loses nothing.

    python -m benchmarks.nothing_lost OLD NEW [--map renames.yaml] [--all] [--rounding 1e-12]

Run `nothing_lost.yaml` before and after the change, on one machine. Every
variable of the old NetCDF files and every cell of the old CSV files must be in the new ones with the same
value; with `--rounding` up to that relative difference, and how many variables and columns needed it is said.
The new files may hold more, and a dimension `seed` of size one. Attributes are not compared, nor are times.

What has a new name stands in the map, in sections of old: new, each of which may be missing. An old name is
taken literally or, where none is literally the same, as a regular expression for the whole name (`\\1` in the
new one is its first group). `null` as the new name: gone on purpose, counted and not compared.

    files:  # paths below OLD and NEW
      tables/(.*)/taps.csv: tables/\\1/accuracy.csv
    names:  # variables, coordinates and dimensions; kind/name: in files of that kind only
      other_member: compared_member
      heads/n_owned: n_labels
    columns:  # headers of CSV files
      Acc: accuracy
    words:  # text in NetCDF files and cells of CSV files
      andc: label_based
"""

from __future__ import annotations

import argparse
import csv
import math
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import xarray as xr
import yaml

#: Times, by the endings of files: variables of NetCDF files, columns of CSV files.
CLOCKS = {".nc": r"latency|latency_spread|throughput", ".csv": r"seconds|(latency|gain)_\d+(_error)?"}

#: Folders and files below results that tell how a run went, not what came of it.
LOGS = {"logs", "benchmarks"}

SECTIONS = ("files", "names", "columns", "words")


class Map:
    """New names of old ones, by section.

    Parameters
    ----------
    path : Path, optional
        A YAML file; none: nothing has a new name.
    """

    def __init__(self, path: Path | None = None):
        sections = (yaml.safe_load(path.read_text(encoding="utf-8")) if path else None) or {}
        unknown = set(sections) - set(SECTIONS)
        if unknown:
            sys.exit(f"{path} has the unknown section {min(unknown)}; known are {', '.join(SECTIONS)}.")
        self._sections = {name: sections.get(name) or {} for name in SECTIONS}

    def new(self, section: str, old: str, kind: str = "") -> str | None:
        """New name of an old one, the same where the map has none, `None` if it is gone on purpose."""
        names = self._sections[section]
        known = ([f"{kind}/{old}"] if kind else []) + [old]
        for name in known:
            if name in names:
                return names[name]
        for name in known:
            for pattern, replacement in names.items():
                match = re.fullmatch(pattern, name)
                if match:
                    return None if replacement is None else match.expand(replacement)
        return old


class Comparison:
    """Differences of two folders of results, and how much was compared.

    Parameters
    ----------
    old, new : Path
        Folders of results.
    renamed : Map
    rounding : float
        Largest relative difference of numbers that counts as rounding.
    """

    def __init__(self, old: Path, new: Path, renamed: Map, rounding: float = 0.0):
        self.old, self.new, self.map, self.rounding = old, new, renamed, rounding
        self.differences: list[str] = []
        self.counts: Counter[str] = Counter()

    def compare(self, every_kind: bool = False) -> None:
        """Compare all NetCDF and CSV files; of other kinds, if asked for, whether each is there."""
        for name in files_below(self.old):
            if name.suffix in CLOCKS or every_kind:
                self._compare_file(name)

    def summary(self) -> str:
        """How much was compared, left out and found different."""
        counts = self.counts
        return (
            f"{counts['netcdf']} NetCDF and {counts['csv']} CSV files, {counts['present']} others found; "
            f"{counts['variables']} variables ({counts['values']} values) and {counts['columns']} columns "
            f"({counts['cells']} cells) compared; {counts['clocks']} times left out, "
            f"{counts['gone']} gone on purpose, {counts['rounded']} equal up to rounding; "
            f"{len(self.differences)} differences"
        )

    def _compare_file(self, name: Path) -> None:
        new_name = self.map.new("files", name.as_posix())
        if new_name is None:
            self.counts["gone"] += 1
        elif not (self.new / new_name).is_file():
            self._report(name, f"there is no {self.new / new_name}")
        elif name.suffix == ".nc":
            self._compare_netcdf(name, self.new / new_name)
        elif name.suffix == ".csv":
            self._compare_csv(name, self.new / new_name)
        else:
            self.counts["present"] += 1

    def _compare_netcdf(self, name: Path, new_path: Path) -> None:
        self.counts["netcdf"] += 1
        with open_netcdf(self.old / name) as old, open_netcdf(new_path) as new:
            kind = str(old.attrs.get("symbreak_kind", ""))
            for variable in map(str, old.variables):
                new_variable = self.map.new("names", variable, kind)
                if re.fullmatch(CLOCKS[".nc"], variable):
                    self.counts["clocks"] += 1
                elif new_variable is None:
                    self.counts["gone"] += 1
                elif new_variable not in new.variables:
                    self._report(name, f"{variable}: there is no {new_variable}")
                else:
                    found = self._difference(old.variables[variable], new.variables[new_variable], kind)
                    if found:
                        self._report(name, f"{variable}: {found}")

    def _difference(self, old: xr.Variable, new: xr.Variable, kind: str) -> str:
        """What differs in two variables, in words; nothing if nothing does."""
        self.counts["variables"] += 1
        self.counts["values"] += old.size
        dims = [self.map.new("names", str(dim), kind) for dim in old.dims]
        if "seed" not in dims and new.sizes.get("seed") == 1:
            new = new.isel(seed=0)
        if set(dims) != set(new.dims):
            return f"dimensions {tuple(old.dims)}, new {tuple(map(str, new.dims))}"
        ours, theirs = old.values, new.transpose(*dims).values
        if ours.shape != theirs.shape:
            return f"shape {ours.shape}, new {theirs.shape}"
        if ours.dtype.kind in "OSU":
            ours = np.array([self.map.new("words", str(word)) for word in ours.ravel()], dtype=object)
            theirs = np.array([str(word) for word in theirs.ravel()], dtype=object)
            return _first_difference(ours, theirs, ours == theirs)
        if theirs.dtype.kind in "OSU":
            return f"numbers ({ours.dtype}), new text"
        if np.array_equal(ours, theirs, equal_nan=True):
            return ""
        if self.rounding and np.allclose(ours, theirs, rtol=self.rounding, atol=0, equal_nan=True):
            self.counts["rounded"] += 1
            return ""
        both_missing = np.isnan(ours.astype(float)) & np.isnan(theirs.astype(float))
        return _first_difference(ours, theirs, (ours == theirs) | both_missing)

    def _compare_csv(self, name: Path, new_path: Path) -> None:
        self.counts["csv"] += 1
        old, new = read_csv(self.old / name), read_csv(new_path)
        headers = {header: place for place, header in reversed(list(enumerate(new[0])))}
        if len(old) != len(new):
            self._report(name, f"{len(old) - 1} rows, new {len(new) - 1}")
            return
        for place, header in enumerate(old[0]):
            new_header = self.map.new("columns", header)
            if re.fullmatch(CLOCKS[".csv"], header):
                self.counts["clocks"] += 1
            elif new_header is None:
                self.counts["gone"] += 1
            elif new_header not in headers:
                self._report(name, f"column {header!r}: there is no {new_header!r}")
            else:
                self._compare_column(name, old, new, place, headers[new_header])

    def _compare_column(
        self, name: Path, old: list[list[str]], new: list[list[str]], place: int, new_place: int
    ) -> None:
        self.counts["columns"] += 1
        self.counts["cells"] += len(old) - 1
        rows = list(zip(old, new))[1:]
        pairs = [(self.map.new("words", ours[place]), theirs[new_place]) for ours, theirs in rows]
        unequal = [(row, *pair) for row, pair in enumerate(pairs, 1) if not same_cell(*pair)]
        if unequal and all(same_cell(ours, theirs, self.rounding) for _, ours, theirs in unequal):
            self.counts["rounded"] += 1
        elif unequal:
            row, ours, theirs = unequal[0]
            self._report(
                name,
                f"column {old[0][place]!r}: {len(unequal)} of {len(pairs)} cells differ, first in row {row}: "
                f"{ours!r}, new {theirs!r}",
            )

    def _report(self, name: Path, what: str) -> None:
        self.differences.append(f"{name.as_posix()}: {what}")


def files_below(folder: Path) -> list[Path]:
    """Files of results below a folder, relative to it; without hidden ones, logs and benchmarks."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        path
        for path in paths
        if path.parts[0] not in LOGS and not any(part.startswith(".") for part in path.parts)
    )


def open_netcdf(path: Path) -> xr.Dataset:
    """Open a file of any version: values as they are, no dates."""
    return xr.open_dataset(path, engine="netcdf4", decode_times=False, decode_timedelta=False)


def read_csv(path: Path) -> list[list[str]]:
    """Rows of a table, headers first; short rows are filled up."""
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.reader(handle)) or [[]]
    width = max(map(len, rows))
    return [row + [""] * (width - len(row)) for row in rows]


def same_cell(old: str | None, new: str, rounding: float = 0.0) -> bool:
    """Whether two cells hold the same text or the same number, up to a relative difference.

    Examples
    --------
    >>> same_cell("0.50", "0.5"), same_cell("", "0"), same_cell("nan", "nan")
    (True, False, True)
    """
    if old == new:
        return True
    try:
        return math.isclose(float(old or ""), float(new), rel_tol=rounding)
    except ValueError:
        return False


def _first_difference(old: np.ndarray, new: np.ndarray, same: np.ndarray) -> str:
    """How many values differ, and the first of them; nothing if none does."""
    places = np.argwhere(~np.atleast_1d(same))
    if not len(places):
        return ""
    first = tuple(int(number) for number in places[0])
    ours, theirs = (str(np.atleast_1d(values)[first]) for values in (old, new))
    return f"{len(places)} of {np.size(old)} values differ, first at {first}: {ours}, new {theirs}"


def main(arguments: list[str] | None = None) -> int:
    """Print every difference and a summary; 1 if there are differences or nothing was compared."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, help="results before the change")
    parser.add_argument("new", type=Path, help="results after it")
    parser.add_argument("--map", type=Path, help="YAML file with new names of old ones")
    parser.add_argument(
        "--all", action="store_true", help="also say which figures, pages and weights are missing"
    )
    parser.add_argument(
        "--rounding", type=float, default=0.0, help="largest relative difference of numbers (default: none)"
    )
    options = parser.parse_args(arguments)
    comparison = Comparison(options.old, options.new, Map(options.map), options.rounding)
    comparison.compare(every_kind=options.all)
    print("\n".join([*comparison.differences, comparison.summary()]))
    compared = comparison.counts["variables"] + comparison.counts["columns"]
    return int(bool(comparison.differences) or not compared)


if __name__ == "__main__":
    sys.exit(main())
