"""Tables of quantities that are compared with chance: order of the heads, its evolution, attention maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from symbreak.observables.heads.attention_scores import summaries
from symbreak.results.averages import (
    OVER_LABELS,
    compared_with_chance,
    mean_and_error,
    measured,
    with_repetitions,
    with_seeds,
)
from symbreak.store.joining import join_seeds

#: Order parameters shown, with the words of an axis.
ORDER_NAMES: dict[str, str] = {
    "potts_order": "Potts order $M$ (1)",
    "edwards_anderson": "Edwards–Anderson $q$ (1)",
    "edwards_anderson_unbiased": "$q$, counts corrected (1)",
    "entropy_order": "entropy order $1 - S$ (1)",
    "mutual_information": "information $I$ / ln $H$ (1)",
    "committee_contrast": "contrast $\\Delta$ (1)",
}
#: Quantities of the evolution with a null value.
FOLLOWED = (*ORDER_NAMES, "n_owned_total")
#: Quantities of attention maps, with the words of a row.
MAP_NAMES: dict[str, str] = {
    "map_distance": "distance of the best head's map from the others, 1 - r",
    "apart": "best head's map is the least similar to the others",
    "image_lead": "best head's map is more like the image than the others, lead in |r|",
    "image_alone": "best head's map alone looks like the image, |r| of 0.5 or more (Fig. 9, first)",
    "dominant": "best head's map is the most like that of all heads (Fig. 9, second)",
}


def order_table(heads: xr.Dataset, nulls: Mapping[str, xr.Dataset] | None = None) -> pd.DataFrame:
    """Order parameters of every block compared with their null values.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    nulls : mapping of words to Dataset, optional
        Null models that were measured like the network: for each a column, its error and its own chance
        level.

    Returns
    -------
    DataFrame
        One row a block and order parameter, the last block first: ``value`` and ``value_error``,
        ``by_chance`` and ``by_chance_deviation`` (of one network), ``p``: of all seeds, combined by Stouffer;
        ``seeds_rejecting``: share of seeds with p at most .05. Besides the parameters of ``docs/heads.md``
        the rows `owner_agreement` (owner recognises its label best; null: owners shuffled among labels) and
        `owner_advantage`.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> order_table(head_tables_example()).quantity[0]
    'potts_order'
    """
    rows = []
    names = [*ORDER_NAMES, *(name for name in ("owner_agreement", "owner_advantage") if name in heads)]
    for block in heads.block.values[::-1]:
        for name in names:
            row = {"block": int(block), "quantity": name}
            row |= compared_with_chance(heads.sel(block=block), name)
            for words, null in (nulls or {}).items():
                chosen = null.sel(block=block)
                row |= measured(chosen, {name: words})
                row[f"{words}_by_chance"] = float(with_seeds(chosen)[f"{name}_null"].mean("seed"))
            rows.append(row)
    return pd.DataFrame(rows)


def beyond_chance(evolution: xr.Dataset, name: str) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Excess of a quantity over its mean under the null model, its error, and the deviation of the null.

    Parameters
    ----------
    evolution : Dataset
        Of one tap, of one seed or joined over seeds.
    name : str
        One of ``FOLLOWED``.

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
    excess, error = mean_and_error(xr.Dataset(parts), name)
    return excess, error, with_seeds(evolution)[f"{name}_null_deviation"].mean("seed")


def epoch_table(evolution: xr.Dataset) -> pd.DataFrame:
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
        ``p``: of all seeds (Stouffer). Accuracies have no null: of the classifier head, of the network.

    Examples
    --------
    >>> from symbreak.planted import evolution_example
    >>> table = epoch_table(evolution_example())
    >>> table.quantity[0], table.epoch.unique().tolist()
    ('potts_order', [0, 1, 2, 4])
    """
    rows = []
    for epoch in evolution.epoch.values:
        for block in evolution.block.values:
            start = {"epoch": int(epoch), "block": int(block)}
            chosen = evolution.sel(epoch=epoch, block=block)
            for name in FOLLOWED:
                row = start | {"quantity": name} | compared_with_chance(chosen, name)
                excess, error, _ = beyond_chance(chosen, name)
                p = row.pop("p")
                rows.append(
                    row | {"beyond_chance": float(excess), "beyond_chance_error": float(error), "p": p}
                )
            for name in ("accuracy", "network_accuracy"):
                rows.append(start | {"quantity": name} | measured(chosen, {name: "value"}))
    return pd.DataFrame(rows)


def attention_table(datasets: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Attention maps of best heads compared with two nulls, block by block: P1 (arXiv:2501.12900) Fig. 9.

    Parameters
    ----------
    datasets : sequence of Dataset
        Files ``attention/attention.nc`` of the seeds of one network.

    Returns
    -------
    DataFrame
        One row a block (last first) and quantity: ``value`` and ``value_error`` (over seeds; with one seed
        the jackknife over labels), ``by_chance`` and ``by_chance_deviation`` (best heads shuffled among
        labels, one network), ``p`` (of all seeds, Stouffer), ``other_image`` (the other maps, or the image,
        taken from another image), ``seeds`` and ``error``.

    Examples
    --------
    >>> names = ("", "_stderr", "_null", "_null_deviation", "_p", "_shuffled")
    >>> values = {f"{name}{suffix}": ("block", [0.5]) for name in MAP_NAMES for suffix in names}
    >>> table = attention_table([xr.Dataset(values, {"block": [3]}, {"seed": 1})])
    >>> table[["block", "value", "by_chance"]].values.tolist()[0]
    [3.0, 0.5, 0.5]
    """
    joined = join_seeds(summaries(datasets), [int(dataset.attrs["seed"]) for dataset in datasets])
    rows = []
    for block in joined.block.values[::-1]:
        chosen = joined.sel(block=block)
        for name, words in MAP_NAMES.items():
            row = {"block": int(block), "quantity": words} | compared_with_chance(chosen, name)
            other = f"{name}_shuffled"
            row["other_image"] = float(chosen[other].mean("seed")) if other in chosen else float("nan")
            rows.append(row)
    return with_repetitions(pd.DataFrame(rows), joined, single=OVER_LABELS)
