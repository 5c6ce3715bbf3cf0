"""When two results are the same: bit for bit, but for what tells the time."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import xarray as xr

#: What tells the time: a column of CSV files, an attribute and variables of NetCDF files.
CLOCKS = {"seconds", "history", "latency"}


def differences(ours: Path, theirs: Path) -> list[str]:
    """Names of files that only one of two folders has, or that are not the same in both.

    Files of NetCDF are compared by dimensions, types, bytes of values, and attributes but `history`; tables
    by their cells but those of the column `seconds`; all others byte for byte. Hidden files count as well:
    nothing may be left lying about. Measured latencies are times as well.
    """
    names = {path.relative_to(root) for root in (ours, theirs) for path in root.rglob("*") if path.is_file()}
    return sorted(str(name) for name in names if not same(ours / name, theirs / name))


def same(ours: Path, theirs: Path) -> bool:
    """Whether two files hold the same."""
    if not (ours.is_file() and theirs.is_file()):
        return False
    readers = {".nc": _netcdf, ".csv": _table}
    read = readers.get(ours.suffix, Path.read_bytes)
    return ours.read_bytes() == theirs.read_bytes() or read(ours) == read(theirs)


def snapshot(folder: Path) -> dict[str, str]:
    """Digest of every file that is not hidden."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def _netcdf(path: Path) -> object:
    with xr.open_dataset(path, decode_cf=False) as dataset:
        parts = {
            str(name): (
                variable.dims,
                str(variable.dtype),
                np.ascontiguousarray(variable.values).tobytes()
                if variable.dtype.kind != "O"
                else variable.values.tolist(),
                _timeless(variable.attrs),
            )
            for name, variable in dataset.variables.items()
            if name not in CLOCKS
        }
        return parts, _timeless(dataset.attrs)


def _timeless(attributes: dict) -> dict:
    return {key: repr(value) for key, value in attributes.items() if key not in CLOCKS}  # NaN is NaN


def _table(path: Path) -> object:
    with path.open(newline="") as handle:
        return [{k: v for k, v in row.items() if k not in CLOCKS} for row in csv.DictReader(handle)]
