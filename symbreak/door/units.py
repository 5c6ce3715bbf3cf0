"""Plain table of units for other tools: which labels each stands for, and beyond chance or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from symbreak.clusters import partitions
from symbreak.config import Statistics
from symbreak.observables.nodes.per_block import pooled_moments


def unit_table(moments: xr.Dataset, heads: xr.Dataset | None, settings: Statistics) -> pd.DataFrame:
    """One row for each unit and label that it stands for.

    Parameters
    ----------
    moments : Dataset
        Of a tap.
    heads : Dataset, optional
        Heads of the tap, where it has any.
    settings : Statistics
        Threshold, rule and gauge.

    Returns
    -------
    DataFrame
        ``block``, ``unit`` ("head" or "node"), ``number`` (from 1), ``label``, ``label_name``;
        ``strength``: of a head the number of its nodes that have the label in a cluster, of a node the field
        of the label over the largest field; ``owned``: whether the head owns the label; ``p`` and ``q``: that
        a head has the label so often, nodes shuffled among heads (empty for nodes).

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> unit_table(moments_example(), None, Statistics()).columns.tolist()
    ['block', 'unit', 'number', 'label', 'label_name', 'strength', 'owned', 'p', 'q']
    """
    parts = []
    for block in moments.block.values:
        if heads is not None:
            parts.append(_heads(heads.sel(block=block), int(block)))
        parts.append(_nodes(moments, int(block), settings))
    table = pd.concat(parts, ignore_index=True)
    names = moments.label_name.values if "label_name" in moments.coords else moments.label.values.astype(str)
    table.insert(4, "label_name", [str(names[label]) for label in table.label])
    return table


def _heads(heads: xr.Dataset, block: int) -> pd.DataFrame:
    appearance = heads.appearance.transpose("head", "label").values
    owned = heads.owner.values[None, :] == heads["head"].values[:, None]
    rows, labels = np.nonzero((appearance > 0) | owned)
    return _table(
        block,
        "head",
        heads["head"].values[rows],
        labels,
        appearance[rows, labels],
        owned[rows, labels],
        heads.label_p.values[labels],
        heads.label_q.values[labels],
    )


def _nodes(moments: xr.Dataset, block: int, settings: Statistics) -> pd.DataFrame:
    mean, readout, bias = pooled_moments(moments, block)
    cluster = partitions(mean, readout, settings.reference_threshold, settings.rule, bias, settings.centred)
    nodes, labels = np.nonzero(cluster)
    own = mean[labels, nodes] * readout[labels, nodes]
    top = np.array([np.max(np.outer(mean[:, node], readout[:, node])) for node in range(mean.shape[1])])
    missing = np.full(len(nodes), np.nan)
    return _table(block, "node", nodes + 1, labels, own / top[nodes], missing, missing, missing)


def _table(
    block: int, unit: str, number: NDArray, label: NDArray, strength: NDArray, *rest: NDArray
) -> pd.DataFrame:
    owned, p, q = rest
    return pd.DataFrame(
        {"block": block, "unit": unit, "number": number, "label": label}
        | {"strength": strength, "owned": owned, "p": p, "q": q}
    )
