"""Last blocks of networks that differ in their heads, side by side: P2 (arXiv:2506.23832) Table 2."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.printed.networks import PrintedNetwork, with_printed
from symbreak.results.errors import at_threshold, estimate, repetitions
from symbreak.results.tables.heads import MATRIX_COLUMNS, with_seeds


def head_network_table(
    heads: Mapping[tuple[str, str], xr.Dataset],
    threshold: float = 0.3,
    printed: Mapping[str, PrintedNetwork | None] | None = None,
) -> pd.DataFrame:
    """Heads of the last block of several networks: how accuracy and matrices depend on their number.

    P2 (arXiv:2506.23832) Table 2 varies H in the last block at a fixed number of nodes: noise grows as heads
    shrink, the accuracy stays.

    Parameters
    ----------
    heads : mapping of (network, tap) to Dataset
        Heads, of one seed or joined over seeds.
    threshold : float
        The nearest scanned one is taken.
    printed : mapping of network to PrintedNetwork, optional
        What is printed for a network, beside ours at the tap ``attention``.

    Returns
    -------
    DataFrame
        One row a network and tap, few heads first: ``network``, ``tap``, ``block``, ``heads`` (H),
        ``head_size`` (nodes of a head), ``network_accuracy``, ``accuracy`` (of the classifier head at the
        tap), then the columns of :func:`symbreak.results.tables.heads.matrix_table`, with errors.

    Raises
    ------
    SymbreakError
        If there is no dataset.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> table = head_network_table({("small", "attention"): head_tables_example()})
    >>> table[["network", "block", "heads", "head_size"]].values.tolist()
    [['small', 2, 2, 8]]
    """
    if not heads:
        raise SymbreakError("There are no heads to put side by side; give one or more files of heads.")
    rows = [_row(network, tap, dataset, threshold) for (network, tap), dataset in heads.items()]
    table = pd.concat(rows, ignore_index=True)
    table = table.sort_values(["tap", "heads", "network"], kind="stable", ignore_index=True)
    if printed:
        places = zip(table.network, table.tap)
        table = with_printed(
            table, [printed.get(name) if tap == "attention" else None for name, tap in places]
        )
    return table


def _row(network: str, tap: str, dataset: xr.Dataset, threshold: float) -> pd.DataFrame:
    last = at_threshold(dataset, threshold).isel(block=-1)
    first = with_seeds(last).isel(seed=0)
    row: dict[str, object] = {
        "network": network,
        "tap": tap,
        "block": int(last.block),
        "heads": int(first.n_heads),
        "head_size": int(first.n_nodes.max()),
    }
    names = {"network_accuracy": "network_accuracy", "accuracy": "accuracy"}
    for name, variable in (names | {name: f"head_{name}" for name in MATRIX_COLUMNS}).items():
        mean, error = estimate(last, variable) if variable in last else (np.nan, np.nan)
        row[name], row[f"{name}_error"] = float(mean), float(error)
    seeds, words = repetitions(dataset)
    return pd.DataFrame([row | {"threshold": float(last.threshold), "seeds": seeds, "error": words}])
