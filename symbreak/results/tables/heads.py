"""Tables of the head analysis: every count beside what chance gives, with adjusted p-values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.printed.networks import PrintedNetwork, with_printed
from symbreak.results.errors import at_threshold, estimate, repetitions

#: Order parameters shown, with the words of an axis.
ORDER_NAMES: dict[str, str] = {
    "potts_order": "Potts order $M$ (1)",
    "edwards_anderson": "Edwards–Anderson $q$ (1)",
    "edwards_anderson_unbiased": "$q$, counts corrected (1)",
    "entropy_order": "entropy order $1 - S$ (1)",
    "mutual_information": "information $I$ / ln $H$ (1)",
    "committee_contrast": "contrast $\\Delta$ (1)",
}
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
#: Of these, and besides, what nodes dealt out to the heads by lot are compared in.
NULL_COLUMNS = ("n_clusters", "cluster_size", "diagonal", "noise", "exclusive")
#: Of these, what the readings of SHP are compared in.
MOVED_COLUMNS = ("n_clusters", "cluster_size", "diagonal", "noise", "snr")


def with_seeds(heads: xr.Dataset) -> xr.Dataset:
    """Give a file of one seed the dimension seed.

    Examples
    --------
    >>> with_seeds(xr.Dataset({"appearance": ("label", [1])}, attrs={"seed": 4})).seed.values.tolist()
    [4]
    """
    return heads if "seed" in heads.dims else heads.expand_dims(seed=[int(heads.attrs.get("seed", 1))])


def of_seed(heads: xr.Dataset, seed: int | None = None) -> xr.Dataset:
    """Heads of one seed, by default the first.

    Raises
    ------
    SymbreakError
        If the file does not hold the seed.
    """
    seeded = with_seeds(heads)
    chosen = int(seeded.seed.values[0]) if seed is None else seed
    if chosen not in seeded.seed:
        raise SymbreakError(f"There is no seed {chosen} here; choose one of {seeded.seed.values.tolist()}.")
    return seeded.sel(seed=chosen)


def one_seed(chosen: xr.Dataset) -> int:
    """Number of the seed that :func:`of_seed` took."""
    return int(chosen.seed)


def errors_in_words(heads: xr.Dataset) -> str:
    """What the error bars of order parameters are.

    Examples
    --------
    >>> errors_in_words(xr.Dataset({"potts_order": 0.1}))
    'error bars: jackknife over nodes, over labels for counts (one seed)'
    """
    seeds, words = repetitions(heads)
    return f"error bars: {words if seeds > 1 else 'jackknife over nodes, over labels for counts (one seed)'}"


def ownership_table(heads: xr.Dataset) -> pd.DataFrame:
    """Labels owned by every head and block beside chance: P1 (arXiv:2501.12900) section 4.

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
    for _, _, chosen in blocks_and_seeds(heads):
        start = {"block": int(chosen.block), "seed": int(chosen.seed)}
        for place in range(int(chosen.n_heads)):
            head = chosen.isel(head=place)
            rows.append(start | {"head": str(place + 1)} | _owned(head, "n_owned", int(head.n_owned_evident)))
        rows.append(
            start | {"head": "all"} | _owned(chosen, "n_owned_total", int(chosen.n_owned_evident.sum()))
        )
    return pd.DataFrame(rows)


def _owned(row: xr.Dataset, name: str, evident: int) -> dict[str, float]:
    return {
        "owned": int(row[name]),
        "by_chance": float(row[f"{name}_null"]),
        "by_chance_deviation": float(row[f"{name}_null_deviation"]),
        "p": float(row[f"{name}_p"]),
        "q": float(row[f"{name}_q"]),
        "owned_evident": evident,
    }


