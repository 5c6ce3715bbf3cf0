"""Tables of the head analysis: every count compared with what chance gives, with adjusted p-values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.numerics.combining import combined_two_sided
from symbreak.observables.heads.sentences import block_sentences
from symbreak.printed.networks import PrintedNetwork
from symbreak.printed.values import with_printed
from symbreak.results.averages import at_threshold, blocks_and_seeds, measured, with_repetitions, with_seeds

#: Columns of P2 Table 1 by their names here.
MATRIX_COLUMNS = (
    "n_clusters",
    "cluster_size",
    "diagonal",
    "noise",
    "signal",
    "noise_external",
    "noise_internal",
    "snr",
)
#: Variables of the last block of a network -> columns of a table of networks.
LAST_BLOCK_COLUMNS = {"accuracy": "accuracy"} | {f"head_{name}": name for name in MATRIX_COLUMNS}
#: Of these, and one more, what is compared with nodes assigned to heads at random.
NULL_COLUMNS = ("n_clusters", "cluster_size", "diagonal", "noise", "exclusive")
#: Of these, what the readings of SHP are compared in.
MOVED_COLUMNS = ("n_clusters", "cluster_size", "diagonal", "noise", "snr")


def ownership_table(heads: xr.Dataset) -> pd.DataFrame:
    """Labels owned by every head and block compared with chance: P1 (arXiv:2501.12900) section 4.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.

    Returns
    -------
    DataFrame
        One row a head, and one with head ``all`` for each block and seed; last block first. ``owned``;
        ``by_chance`` and ``by_chance_deviation`` (nodes shuffled among heads; exact mean); ``p``; ``q``
        (adjusted over blocks and heads of the seed; of ``all`` over blocks); ``owned_evident``: owned and the
        label itself has too uneven appearances for chance.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> table = ownership_table(head_tables_example())
    >>> list(table.columns)
    ['block', 'seed', 'head', 'owned', 'by_chance', 'by_chance_deviation', 'p', 'q', 'owned_evident']
    """
    rows = []
    for block, seed, chosen in blocks_and_seeds(heads):
        parts = [(str(h + 1), chosen.isel(head=h), "n_owned") for h in range(int(chosen.n_heads))]
        for head, part, name in [*parts, ("all", chosen, "n_owned_total")]:
            row = {"block": block, "seed": seed, "head": head, "owned": int(part[name])}
            ends = {"by_chance": "_null", "by_chance_deviation": "_null_deviation", "p": "_p", "q": "_q"}
            row |= {column: float(part[name + end]) for column, end in ends.items()}
            rows.append(row | {"owned_evident": int(part.n_owned_evident.sum())})
    return pd.DataFrame(rows)


def filling_table(heads: xr.Dataset) -> pd.DataFrame:
    """Superclasses filled by the labels of each head and by random labels: P1 (arXiv:2501.12900) Table 4.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.

    Returns
    -------
    DataFrame
        One row a head: ``owned`` and ``owned_by_chance`` (nodes shuffled among heads), then for i = 1, 2, …,
        s ``filled_i`` (superclasses of which it owns i labels), ``random_i`` and ``random_i_deviation`` (the
        exact law for as many random labels); ``pairs`` of its labels that share a superclass,
        ``pairs_random``, ``pairs_p`` (exact) and ``pairs_q`` (adjusted over blocks and heads).

    Raises
    ------
    SymbreakError
        If the labels have no superclasses.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> filling_table(head_tables_example()).filled_1.dtype
    dtype('int64')
    """
    if "filling_count" not in heads:
        raise SymbreakError("The labels have no superclasses; leave their table out for this data set.")
    rows = []
    for block, seed, chosen in blocks_and_seeds(heads):
        for place in range(int(chosen.n_heads)):
            head = chosen.isel(head=place)
            row: dict[str, float] = {
                "block": block,
                "seed": seed,
                "head": place + 1,
                "owned": int(head.n_owned),
            }
            row["owned_by_chance"] = float(head.n_owned_null)
            row["owned_by_chance_deviation"] = float(head.n_owned_null_deviation)
            for i in head.filling.values[1:]:
                filled = head.sel(filling=i)
                row[f"filled_{i}"] = int(filled.filling_count)
                row[f"random_{i}"] = float(filled.filling_count_null)
                row[f"random_{i}_deviation"] = float(filled.filling_count_null_deviation)
            row |= {"pairs": int(head.pairs), "pairs_random": float(head.pairs_null)}
            rows.append(row | {"pairs_p": float(head.pairs_p), "pairs_q": float(head.pairs_q)})
    return pd.DataFrame(rows)


def matrix_table(
    heads: xr.Dataset, threshold: float = 0.3, printed: Mapping[int, PrintedNetwork] | None = None
) -> pd.DataFrame:
    """Statistics of the matrices of heads: the columns of P2 (arXiv:2506.23832) Table 1.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    threshold : float
        The nearest scanned one is taken.
    printed : mapping of block to PrintedNetwork, optional
        Rows of P2 Table 1, see :func:`symbreak.printed.networks.printed_blocks`, put next to ours.

    Returns
    -------
    DataFrame
        One row a block, the last first: ``heads``, ``accuracy``, ``n_clusters`` (N_c), ``cluster_size``
        (C_s), ``diagonal`` (Diag), ``noise`` (n), ``signal`` (N_label), ``noise_external`` (N_noise),
        ``noise_internal`` (N_inter), ``snr`` (SNR), each with ``_error``; ``threshold``, ``seeds``,
        ``error``. ``n_clusters_by_chance`` … are those of nodes assigned to heads at random, with the
        two-sided ``_p`` (of all seeds, Stouffer); ``exclusive`` counts labels held by exactly one head. Where
        the other heads were also silenced at the input of the probe (`measurement.head_silencing`), each
        block has a second row: ``silenced`` is readout or input, and ``n_clusters_change`` … say how far the
        second reading moves, relative to the first.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> matrix_table(head_tables_example()).block.tolist()
    [2, 1]
    """
    chosen = at_threshold(heads, threshold)
    table = _matrix_rows(chosen, "head_")
    table = with_printed(table, [(printed or {}).get(int(block)) for block in table.block])
    if "head_input_snr" in chosen:
        other = _matrix_rows(chosen, "head_input_")
        for name in MOVED_COLUMNS:
            table[f"{name}_change"], other[f"{name}_change"] = np.nan, other[name] / table[name] - 1
        for number, (part, place) in enumerate(((table, "readout"), (other, "input"))):
            part.insert(2, "silenced", place)
            part.index = part.index * 2 + number
        table = pd.concat([table, other])
        table = table.sort_index(ignore_index=True)
    return with_repetitions(table, heads, chosen.threshold)


def _matrix_rows(chosen: xr.Dataset, prefix: str) -> pd.DataFrame:
    """One row a block, the last first, of one reading of SHP."""
    seeded = with_seeds(chosen)
    columns = {"block": chosen.block.values, "heads": seeded.n_heads.isel(seed=0).values}
    names = {"accuracy": "accuracy"} | {f"{prefix}{name}": name for name in MATRIX_COLUMNS}
    columns |= measured(chosen, {name: column for name, column in names.items() if name in chosen})
    for name in NULL_COLUMNS if prefix == "head_" and "head_exclusive_null" in chosen else ():
        if name == "exclusive":
            columns |= measured(chosen, {"head_exclusive": name})
        columns[f"{name}_by_chance"] = seeded[f"head_{name}_null"].mean("seed").values
        columns[f"{name}_p"] = [_two_sided(part, f"head_{name}") for _, part in seeded.groupby("block")]
    return pd.DataFrame(columns).sort_values("block", ascending=False, ignore_index=True)


def _two_sided(block: xr.Dataset, name: str) -> float:
    """Of a file with two-sided p-values: that of all seeds."""
    value, null, p = (block[f"{name}{end}"].values.ravel() for end in ("", "_null", "_p"))
    return combined_two_sided(p, value > null)


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
        What is printed for a network, put next to ours at the tap ``attention``.

    Returns
    -------
    DataFrame
        One row a network and tap, few heads first: ``network``, ``tap``, ``block``, ``heads`` (H),
        ``head_size`` (nodes of a head), ``network_accuracy``, ``accuracy`` (of the classifier head at the
        tap), then the columns of :func:`matrix_table`, with errors.

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
    parts = []
    for (network, tap), dataset in heads.items():
        last = at_threshold(dataset, threshold).isel(block=-1)
        first = with_seeds(last).isel(seed=0)
        row = {"network": network, "tap": tap, "block": int(last.block), "heads": int(first.n_heads)}
        row |= {"head_size": int(first.n_nodes.max())} | measured(
            last, {"network_accuracy": "network_accuracy"}
        )
        row |= measured(last, LAST_BLOCK_COLUMNS)
        parts.append(with_repetitions(pd.DataFrame([row]), dataset, last.threshold))
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["tap", "heads", "network"], kind="stable", ignore_index=True)
    known = [
        printed.get(network) if printed and tap == "attention" else None
        for network, tap in zip(table.network, table.tap)
    ]
    return with_printed(table, known)


def sentences(heads: xr.Dataset) -> list[str]:
    """Say of every block, and of every seed of it, whether the heads divide the labels beyond chance.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.

    Returns
    -------
    list of str
        The last block first; of several seeds all together, then seed by seed. See
        :func:`symbreak.observables.block_sentences`.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> sentences(head_tables_example())[0].startswith("Block 2: ")
    True
    """
    seeded = with_seeds(heads)
    parts = [("", heads)]
    if seeded.sizes["seed"] > 1:
        parts += [(f"Seed {seed}, b", seeded.sel(seed=seed)) for seed in seeded.seed.values]
    return [
        start + found.sentence[1:] if start else found.sentence
        for start, part in parts
        for found in block_sentences(part)
    ]
