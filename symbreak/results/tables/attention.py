"""Table of what attention maps say about the heads that recognise a label (P1, arXiv:2501.12900, Fig. 9)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from symbreak.observables.heads.attention_scores import summaries
from symbreak.results.errors import estimate, repetitions
from symbreak.store.joining import join_seeds

#: Quantities of the table with the words of a row.
MAP_NAMES: dict[str, str] = {
    "map_distance": "distance of the best head's map from the others, 1 - r",
    "apart": "best head's map is the least similar to the others",
    "image_lead": "best head's map is more like the image than the others, lead in |r|",
    "image_alone": "best head's map alone looks like the image, |r| of 0.5 or more (Fig. 9, first)",
    "dominant": "best head's map is the most like that of all heads (Fig. 9, second)",
}


def attention_table(datasets: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Attention maps of best heads beside two null models, block by block.

    Parameters
    ----------
    datasets : sequence of Dataset
        Files ``attention/attention.nc`` of the seeds of one network.

    Returns
    -------
    DataFrame
        One row a block (last first) and quantity: ``value`` and ``value_error`` (over seeds; with one seed
        the jackknife over labels), ``by_chance`` and ``by_chance_deviation`` (best heads shuffled among
        labels, one network), ``p`` (the largest of the seeds), ``other_image`` (the other maps, or the image,
        taken from another image), ``seeds`` and ``error``.

    Examples
    --------
    >>> names = ("", "_stderr", "_null", "_null_deviation", "_p", "_shuffled")
    >>> values = {f"{name}{suffix}": ("block", [0.5]) for name in MAP_NAMES for suffix in names}
    >>> table = attention_table([xr.Dataset(values, {"block": [3]}, {"seed": 1})])
    >>> table[["block", "value", "by_chance"]].values.tolist()[0]
    [3.0, 0.5, 0.5]
    """
    seeds = [int(dataset.attrs["seed"]) for dataset in datasets]
    joined = join_seeds(summaries(datasets), seeds)
    count, words = repetitions(joined)
    words = words if count > 1 else "one seed: jackknife standard error over labels"
    rows = []
    for block in joined.block.values[::-1]:
        for name, meaning in MAP_NAMES.items():
            mean, error = (part.sel(block=block) for part in estimate(joined, name))
            chosen = joined.sel(block=block)
            other = f"{name}_shuffled"
            rows.append(
                {
                    "block": int(block),
                    "quantity": meaning,
                    "value": float(mean),
                    "value_error": float(error),
                    "by_chance": float(chosen[f"{name}_null"].mean("seed")),
                    "by_chance_deviation": float(chosen[f"{name}_null_deviation"].mean("seed")),
                    "p": float(chosen[f"{name}_p"].max("seed")),
                    "other_image": float(chosen[other].mean("seed")) if other in chosen else float("nan"),
                    "seeds": count,
                    "error": words,
                }
            )
    return pd.DataFrame(rows)
