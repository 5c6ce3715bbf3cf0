"""Write, open and validate our NetCDF files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.store.atomic import replacing
from symbreak.store.schema import DIMENSIONS, GLOBALS, KINDS, SCHEMA_VERSION, VARIABLES


def write_dataset(path: str | Path, dataset: xr.Dataset, kind: str, attributes: dict[str, Any]) -> None:
    """Write a dataset of a known kind: dimensions in order, variables described, atomically.

    Parameters
    ----------
    path : path
        File to write.
    dataset : Dataset
        Variables and coordinates.
    kind : str
        A key of `symbreak.store.schema.KINDS`.
    attributes : dict
        Global attributes, see `symbreak.store.provenance`.

    Raises
    ------
    SymbreakError
        If the dataset lacks something that its kind demands, or cannot be written.
    """
    dataset = described(dataset)
    dataset.attrs = attributes | {"symbreak_kind": kind}
    check(dataset, str(path))
    encoding = {name: _encoding(dataset[name]) for name in dataset.variables}
    with replacing(path) as temporary:
        try:
            dataset.to_netcdf(temporary, format="NETCDF4", engine="netcdf4", encoding=encoding)
        except RuntimeError as error:  # the NetCDF library's word for a full disk
            raise OSError(str(error)) from error


def described(dataset: xr.Dataset) -> xr.Dataset:
    """Put dimensions into the schema's order and give every variable its meaning."""
    order = [name for name in DIMENSIONS if name in dataset.dims]
    dataset = dataset.transpose(*order, missing_dims="ignore")
    for name, variable in dataset.variables.items():
        base = str(name).removesuffix("_stderr").removesuffix("_nonempty")
        if base in VARIABLES:
            meaning = VARIABLES[base]._asdict()
            if str(name).endswith("_stderr"):
                meaning["long_name"] = "standard error of: " + meaning["long_name"]
            variable.attrs = meaning | variable.attrs
        elif name in DIMENSIONS:
            variable.attrs.setdefault("long_name", DIMENSIONS[str(name)])
        partner = f"{name}_stderr"
        if partner in dataset:
            variable.attrs.setdefault("ancillary_variables", partner)
    return dataset


def _encoding(variable: xr.DataArray) -> dict[str, Any]:
    if variable.dtype.kind not in "fiub" or not variable.ndim:
        return {}
    chunks = tuple(1 if dim in ("seed", "block") else size for dim, size in variable.sizes.items())
    return {"zlib": True, "complevel": 1, "shuffle": True, "chunksizes": chunks}


def open_dataset(path: str | Path, kind: str | None = None) -> xr.Dataset:
    """Open one of our files lazily, after checking that it is ours and whole.

    Parameters
    ----------
    path : path
        A NetCDF file.
    kind : str, optional
        Demand this kind.

    Raises
    ------
    SymbreakError
        If the file is missing, damaged, foreign, of another version or another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise SymbreakError(f"There is no file {path}; check the path or run the workflow up to it.")
    try:
        dataset = xr.open_dataset(path, engine="netcdf4")
    except Exception as error:  # the NetCDF library raises many classes for damaged files
        raise SymbreakError(
            f"{path} is not a readable NetCDF file ({_short(error)}); write it anew."
        ) from error
    try:
        check(dataset, str(path), kind)
    except SymbreakError:
        dataset.close()
        raise
    return dataset


def check(dataset: xr.Dataset, where: str, kind: str | None = None) -> None:
    """Check a dataset against the schema.

    Raises
    ------
    SymbreakError
        Naming the first deviation and the file.
    """
    actual = dataset.attrs.get("symbreak_kind")
    if actual not in KINDS:
        raise SymbreakError(
            f"{where} was not written by symbreak (no attribute `symbreak_kind`); give one of ours."
        )
    if kind is not None and actual != kind:
        raise SymbreakError(f"{where} holds {actual}, and {kind} are wanted here; give a file of that kind.")
    missing = [name for name in GLOBALS if name not in dataset.attrs]
    if missing:
        raise SymbreakError(f"{where} lacks the attribute `{missing[0]}`; write it anew.")
    version = str(dataset.attrs["schema_version"])
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise SymbreakError(
            f"{where} has schema version {version} and this is {SCHEMA_VERSION}; write it anew."
        )
    config = str(dataset.attrs["config"])
    if hashlib.sha256(config.encode()).hexdigest() != dataset.attrs["config_sha256"]:
        raise SymbreakError(
            f"{where} was changed by hand: `config_sha256` does not fit `config`; write it anew."
        )
    for name, dims in KINDS[actual].items():
        if name not in dataset:
            raise SymbreakError(
                f"{where} lacks the variable `{name}` that every file of {actual} has; write it anew."
            )
        found = dataset[name].dims
        if found not in (dims, ("seed", *dims), ("block", *dims), ("seed", "block", *dims)):
            raise SymbreakError(
                f"{where}: `{name}` has dimensions {found} in place of {dims}; write it anew."
            )
    for dim in dataset.dims:
        if dim not in dataset.coords:
            raise SymbreakError(f"{where}: the dimension `{dim}` has no coordinate; write it anew.")


def read_values(variable: xr.DataArray, where: str) -> np.ndarray:
    """Read a variable from the disk.

    Raises
    ------
    SymbreakError
        If its bytes are damaged.
    """
    try:
        return variable.values
    except Exception as error:  # damaged chunks raise RuntimeError, OSError or HDF errors
        raise SymbreakError(
            f"{where}: the values of `{variable.name}` are damaged ({_short(error)}); write it anew."
        ) from error


def _short(error: Exception) -> str:
    """What a library says, without the path."""
    said = getattr(error, "strerror", None) or str(error)
    return said.split("\n")[0][:120] or type(error).__name__
