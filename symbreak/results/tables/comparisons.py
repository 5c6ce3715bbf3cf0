"""Tables that compare: open choices with each other, a network with its linear-Gaussian null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.observables import pooled_moments, robustness
from symbreak.results.averages import at_threshold, mean_and_error, with_repetitions
from symbreak.results.tables.nodes import block_table

#: Quantities of the robustness table, and of the comparison with the null.
MOVED = ("n_clusters", "cluster_size", "diagonal", "noise", "snr")
COMPARED = ("accuracy", *MOVED, "snr_minimum")
CHOICES = ("rule", "bias", "centred", "matrices")


def robustness_table(
    moments: Sequence[xr.Dataset], threshold: float = 0.3, threads: int | None = None
) -> pd.DataFrame:
    """How far N_c, C_s, diag, n and SNR move under the choices that the papers leave open, per block.

    Parameters
    ----------
    moments : sequence of Dataset
        Moments files of the seeds.
    threshold : float
        Fraction of the largest field.
    threads : int, optional

    Returns
    -------
    DataFrame
        One row for each block (last first) and combination of ``rule``, ``bias`` (silenced, kept),
        ``centred`` (no, yes) and ``matrices`` (all, with clusters), see
        :func:`symbreak.observables.robustness`; the first row of each block is the default. Quantities
        with errors over seeds; ``snr_change`` is the relative change of the SNR against the default.

    Raises
    ------
    SymbreakError
        If there is no file, or nodes are positions of filters.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> table = robustness_table([moments_example()])
    >>> len(table), table.rule.unique().tolist()
    (24, ['first_fit', 'min_cover', 'largest_first'])
    """
    if not moments or any("filter_of_node" in dataset.coords for dataset in moments):
        raise SymbreakError("The robustness table is made of single nodes; give moments files of such a tap.")
    parts = []
    for block in sorted((int(number) for number in moments[0].block), reverse=True):
        seeds = [_moved(dataset, block, threshold, threads) for dataset in moments]
        joined = xr.concat(seeds, "seed", combine_attrs="override")
        parts.append(_rows(joined, block))
    table = pd.concat(parts, ignore_index=True)
    several = xr.Dataset(coords={"seed": range(len(moments))})
    return with_repetitions(table, several, threshold, single="one seed: none")


def _moved(moments: xr.Dataset, block: int, threshold: float, threads: int | None) -> xr.Dataset:
    mean, readout, bias = pooled_moments(moments, block)
    return robustness(mean, readout, threshold, bias, threads=threads)[list(MOVED)]


def _rows(joined: xr.Dataset, block: int) -> pd.DataFrame:
    columns = {}
    for name in MOVED:
        columns[name], columns[f"{name}_error"] = mean_and_error(joined, name)
    rows = xr.Dataset(columns).to_dataframe(dim_order=CHOICES).reset_index()
    rows["centred"] = rows["centred"].map({0: "no", 1: "yes"})
    rows["matrices"] = rows["matrices"].str.replace("_", " ")
    rows.insert(0, "block", block)
    rows["snr_change"] = rows["snr"] / rows["snr"].iloc[0] - 1
    return rows


def null_table(statistics: xr.Dataset, null: xr.Dataset, threshold: float = 0.3) -> pd.DataFrame:
    """Statistics of a network compared with those of linear-Gaussian worlds of the same accuracy.

    Parameters
    ----------
    statistics : Dataset
        Of the network, of one seed or joined over seeds.
    null : Dataset
        From :func:`symbreak.planted.null_statistics`, of as many seeds.
    threshold : float

    Returns
    -------
    DataFrame
        Two rows a block, ``origin`` network and null, with the columns of P1 (arXiv:2501.12900) Table 1,
        SNR and SNR_MIN.

    Raises
    ------
    SymbreakError
        If the two have different blocks.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example, null_statistics
    >>> settings = Statistics(thresholds=9)
    >>> network = block_tables(moments_example(), settings)[0]
    >>> table = null_table(network, null_statistics(moments_example(), settings))
    >>> table[["block", "origin"]].values.tolist()
    [[2, 'network'], [2, 'null'], [1, 'network'], [1, 'null']]
    """
    if statistics.block.values.tolist() != null.block.values.tolist():
        raise SymbreakError("The null has other blocks than the network; make it anew for these moments.")
    parts = []
    for origin, dataset in (("network", statistics), ("null", null)):
        part = block_table(dataset, COMPARED, threshold)
        part.insert(1, "origin", origin)
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["block", "origin"], ascending=[False, True], ignore_index=True)


def network_table(statistics: Mapping[tuple[str, str], xr.Dataset], threshold: float = 0.3) -> pd.DataFrame:
    """Last blocks of several networks side by side, nodes of transformers and filters of CNNs.

    P1 (arXiv:2501.12900) claims one mechanism for both: few clusters of few labels for each node or
    filter, with noise. `n_matrices` is N_M, the number of nodes or filters.

    Parameters
    ----------
    statistics : mapping of (network, tap) to Dataset
    threshold : float

    Returns
    -------
    DataFrame
        One row a network and tap, with the columns of P1 Table 1, SNR and SNR_MIN.

    Raises
    ------
    SymbreakError
        If a dataset holds no statistics.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example
    >>> one = block_tables(moments_example(), Statistics(thresholds=9))[0]
    >>> table = network_table({("cct", "block"): one, ("vgg", "filters"): one})
    >>> table[["network", "tap", "block", "n_matrices"]].values.tolist()
    [['cct', 'block', 2, 6], ['vgg', 'filters', 2, 6]]
    """
    rows = []
    for (network, tap), dataset in statistics.items():
        row = block_table(dataset, COMPARED, threshold).head(1)
        chosen = at_threshold(dataset, threshold).sel(block=int(row.block[0]))
        # signal = diag N_M / N_l (P1 eq. 1) tells the number of matrices
        count = (chosen.signal / chosen.diagonal * dataset.sizes["label"]).mean()
        row.insert(1, "n_matrices", round(float(count)))
        row.insert(0, "tap", tap)
        row.insert(0, "network", network)
        rows.append(row)
    return pd.concat(rows, ignore_index=True)
