"""Means and errors over whichever repetition a dataset holds: seeds, or parts of the images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.numerics.combining import combine_seeds, combined_p_value
from symbreak.store.joining import over_seeds

#: What the error of a single seed is, by the quantity.
OVER_IMAGES = "one seed: jackknife standard error over images"
OVER_LABELS = "one seed: jackknife standard error over labels"
OVER_NODES = "jackknife over nodes, over labels for counts (one seed)"
BINOMIAL = "standard error over images, one seed"


def mean_and_error(dataset: xr.Dataset, name: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Mean over seeds with its standard error; with one seed its jackknife error over images.

    Parameters
    ----------
    dataset : Dataset
        Statistics of one seed, or joined over seeds.
    name : str
        Variable.

    Returns
    -------
    mean, error : DataArray
        Without the dimension seed. The error is NaN where the file has none; both are NaN where the
        variable is not finite for every seed.

    Examples
    --------
    >>> seeds = xr.Dataset({"snr": (("seed", "block"), [[1.0], [3.0]])})
    >>> mean, error = mean_and_error(seeds, "snr")
    >>> float(mean[0]), float(error[0])
    (2.0, 1.0)
    >>> one = xr.Dataset({"snr": ("block", [2.0]), "snr_stderr": ("block", [0.1])})
    >>> [float(part[0]) for part in mean_and_error(one, "snr")]
    [2.0, 0.1]
    """
    variable = dataset[name].astype(float)
    if "seed" in variable.dims and variable.sizes["seed"] > 1:
        finite: xr.DataArray = xr.apply_ufunc(np.isfinite, variable)
        return over_seeds(variable.where(finite.all("seed")))
    known = f"{name}_stderr" in dataset
    error = dataset[f"{name}_stderr"] if known else xr.full_like(variable, np.nan)
    mean, error = (part.where(np.isfinite(variable)) for part in (variable, error))
    if "seed" in mean.dims:
        return mean.isel(seed=0, drop=True), error.isel(seed=0, drop=True)
    return mean, error


def measured(dataset: xr.Dataset, names: Iterable[str]) -> dict[str, Any]:
    """Columns of a table: every variable with its error, NaN for what the file lacks.

    Parameters
    ----------
    dataset : Dataset
        Statistics of one seed, or joined over seeds.
    names : iterable of str
        Variables; a mapping gives the column of each variable another name.

    Returns
    -------
    dict
        ``name`` and ``name_error``: a float, or an array along the dimension that is left.

    Examples
    --------
    >>> one = xr.Dataset({"snr": 2.0, "snr_stderr": 0.1})
    >>> measured(one, {"snr": "ratio"})
    {'ratio': 2.0, 'ratio_error': 0.1}
    """
    columns = names if isinstance(names, Mapping) else {name: name for name in names}
    found: dict[str, Any] = {}
    for name, column in columns.items():
        parts: tuple[Any, Any] = mean_and_error(dataset, name) if name in dataset else (np.nan, np.nan)
        for end, part in zip(("", "_error"), parts):
            found[column + end] = part.values if np.ndim(part) else float(part)
    return found


def compared_with_chance(dataset: xr.Dataset, name: str) -> dict[str, float]:
    """One quantity with its error, its null value and deviation, and the p-value of all seeds (Stouffer).

    ``seeds_rejecting`` is the share of seeds with a p-value of at most .05.

    Examples
    --------
    >>> ends = ("", "_stderr", "_null", "_null_deviation", "_p")
    >>> compared_with_chance(xr.Dataset({f"order{end}": 0.5 for end in ends}), "order")["by_chance"]
    0.5
    """
    seeded = with_seeds(dataset)
    null, deviation = (float(seeded[f"{name}_null{end}"].mean("seed")) for end in ("", "_deviation"))
    chance = {
        "by_chance": null,
        "by_chance_deviation": deviation,
        "p": combined_p_value(seeded[f"{name}_p"].values),
        "seeds_rejecting": combine_seeds(seeded[f"{name}_p"].values).share,
    }
    return measured(dataset, {name: "value"}) | chance


def repetitions(dataset: xr.Dataset, single: str = OVER_IMAGES) -> tuple[int, str]:
    """Number of seeds, and in words what the errors are; `single` says it of one seed.

    Examples
    --------
    >>> repetitions(xr.Dataset({"snr": ("seed", [1.0, 2.0, 3.0])}))
    (3, 'standard error of the mean over 3 seeds')
    >>> repetitions(xr.Dataset({"snr": ((), 1.0)}))
    (1, 'one seed: jackknife standard error over images')
    """
    seeds = dataset.sizes.get("seed", 1)
    return seeds, f"standard error of the mean over {seeds} seeds" if seeds > 1 else single


def with_repetitions(
    table: pd.DataFrame, dataset: xr.Dataset, threshold: float | None = None, single: str = OVER_IMAGES
) -> pd.DataFrame:
    """Append the threshold, the number of seeds, and what the errors are.

    Examples
    --------
    >>> with_repetitions(pd.DataFrame({"snr": [3.3]}), xr.Dataset(), 0.3).columns.tolist()
    ['snr', 'threshold', 'seeds', 'error']
    """
    seeds, words = repetitions(dataset, single)
    cut = {} if threshold is None else {"threshold": float(threshold)}
    return table.assign(**cut, seeds=seeds, error=words)


def at_threshold(dataset: xr.Dataset, threshold: float) -> xr.Dataset:
    """Entry of the scanned threshold nearest to `threshold`; the coordinate tells which it is.

    Examples
    --------
    >>> scanned = xr.Dataset({"snr": ("threshold", [1.0, 2.0])}, {"threshold": [0.25, 0.5]})
    >>> at_threshold(scanned, 0.3).threshold.item()
    0.25
    """
    return dataset.sel(threshold=threshold, method="nearest")


def with_seeds(dataset: xr.Dataset) -> xr.Dataset:
    """Give a file of one seed the dimension seed.

    Examples
    --------
    >>> with_seeds(xr.Dataset({"appearance": ("label", [1])}, attrs={"seed": 4})).seed.values.tolist()
    [4]
    """
    if "seed" in dataset.dims:
        return dataset
    return dataset.expand_dims(
        "seed" if "seed" in dataset.coords else {"seed": [int(dataset.attrs.get("seed", 1))]}
    )


def of_seed(dataset: xr.Dataset, seed: int | None = None) -> xr.Dataset:
    """One seed of a file, by default the first; its coordinate ``seed`` tells which.

    Raises
    ------
    SymbreakError
        If the file does not hold the seed.
    """
    seeded = with_seeds(dataset)
    chosen = int(seeded.seed.values[0]) if seed is None else seed
    if chosen not in seeded.seed:
        raise SymbreakError(f"There is no seed {chosen} here; choose one of {seeded.seed.values.tolist()}.")
    return seeded.sel(seed=chosen)


def of_block(dataset: xr.Dataset, block: int | None = None) -> xr.Dataset:
    """One block of a file, by default the last.

    Raises
    ------
    SymbreakError
        If the file does not hold the block.
    """
    chosen = int(dataset.block.max()) if block is None else block
    if chosen not in dataset.block:
        raise SymbreakError(f"There is no block {chosen}; choose one of {dataset.block.values.tolist()}.")
    return dataset.sel(block=chosen)


def blocks_and_seeds(dataset: xr.Dataset) -> Iterator[tuple[int, int, xr.Dataset]]:
    """Every block and seed, the last block first."""
    seeded = with_seeds(dataset)
    for block in seeded.block.values[::-1]:
        for seed in seeded.seed.values:
            yield int(block), int(seed), seeded.sel(block=block, seed=seed)
