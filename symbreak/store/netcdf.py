"""Write, open and validate our NetCDF files."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from symbreak.errors import (
    Damaged,
    Foreign,
    InUse,
    NotFound,
    OtherVersion,
    SymbreakError,
    Unreachable,
    WrongPlace,
    of_system,
)
from symbreak.store.atomic import replacing
from symbreak.store.schema import DIMENSIONS, FILES, GLOBALS, SCHEMA_VERSION
from symbreak.store.variables import REDO, check_finite, check_variables, describe

#: What a file system answers that has no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def write_dataset(path: str | Path, dataset: xr.Dataset, kind: str, attributes: dict[str, Any]) -> None:
    """Write a dataset of a known kind: dimensions in order, variables described, atomically.

    Parameters
    ----------
    path : path
        File to write.
    dataset : Dataset
        Variables and coordinates; the coordinate `seed` is added from the attribute where it is a single one.
    kind : str
        A key of `symbreak.store.schema.FILES`.
    attributes : dict
        Global attributes, see `symbreak.store.provenance`.

    Raises
    ------
    SymbreakError
        If the dataset is not what the registry says of its kind, has numbers that are not finite where they
        must be, or cannot be written.
    """
    order = [name for name in DIMENSIONS if name in dataset.dims]
    dataset = dataset.transpose(*order, missing_dims="ignore")
    if FILES[kind].per_seed and "seed" not in dataset.coords:
        dataset = dataset.assign_coords(seed=np.int64(attributes["seed"]))
    dataset = describe(dataset, kind)
    dataset.attrs = attributes | {"symbreak_kind": kind}
    check_finite(dataset, kind, str(path), "nothing is written, look at what it was computed from")
    check(dataset, str(path))
    encoding = {name: _encoding(dataset[name]) for name in dataset.variables}
    with replacing(path) as temporary:
        try:
            dataset.to_netcdf(temporary, format="NETCDF4", engine="netcdf4", encoding=encoding)
        except RuntimeError as error:  # the NetCDF library's word for a full disk, among others
            full = shutil.disk_usage(temporary.parent).free < dataset.nbytes
            raise OSError(errno.ENOSPC if full else errno.EIO, str(error)) from error


def _encoding(variable: xr.DataArray) -> dict[str, Any]:
    if variable.dtype.kind not in "fiub" or not variable.ndim:
        return {}
    chunks = tuple(1 if dim in ("seed", "block") else size for dim, size in variable.sizes.items())
    return {"zlib": True, "complevel": 1, "shuffle": True, "chunksizes": chunks}


def open_dataset(path: str | Path, kind: str | None = None) -> xr.Dataset:
    """Open one of our files, after checking that it is ours and whole and its numbers are numbers.

    Variables that no check needs are read when they are used.

    Parameters
    ----------
    path : path
        A NetCDF file.
    kind : str, optional
        Demand this kind.

    Raises
    ------
    SymbreakError
        If the file is missing, locked, damaged, foreign, of another version or another kind, or has numbers
        that are not finite where they must be.
    """
    path = Path(path)
    if path.is_dir():
        raise WrongPlace(f"{path} is a folder; name a file in it.")
    try:
        path.open("rb").close()
        dataset = xr.open_dataset(path, engine="netcdf4")
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}; {NotFound.cure} or run the workflow up to it.") from None
    except Exception as error:  # the NetCDF library raises many classes for damaged files
        raise _unreadable(path, error) from error
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
    if actual not in FILES:
        raise Foreign(
            f"{where} was not written by symbreak (no attribute `symbreak_kind`); give one of ours."
        )
    if kind is not None and actual != kind:
        raise Foreign(f"{where} holds {actual}, and {kind} are wanted here; give a file of that kind.")
    version = str(dataset.attrs.get("schema_version", "unknown"))
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise OtherVersion(f"{where} has schema version {version} and this is {SCHEMA_VERSION}; {REDO}.")
    missing = [name for name in GLOBALS if name not in dataset.attrs]
    if missing:
        raise Damaged(f"{where} lacks the attribute `{missing[0]}`; {REDO}.")
    config = str(dataset.attrs["config"])
    if hashlib.sha256(config.encode()).hexdigest() != dataset.attrs["config_sha256"]:
        raise Damaged(f"{where} was changed by hand: `config_sha256` does not fit `config`; {REDO}.")
    check_variables(dataset, actual, where)
    _check_seed(dataset, actual, where)
    for name, variable in FILES[actual].declared.items():
        if variable.finite and name in dataset:
            read_values(dataset[name], where)
    check_finite(dataset, actual, where)


def _check_seed(dataset: xr.Dataset, kind: str, where: str) -> None:
    """The coordinate and the attribute must name the same seeds."""
    if not FILES[kind].per_seed:
        return
    named = np.atleast_1d(dataset.attrs["seed"])
    found = dataset.coords["seed"].values if "seed" in dataset.coords else np.array([])
    if not np.array_equal(np.atleast_1d(found), named):
        raise Damaged(
            f"{where} is of seed {named.tolist()} and its coordinate `seed` says {found.tolist()}; {REDO}."
        )


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
        raise Damaged(
            f"{where}: the values of `{variable.name}` are damaged ({_short(error)}); {REDO}."
        ) from error


def _unreadable(path: Path, error: Exception) -> SymbreakError:
    """What hinders the NetCDF library, which has one class for rights, a lock, the place, and damage."""
    try:
        with path.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            handle.read(1)
    except BlockingIOError:
        return InUse(f"{path} is locked by another process that writes it; {InUse.cure}.")
    except OSError as found:
        if found.errno not in _NO_LOCKS:
            return of_system("read", path, found)
        return Unreachable(
            f"{path} cannot be locked where it lies ({found.strerror}); set the environment variable "
            "HDF5_USE_FILE_LOCKING=FALSE."
        )
    return Damaged(f"{path} is not a readable NetCDF file ({_short(error)}); {REDO}.")


def _short(error: Exception) -> str:
    """What a library says, without the path."""
    said = getattr(error, "strerror", None) or str(error)
    return said.split("\n")[0][:120] or type(error).__name__
