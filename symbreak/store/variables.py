"""Give variables of a dataset their meaning, and check them, by the registry of variables."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.store.schema import COORDINATES, DIMENSIONS, DTYPES, KINDS, Variable


def describe(dataset: xr.Dataset, kind: str) -> xr.Dataset:
    """Give every variable of a dataset the attributes that the registry declares.

    Parameters
    ----------
    dataset : Dataset
        Its variables' attributes are replaced.
    kind : str
        A key of `symbreak.store.schema.KINDS`.

    Returns
    -------
    Dataset
        The same.

    Raises
    ------
    SymbreakError
        If a variable is not declared for this kind.

    Examples
    --------
    >>> describe(xr.Dataset({"potts_order_null": 0.1}), "heads").potts_order_null.attrs["long_name"]
    'mean under the null model of: Potts order of the labels'
    """
    for name, variable in dataset.variables.items():
        if name in DIMENSIONS:
            variable.attrs.setdefault("long_name", DIMENSIONS[str(name)].long_name)
            continue
        variable.attrs = _declared(str(name), kind).attributes
        if f"{name}_stderr" in dataset:
            variable.attrs["ancillary_variables"] = f"{name}_stderr"
    return dataset


def check_variables(dataset: xr.Dataset, kind: str, where: str) -> None:
    """Check dimensions and dtypes of all variables of a file against the registry.

    Raises
    ------
    SymbreakError
        Naming the first deviation and the file.
    """
    for wanted, variable in KINDS[kind].declared.items():
        if variable.present and wanted not in dataset:
            raise SymbreakError(
                f"{where} lacks the variable `{wanted}` that every file of {kind} has; {REDO}."
            )
    for name, found in dataset.variables.items():
        known = _declared(str(name), kind, where)
        allowed = {known.dims, known.other_dims or known.dims}
        if name == "seed":
            allowed = {(), ("seed",)}
        elif KINDS[kind].per_seed:
            allowed |= {("seed", *dims) for dims in allowed}
        if found.dims not in allowed:
            raise SymbreakError(
                f"{where}: `{name}` has dimensions {found.dims} and not {known.dims}; {REDO}."
            )
        if found.dtype.kind not in DTYPES[known.dtype]:
            raise SymbreakError(f"{where}: `{name}` holds {found.dtype} and not {known.dtype}; {REDO}.")
    for dim in dataset.dims:
        if dim not in dataset.coords:
            raise SymbreakError(f"{where}: the dimension `{dim}` has no coordinate; {REDO}.")


#: What to do about a file that is not as it should be.
REDO = "remove it and run the workflow again"


def check_finite(dataset: xr.Dataset, kind: str, where: str, cure: str = REDO) -> None:
    """Check that numbers are finite where they must be, and that every label has images.

    Parameters
    ----------
    dataset : Dataset
    kind : str
    where : str
        What is checked, for the message.
    cure : str
        What to do about it.

    Raises
    ------
    SymbreakError
        Naming the variable and the place of the first number that is not finite, or the label.

    Examples
    --------
    >>> means = xr.Dataset({"logits": (("sample", "output"), [[0.0, 1.0], [np.inf, 0.0]])})
    >>> check_finite(means, "logits", "a.nc", "train again")
    Traceback (most recent call last):
    symbreak.errors.SymbreakError: a.nc: `logits` is inf at sample 1, output 0; train again.
    """
    for name in (name for name, known in KINDS[kind].declared.items() if known.finite and name in dataset):
        found = dataset[name]
        bad = ~np.isfinite(found.values)
        own = nodes_of_blocks(dataset)
        if "node" in found.dims and own is not None:
            bad &= own.broadcast_like(found).transpose(*found.dims).values
        if bad.any():
            first = np.argwhere(bad)[0]
            place = ", ".join(f"{dim} {_name(dataset, str(dim), i)}" for dim, i in zip(found.dims, first))
            value = found.values[tuple(first)]
            raise SymbreakError(f"{where}: `{name}` is {value}{f' at {place}' if place else ''}; {cure}.")
    if kind == "moments":
        require_images(dataset, where)


def nodes_of_blocks(dataset: xr.Dataset) -> xr.DataArray | None:
    """Whether a block has a node, where only wider blocks have some; None where all blocks are alike.

    Parameters
    ----------
    dataset : Dataset
        A moments file, or one block of it.

    Returns
    -------
    DataArray or None
        On (block, node), bool.

    Examples
    --------
    >>> table = xr.Dataset(coords={"node": [1, 2, 3], "block": [1, 2], "width": ("block", [3, 2])})
    >>> nodes_of_blocks(table).transpose("block", "node").values.tolist()
    [[True, True, True], [True, True, False]]
    """
    if "width" in dataset.coords:
        return dataset.node <= dataset.width
    return dataset.filter_of_node > 0 if "filter_of_node" in dataset.coords else None


def require_images(moments: xr.Dataset, where: str = "the moments") -> None:
    """Refuse label means of which a label has no images: its elements would stand for nothing.

    Raises
    ------
    SymbreakError
        Naming the label.
    """
    images = moments["count"].sum([dim for dim in moments["count"].dims if dim != "label"]).values
    empty = np.flatnonzero(images <= 0)
    if empty.size:
        names = moments.label_name if "label_name" in moments.coords else moments.label
        raise SymbreakError(
            f"{where}: no images of {empty.size} labels, the first is {names.values[empty[0]]}; "
            "measure on images of every label, or leave these labels out of the data."
        )


def _name(dataset: xr.Dataset, dim: str, index: int) -> object:
    """Coordinate at a place, or its number."""
    return dataset[dim].values[index] if dim in dataset.coords else index


def _declared(name: str, kind: str, where: str = "a dataset") -> Variable:
    known = KINDS[kind].variables.get(name) or COORDINATES.get(name) or DIMENSIONS.get(name)
    if known is None:
        raise SymbreakError(
            f"{where}: the variable `{name}` is not declared for {kind}; declare it in symbreak/store/schema."
        )
    return known
