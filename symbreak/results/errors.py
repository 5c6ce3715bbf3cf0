"""Mean and error of a quantity, from whichever repetition a dataset holds: seeds or parts of the images."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.store.joining import over_seeds


def estimate(dataset: xr.Dataset, name: str) -> tuple[xr.DataArray, xr.DataArray]:
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
    >>> mean, error = estimate(seeds, "snr")
    >>> float(mean[0]), float(error[0])
    (2.0, 1.0)
    >>> one = xr.Dataset({"snr": ("block", [2.0]), "snr_stderr": ("block", [0.1])})
    >>> [float(part[0]) for part in estimate(one, "snr")]
    [2.0, 0.1]
    """
    variable = dataset[name].astype(float)
    if "seed" in variable.dims and variable.sizes["seed"] > 1:
        finite: xr.DataArray = xr.apply_ufunc(np.isfinite, variable)
        return over_seeds(variable.where(finite.all("seed")))
    known = f"{name}_stderr" in dataset
    error = dataset[f"{name}_stderr"] if known else xr.full_like(variable, np.nan)
    return tuple(_one(part.where(np.isfinite(variable))) for part in (variable, error))  # type: ignore[return-value]


def repetitions(dataset: xr.Dataset) -> tuple[int, str]:
    """Number of seeds, and in words what the errors are.

    Examples
    --------
    >>> repetitions(xr.Dataset({"snr": ("seed", [1.0, 2.0, 3.0])}))
    (3, 'standard error of the mean over 3 seeds')
    >>> repetitions(xr.Dataset({"snr": ((), 1.0)}))
    (1, 'one seed: jackknife standard error over images')
    """
    seeds = dataset.sizes.get("seed", 1)
    if seeds > 1:
        return seeds, f"standard error of the mean over {seeds} seeds"
    return 1, "one seed: jackknife standard error over images"


def at_threshold(dataset: xr.Dataset, threshold: float) -> xr.Dataset:
    """Entry of the scanned threshold nearest to `threshold`; the coordinate tells which it is.

    Examples
    --------
    >>> scanned = xr.Dataset({"snr": ("threshold", [1.0, 2.0])}, {"threshold": [0.25, 0.5]})
    >>> at_threshold(scanned, 0.3).threshold.item()
    0.25
    """
    return dataset.sel(threshold=threshold, method="nearest")


def _one(variable: xr.DataArray) -> xr.DataArray:
    return variable.isel(seed=0, drop=True) if "seed" in variable.dims else variable
