"""Table of the symmetry-breaking curve: order of the heads against training epoch, beside chance."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from symbreak.results.errors import estimate
from symbreak.results.tables.heads import ORDER_NAMES, with_seeds

#: Quantities with a null value, with the words of an axis.
FOLLOWED: dict[str, str] = ORDER_NAMES | {"n_owned_total": "labels with an owner"}


def beyond_chance(evolution: xr.Dataset, name: str) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Excess of a quantity over its mean under the null model, its error, and the deviation of the null.

    Parameters
    ----------
    evolution : Dataset
        Of one tap, of one seed or joined over seeds.
    name : str
        A key of ``FOLLOWED``.

    Returns
    -------
    excess, error, deviation : DataArray (block, epoch)
        Mean over seeds; the deviation is that of one network.

    Examples
    --------
    >>> from symbreak.planted import evolution_example
    >>> excess, _, deviation = beyond_chance(evolution_example(), "potts_order")
    >>> excess.dims == deviation.dims == ("block", "epoch")
    True
    """
    parts = {name: evolution[name] - evolution[f"{name}_null"], f"{name}_stderr": evolution[f"{name}_stderr"]}
    excess, error = estimate(xr.Dataset(parts), name)
    return excess, error, with_seeds(evolution)[f"{name}_null_deviation"].mean("seed")


def evolution_rows(evolution: xr.Dataset) -> pd.DataFrame:
    """Order parameters, owned labels and accuracies at every epoch and block.

    Parameters
    ----------
    evolution : Dataset
        Of one tap, of one seed or joined over seeds.

    Returns
    -------
    DataFrame
        One row an epoch, block and quantity: ``value`` and ``value_error``, ``by_chance`` and
        ``by_chance_deviation`` (nodes shuffled among heads, of one network), ``beyond_chance`` and its error,
        ``p``: the largest over the seeds. Accuracies have no null: of the classifier head, of the network.

    Examples
    --------
    >>> from symbreak.planted import evolution_example
    >>> table = evolution_rows(evolution_example())
    >>> table.quantity[0], table.epoch.unique().tolist()
    ('potts_order', [0, 1, 2, 4])
    """
    rows = []
    for epoch in evolution.epoch.values:
        for block in evolution.block.values:
            place = {"epoch": int(epoch), "block": int(block)}
            chosen = evolution.sel(epoch=epoch, block=block)
            rows += [place | _beside_chance(chosen, name) for name in FOLLOWED]
            for name in ("accuracy", "network_accuracy"):
                mean, error = estimate(chosen, name)
                rows.append(place | {"quantity": name, "value": float(mean), "value_error": float(error)})
    return pd.DataFrame(rows)


def _beside_chance(chosen: xr.Dataset, name: str) -> dict[str, str | float]:
    mean, error = estimate(chosen, name)
    excess, excess_error, deviation = beyond_chance(chosen, name)
    seeded = with_seeds(chosen)
    return {
        "quantity": name,
        "value": float(mean),
        "value_error": float(error),
        "by_chance": float(seeded[f"{name}_null"].mean("seed")),
        "by_chance_deviation": float(deviation),
        "beyond_chance": float(excess),
        "beyond_chance_error": float(excess_error),
        "p": float(seeded[f"{name}_p"].max("seed")),
    }
