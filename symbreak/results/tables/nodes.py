"""Tables of the statistics of nodes: Dataset in, DataFrame out, with printed values where asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.observables import best_threshold
from symbreak.printed.values import Printed, published, published_table, with_printed
from symbreak.results.averages import at_threshold, mean_and_error, measured, with_repetitions

#: Columns of P1 Table 1 and of P1 Table 2.
CLUSTER_COLUMNS = ("accuracy", "n_clusters", "cluster_size", "diagonal", "noise")
SNR_COLUMNS = ("signal", "noise_internal", "noise_external", "snr", "snr_minimum")

#: Which printed table belongs to which of ours, by paper, table and tap.
PRINTED = {
    ("P1", "clusters", "block"): "table1",
    ("P1", "snr", "block"): "table2",
    ("P1", "clusters", "linear1"): "linear1",
}


def cluster_table(
    statistics: xr.Dataset, threshold: float = 0.3, paper: str | None = None, tap: str = "block"
) -> pd.DataFrame:
    """Accuracy and clusters of every block, as in P1 (arXiv:2501.12900) Table 1.

    Parameters
    ----------
    statistics : Dataset
        Statistics of one tap, of one seed or joined over seeds.
    threshold : float
        Fraction of the maximum; the nearest scanned one is taken and named in the table.
    paper : str, optional
        Print this paper's values next to ours, in columns ``<name>_printed``.
    tap : str
        Decides which printed table belongs here, if any.

    Returns
    -------
    DataFrame
        One row a block, the last block first as in print: ``block``, then for accuracy, n_clusters (N_c),
        cluster_size (C_s), diagonal (diag) and noise (n) the mean and ``<name>_error``; ``threshold``,
        ``seeds``, ``error`` say at which threshold and what the errors are.

    Raises
    ------
    SymbreakError
        If the dataset holds no statistics.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example
    >>> table = cluster_table(block_tables(moments_example(), Statistics(thresholds=9))[0])
    >>> table.block.tolist(), list(table.columns[:4])
    ([2, 1], ['block', 'accuracy', 'accuracy_error', 'n_clusters'])
    """
    return block_table(statistics, CLUSTER_COLUMNS, threshold, _rows(paper, "clusters", tap))


def snr_table(
    statistics: xr.Dataset, threshold: float = 0.3, paper: str | None = None, tap: str = "block"
) -> pd.DataFrame:
    """Signal, noise and their ratio for every block, as in P1 (arXiv:2501.12900) Table 2.

    In addition to the printed columns (signal, noise_I, noise_E, SNR; P1 eqs 1-4) it has SNR_MIN at the same
    threshold and ``best_threshold``, where SNR_MIN is largest (empty where it nowhere reaches 1).

    Parameters
    ----------
    statistics, threshold, paper, tap
        As in :func:`cluster_table`.

    Returns
    -------
    DataFrame
        One row a block, as :func:`cluster_table`.

    Raises
    ------
    SymbreakError
        If the dataset holds no statistics.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example
    >>> table = snr_table(block_tables(moments_example(), Statistics(thresholds=9))[0], threshold=0.4)
    >>> float(table.threshold[0]), bool((table.snr > 0).all())
    (0.4, True)
    """
    table = block_table(statistics, SNR_COLUMNS, threshold, _rows(paper, "snr", tap))
    best = statistics.drop_vars("best_threshold_stderr", errors="ignore").assign(
        best_threshold=best_threshold(statistics)
    )
    mean, error = mean_and_error(best, "best_threshold")
    blocks = xr.DataArray(table.block.to_numpy(), dims="row")
    place = list(table.columns).index("threshold")
    table.insert(place, "best_threshold", mean.sel(block=blocks).values)
    table.insert(place + 1, "best_threshold_error", error.sel(block=blocks).values)
    return table


def tap_table(
    statistics: Mapping[str, xr.Dataset],
    threshold: float = 0.3,
    block: int | None = None,
    paper: str | None = None,
) -> pd.DataFrame:
    """All taps of one block side by side: what a skip connection adds, what the sub-blocks do.

    P1 (arXiv:2501.12900) section 5 compares block 7 with its skip connection (our tap ``block``) and without
    (``linear2``) in two numbers, diag and n.

    Parameters
    ----------
    statistics : mapping of tap to Dataset
    threshold : float
    block : int, optional
        Default: the last.
    paper : str, optional
        Print this paper's numbers next to ours, where it has them.

    Returns
    -------
    DataFrame
        One row a tap in the order of the data flow: ``tap``, ``skip`` (included, excluded, or empty where
        there is none), then the columns of P1 Table 1, ``snr`` and ``snr_minimum`` with errors.

    Raises
    ------
    SymbreakError
        If there is no such block.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example
    >>> one = block_tables(moments_example(), Statistics(thresholds=9))[0]
    >>> tap_table({"linear2": one, "block": one})[["tap", "skip"]].values.tolist()
    [['linear2', 'excluded'], ['block', 'included']]
    """
    skip = {
        "projection": "excluded",
        "projection_skip": "included",
        "linear2": "excluded",
        "block": "included",
    }
    printed = _printed_taps(paper)
    rows = []
    for tap, dataset in statistics.items():
        chosen = int(dataset.block.max()) if block is None else block
        table = block_table(dataset, (*CLUSTER_COLUMNS, "snr", "snr_minimum"), threshold)
        row = table[table.block == chosen]
        if row.empty:
            raise SymbreakError(
                f"There is no block {chosen} at tap {tap}; choose one of {sorted(table.block)}."
            )
        row.insert(0, "skip", skip.get(tap, ""))
        row.insert(0, "tap", tap)
        rows.append(row)
    table = pd.concat(rows, ignore_index=True)
    return with_printed(table, [Printed(printed.get(tap, {})) for tap in table.tap])


def block_table(
    statistics: xr.Dataset,
    names: Sequence[str],
    threshold: float = 0.3,
    printed: Sequence[Mapping[str, float]] = (),
) -> pd.DataFrame:
    """Any statistics of every block at one threshold, with errors and, if given, printed values.

    Parameters
    ----------
    statistics : Dataset
        Of one seed, or joined over seeds.
    names : sequence of str
        Variables on (block) or (block, threshold).
    threshold : float
    printed : sequence of mapping
        Rows of a printed table, each with its ``block``.

    Returns
    -------
    DataFrame
        As :func:`cluster_table`.

    Raises
    ------
    SymbreakError
        If a variable is missing.

    Examples
    --------
    >>> one = xr.Dataset({"snr": (("block", "threshold"), [[2.0]])}, {"block": [1], "threshold": [0.3]})
    >>> block_table(one, ["snr"])[["block", "snr", "threshold"]].values.tolist()
    [[1.0, 2.0, 0.3]]
    """
    missing = [name for name in (*names, "threshold") if name not in statistics]
    if missing:
        raise SymbreakError(f"The dataset has no `{missing[0]}`; give a file of the folder `statistics`.")
    chosen = at_threshold(statistics, threshold)
    table = pd.DataFrame({"block": chosen.block.values} | measured(chosen, names))
    table = with_repetitions(table, statistics, chosen.threshold)
    table = table.sort_values("block", ascending=False, ignore_index=True)
    by_block = {row["block"]: {name: row[name] for name in names if name in row} for row in printed}
    return with_printed(table, [Printed(by_block.get(block, {})) for block in table.block])


def _rows(paper: str | None, table: str, tap: str) -> list[dict[str, float]]:
    name = PRINTED.get((paper or "", table, tap))
    return published_table(paper, name) if paper and name else []


def _printed_taps(paper: str | None) -> dict[str, dict[str, float]]:
    if paper != "P1":
        return {}
    skip = {row["skip"]: row for row in published_table("P1", "skip_excluded")}
    rows = {
        "block": published_table("P1", "table1")[0] | {"snr": published_table("P1", "table2")[0]["snr"]},
        "linear2": {name: skip[0][name] for name in ("diagonal", "noise")},
        "linear1": published_table("P1", "linear1")[0],
    }
    attention = published()["P1"]["values"]["accuracy_attention_block7"]
    taps = rows | {"attention": {"accuracy": attention}}
    return {tap: {name: row[name] for name in row if name != "block"} for tap, row in taps.items()}