def superclass_table(heads: xr.Dataset) -> pd.DataFrame:
    """Superclasses filled by the labels of each head beside random labels: P1 (arXiv:2501.12900) Table 4.

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
    >>> superclass_table(head_tables_example()).filled_1.dtype
    dtype('int64')
    """
    if "filling_count" not in heads:
        raise SymbreakError("The labels have no superclasses; leave their table out for this data set.")
    rows = []
    for _, _, chosen in blocks_and_seeds(heads):
        for place in range(int(chosen.n_heads)):
            head = chosen.isel(head=place)
            row: dict[str, float] = {"block": int(head.block), "seed": int(head.seed), "head": place + 1}
            row["owned"] = int(head.n_owned)
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
        Rows of P2 Table 1, see :func:`symbreak.printed.networks.printed_blocks`: ours beside them.

    Returns
    -------
    DataFrame
        One row a block, the last first: ``heads``, ``accuracy``, ``n_clusters`` (N_c), ``cluster_size``
        (C_s), ``diagonal`` (Diag), ``noise`` (n), ``signal`` (N_label), ``noise_external`` (N_noise),
        ``noise_internal`` (N_inter), ``snr`` (SNR), each with ``_error``; ``threshold``, ``seeds``,
        ``error``. ``n_clusters_by_chance`` … are those of nodes dealt out to the heads by lot, with the
        two-sided ``_p`` (largest of the seeds); ``exclusive`` counts labels held by exactly one head. Where
        the other heads were silenced at the input of the probe besides (`measurement.head_silencing`), each
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
    if printed:
        table = with_printed(table, [printed.get(int(block)) for block in table.block])
    if "head_input_snr" in chosen:
        other = _matrix_rows(chosen, "head_input_")
        for name in MOVED_COLUMNS:
            table[f"{name}_change"], other[f"{name}_change"] = np.nan, other[name] / table[name] - 1
        for number, (part, place) in enumerate(((table, "readout"), (other, "input"))):
            part.insert(2, "silenced", place)
            part.index = part.index * 2 + number
        table = pd.concat([table, other])
        table = table.sort_index(ignore_index=True)
    seeds, words = repetitions(heads)
    table["threshold"], table["seeds"], table["error"] = float(chosen.threshold), seeds, words
    return table


def _matrix_rows(chosen: xr.Dataset, prefix: str) -> pd.DataFrame:
    """One row a block, the last first, of one reading of SHP."""
    n_heads = with_seeds(chosen).n_heads.isel(seed=0).values
    table = pd.DataFrame({"block": chosen.block.values, "heads": n_heads})
    for name, variable in ({"accuracy": "accuracy"} | {n: f"{prefix}{n}" for n in MATRIX_COLUMNS}).items():
        if variable in chosen:
            mean, error = estimate(chosen, variable)
            table[name], table[f"{name}_error"] = mean.values, error.values
    for name in NULL_COLUMNS if prefix == "head_" and "head_exclusive_null" in chosen else ():
        if name == "exclusive":
            table[name], table[f"{name}_error"] = (part.values for part in estimate(chosen, "head_exclusive"))
        seeded = with_seeds(chosen)
        table[f"{name}_by_chance"] = seeded[f"head_{name}_null"].mean("seed").values
        table[f"{name}_p"] = seeded[f"head_{name}_p"].max("seed", skipna=False).values
    return table.sort_values("block", ascending=False, ignore_index=True)


def order_table(heads: xr.Dataset, beside: Mapping[str, xr.Dataset] | None = None) -> pd.DataFrame:
    """Order parameters of every block beside their null values.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.
    beside : mapping of words to Dataset, optional
        Null models that were measured like the network: for each a column, its error and its own chance
        level.

    Returns
    -------
    DataFrame
        One row a block and order parameter, the last block first: ``value`` and ``value_error``,
        ``by_chance`` and ``by_chance_deviation`` (of one network), ``p``: the largest over the seeds. Besides
        the parameters of ``docs/heads.md`` the rows `owner_agreement` (owner recognises its label best; null:
        owners shuffled among labels) and `owner_advantage`.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> order_table(head_tables_example()).quantity[0]
    'potts_order'
    """
    seeded, rows = with_seeds(heads), []
    names = [*ORDER_NAMES, *(name for name in ("owner_agreement", "owner_advantage") if name in heads)]
    for block in heads.block.values[::-1]:
        for name in names:
            mean, error = (part.sel(block=block) for part in estimate(heads, name))
            chosen = seeded.sel(block=block)
            rows.append(
                {
                    "block": int(block),
                    "quantity": name,
                    "value": float(mean),
                    "value_error": float(error),
                    "by_chance": float(chosen[f"{name}_null"].mean("seed")),
                    "by_chance_deviation": float(chosen[f"{name}_null_deviation"].mean("seed")),
                    "p": float(chosen[f"{name}_p"].max("seed")),
                    **_others(beside or {}, name, int(block)),
                }
            )
    return pd.DataFrame(rows)


def _others(beside: Mapping[str, xr.Dataset], name: str, block: int) -> dict[str, float]:
    values: dict[str, float] = {}
    for words, other in beside.items():
        mean, error = (part.sel(block=block) for part in estimate(other, name))
        chance = with_seeds(other)[f"{name}_null"].sel(block=block).mean("seed")
        values |= {words: float(mean), f"{words}_error": float(error), f"{words}_by_chance": float(chance)}
    return values


def blocks_and_seeds(heads: xr.Dataset) -> Iterator[tuple[int, int, xr.Dataset]]:
    """Every block and seed, the last block first."""
    seeded = with_seeds(heads)
    for block in seeded.block.values[::-1]:
        for seed in seeded.seed.values:
            yield int(block), int(seed), seeded.sel(block=block, seed=seed)
