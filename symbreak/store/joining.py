"""Put datasets together: the seeds of a network, the blocks of a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from symbreak.errors import SymbreakError


def join_seeds(datasets: Sequence[xr.Dataset], seeds: Sequence[int]) -> xr.Dataset:
    """Stack the results of several seeds along a new first dimension `seed`.

    Raises
    ------
    SymbreakError
        If the datasets do not have the same coordinates.

    Examples
    --------
    >>> one = xr.Dataset({"snr": ("block", [1.0, 2.0])}, {"block": [1, 2]})
    >>> join_seeds([one, one], [1, 2]).snr.dims
    ('seed', 'block')
    """
    try:
        joined = xr.concat(
            datasets,
            xr.Variable("seed", np.asarray(seeds, dtype="int64")),
            data_vars="all",
            coords="minimal",
            compat="override",
            join="exact",
            combine_attrs="override",
        )
    except ValueError as error:
        raise SymbreakError(
            f"The seeds cannot be joined, their coordinates differ ({error}); write them anew."
        ) from error
    return joined


def over_seeds(variable: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Mean over seeds and its standard error, NaN with a single seed.

    Examples
    --------
    >>> mean, error = over_seeds(xr.DataArray([1.0, 3.0], dims="seed"))
    >>> float(mean), float(error)
    (2.0, 1.0)
    """
    count = variable.sizes["seed"]
    error = variable.std("seed", ddof=1) / np.sqrt(count) if count > 1 else variable.isel(seed=0) * np.nan
    return variable.mean("seed"), error


def stack_blocks(tables: Sequence[xr.Dataset], blocks: xr.DataArray) -> xr.Dataset:
    """Join blocks along `block`; heads that a block does not have get counts 0 and numbers NaN.

    Parameters
    ----------
    tables : sequence of Dataset
        Each with its own number of heads.
    blocks : DataArray
        Numbers of the blocks.

    Examples
    --------
    >>> few = xr.Dataset({"n_owned": ("head", [3])}, {"head": [1]})
    >>> many = xr.Dataset({"n_owned": ("head", [1, 2])}, {"head": [1, 2]})
    >>> stack_blocks([few, many], xr.DataArray([1, 2], dims="block")).n_owned.values.tolist()
    [[3, 0], [1, 2]]
    """
    heads = np.arange(1, max(table.sizes["head"] for table in tables) + 1)
    padded = []
    for table in tables:
        fill = {name: 0 if array.dtype.kind in "iub" else np.nan for name, array in table.data_vars.items()}
        padded.append(table.reindex(head=heads, fill_value=fill))
    return xr.concat(
        padded, blocks, combine_attrs="override", data_vars="all", coords="minimal", compat="override"
    )
