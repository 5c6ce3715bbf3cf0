"""Put datasets together: the seeds of a network, the blocks of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.store.provenance import require_together


def join_seeds(datasets: Sequence[xr.Dataset], seeds: Sequence[int] | None = None) -> xr.Dataset:
    """Stack the results of several seeds along a new first dimension `seed`.

    Parameters
    ----------
    datasets : sequence of Dataset
        Results of one seed each; those that were read from files must belong together.
    seeds : sequence of int, optional
        Default: the coordinates `seed` of the datasets.

    Raises
    ------
    SymbreakError
        If a seed comes twice, the datasets have several seeds each, do not belong together (see
        `symbreak.store.provenance.require_together`), or do not have the same coordinates.

    Examples
    --------
    >>> one = xr.Dataset({"snr": ("block", [1.0, 2.0])}, {"block": [1, 2]})
    >>> join_seeds([one.assign_coords(seed=1), one.assign_coords(seed=2)]).snr.dims
    ('seed', 'block')
    """
    if any("seed" in dataset.dims for dataset in datasets):
        raise SymbreakError(
            "Some of these results are joined over seeds already; give those of single seeds."
        )
    numbers = [int(dataset.seed) for dataset in datasets] if seeds is None else list(seeds)
    if len(set(numbers)) < len(numbers):
        raise SymbreakError(f"A seed comes twice among {numbers}; give each once.")
    if all("symbreak_kind" in dataset.attrs for dataset in datasets):
        require_together({f"seed {seed}": data.attrs for seed, data in zip(numbers, datasets, strict=True)})
    try:
        joined = xr.concat(
            [dataset.drop_vars("seed", errors="ignore") for dataset in datasets],
            xr.Variable("seed", np.asarray(numbers, dtype="int64")),
            data_vars="all",
            coords="minimal",
            compat="override",
            join="exact",
            combine_attrs="override",
        )
    except ValueError as error:
        raise SymbreakError(
            f"The seeds cannot be joined, their coordinates differ ({error}); measure them again alike."
        ) from error
    return joined.assign_attrs(_joined_attributes([dataset.attrs for dataset in datasets], numbers))


def _joined_attributes(attributes: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> dict[str, Any]:
    """Attributes of the first, all seeds, and every device and precision that some were computed with."""
    both = {
        name: "; ".join(dict.fromkeys(str(known[name]) for known in attributes))
        for name in ("device", "precision")
        if all(name in known for known in attributes)
    }
    return {**attributes[0], **both, "seed": list(seeds)}


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
    """Join blocks along `block`; heads and nodes that a block does not have get counts 0 and numbers NaN.

    Parameters
    ----------
    tables : sequence of Dataset
        Each with its own number of heads, and perhaps of nodes.
    blocks : DataArray
        Numbers of the blocks.

    Examples
    --------
    >>> few = xr.Dataset({"n_owned": ("head", [3])}, {"head": [1]})
    >>> many = xr.Dataset({"n_owned": ("head", [1, 2])}, {"head": [1, 2]})
    >>> stack_blocks([few, many], xr.DataArray([1, 2], dims="block")).n_owned.values.tolist()
    [[3, 0], [1, 2]]
    """
    units = {
        dim: np.arange(1, max(table.sizes[dim] for table in tables) + 1)
        for dim in ("head", "node")
        if dim in tables[0].dims
    }
    padded = []
    for table in tables:
        fill = {name: 0 if array.dtype.kind in "iub" else np.nan for name, array in table.data_vars.items()}
        padded.append(table.reindex(units, fill_value=fill))
    return xr.concat(
        padded, blocks, combine_attrs="override", data_vars="all", coords="minimal", compat="override"
    )
