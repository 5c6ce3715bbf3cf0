"""From the heads of several seeds to the question whether independent trainings divide the labels alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from symbreak.config import Heads
from symbreak.errors import SymbreakError
from symbreak.numerics.estimates import SUFFIXES, UNDEFINED, benjamini_hochberg, compare_with_null
from symbreak.observables.heads.nulls import shuffle_nodes
from symbreak.observables.heads.replicas import (
    binder_cumulant,
    overlap_matrix,
    overlap_susceptibility,
    replica_overlap,
    susceptibility,
)
from symbreak.store import describe

#: What measures fluctuations between seeds, and refuses too few of them.
FLUCTUATIONS = {
    "binder_cumulant": binder_cumulant,
    "susceptibility": susceptibility,
    "overlap_susceptibility": overlap_susceptibility,
}
#: Suffixes of an overlap: those of an estimate, then the null of shuffled labels.
OVERLAP_SUFFIXES = (*SUFFIXES, "_labels_null", "_labels_p")


def replica_tables(joined: xr.Dataset, heads: Heads | None = None) -> xr.Dataset:
    """Overlaps of the divisions of labels between seeds and between blocks, with nulls, errors and p-values.

    Labels that look alike meet in the clusters of one node in every training. They then share a head by
    chance in both replicas, and an overlap stands out of shuffled labels though heads mean nothing. The first
    null therefore shuffles the nodes of both replicas among their heads, which leaves the labels of a node
    together.

    Parameters
    ----------
    joined : Dataset
        Heads of one tap, joined over seeds.
    heads : Heads, optional
        Number and seed of the null draws.

    Returns
    -------
    Dataset
        `overlap` on (seed, block, other_seed) and `block_overlap` on (seed, block, other_block), each with
        ``_stderr`` (over labels), ``_null`` (nodes of both shuffled among heads), ``_null_deviation``,
        ``_p``, ``_labels_null`` and ``_labels_p`` (labels of one shuffled), ``_q`` (the larger of both p,
        adjusted by Benjamini and Hochberg over all pairs and blocks); symmetric, NaN on the diagonal, between
        blocks of different numbers of heads and in blocks of one head. With at least ten seeds also
        `binder_cumulant`, `susceptibility` and `overlap_susceptibility` on (block); with fewer the attribute
        `fluctuations` says why not.

    Raises
    ------
    SymbreakError
        If the file holds one seed without the dimension `seed`.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> table = replica_tables(head_tables_example(seeds=2), Heads(n_shuffles=99))
    >>> table.overlap.dims, table.attrs["fluctuations"][:43]
    (('seed', 'block', 'other_seed'), 'The Binder cumulant needs at least 10 seeds')
    """
    if "seed" not in joined.appearance.dims:
        raise SymbreakError(
            "This file holds a single seed that was not joined; give the file of the network."
        )
    chosen = Heads() if heads is None else heads
    n_heads = joined.n_heads.transpose("seed", "block").values
    seeds, blocks = joined.seed.values, joined.block.values
    counts, null = _replicas(joined, n_heads, chosen)

    def overlap(one: tuple[int, int], two: tuple[int, int]) -> list[float]:
        first, second = counts[one[0]][one[1]], counts[two[0]][two[1]]
        if len(first) != len(second):
            return [*UNDEFINED, np.nan, np.nan]
        draw = chosen.seed + 7919 * (one[0] * blocks.size + one[1]) + two[0] * blocks.size + two[1]
        labels = replica_overlap(first, second, chosen.n_shuffles, draw).overlap
        if not np.isfinite(labels.value):
            return [*UNDEFINED, np.nan, np.nan]
        pairs = zip(null[one[0]][one[1]], null[two[0]][two[1]])
        draws = [overlap_matrix(np.stack(pair))[0, 1] for pair in pairs]
        return [*compare_with_null(labels.value, labels.standard_error, draws), labels.null, labels.p_value]

    between_seeds = _pairs(seeds.size, blocks.size, lambda a, c, b: overlap((a, b), (c, b)))
    between_blocks = _pairs(blocks.size, seeds.size, lambda a, c, s: overlap((s, a), (s, c)))
    variables: dict[str, tuple] = {}
    for i, suffix in enumerate(OVERLAP_SUFFIXES):
        variables[f"overlap{suffix}"] = (("block", "seed", "other_seed"), between_seeds[..., i])
        variables[f"block_overlap{suffix}"] = (("seed", "block", "other_block"), between_blocks[..., i])
    for name in ("overlap", "block_overlap"):
        dims, tested = variables[f"{name}_p"]
        # Each null misses something: one lowers the order of replicas, the other parts labels of a node.
        both = np.maximum(tested, variables[f"{name}_labels_p"][1])
        variables[f"{name}_q"] = (dims, _adjusted_pairs(both))
    coordinates = {"seed": seeds, "other_seed": seeds, "block": blocks, "other_block": blocks}
    table = _with_fluctuations(xr.Dataset(variables, coordinates), counts, null, n_heads)
    return describe(table.transpose("seed", "block", ...), "replicas")


def _replicas(
    joined: xr.Dataset, n_heads: NDArray, heads: Heads
) -> tuple[list[list[NDArray]], list[list[NDArray]]]:
    """Appearances of every seed and block without missing heads, and their null draws."""
    appearance = joined.appearance.transpose("seed", "block", "head", "label").values
    membership = joined.membership.transpose("seed", "block", "node", "label").values
    head_of_node = joined.head_of_node.broadcast_like(joined.membership.isel(seed=0, label=0))
    assigned = head_of_node.transpose("block", "node").values.astype(np.int64)
    counts: list[list[NDArray]] = []
    null: list[list[NDArray]] = []
    for s in range(len(n_heads)):
        places = range(n_heads.shape[1])
        counts.append([appearance[s, b, : n_heads[s, b]] for b in places])
        draws = [heads.seed + 1000 * b + 100_003 * (s + 1) for b in places]
        null.append(
            [shuffle_nodes(membership[s, b], assigned[b], heads.n_shuffles, draws[b]) for b in places]
        )
    return counts, null


def _pairs(n: int, repetitions: int, measure: Callable[[int, int, int], list[float]]) -> NDArray[np.float64]:
    """Symmetric table (repetition, n, n, field) of estimates of pairs."""
    table = np.full((repetitions, n, n, len(OVERLAP_SUFFIXES)), np.nan)
    for repetition in range(repetitions):
        for a in range(n):
            for b in range(a + 1, n):
                table[repetition, a, b] = table[repetition, b, a] = measure(a, b, repetition)
    return table


def _adjusted_pairs(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini-Hochberg with each pair counted once."""
    upper = np.triu(np.ones(p_values.shape[-2:], dtype=bool), 1)
    adjusted = benjamini_hochberg(np.where(upper, p_values, np.nan))
    return np.where(upper, adjusted, np.swapaxes(adjusted, -1, -2))


def _with_fluctuations(
    table: xr.Dataset, counts: list[list[NDArray]], null: list[list[NDArray]], n_heads: NDArray
) -> xr.Dataset:
    """Add what fluctuates between seeds, or the reason why it is left out."""
    if (n_heads != n_heads[:1]).any():
        return table.assign_attrs(fluctuations="The seeds differ in their numbers of heads.")
    places = range(n_heads.shape[1])
    for name, measure in FLUCTUATIONS.items():
        # Every draw of the overlaps aligns all pairs again: fewer of them are enough.
        kept = slice(0, 199 if name == "overlap_susceptibility" else None)
        try:
            values = [
                measure(
                    np.stack([seed[b] for seed in counts]), np.stack([seed[b][kept] for seed in null], axis=1)
                )
                for b in places
            ]
        except SymbreakError as refusal:
            return table.assign_attrs(fluctuations=str(refusal))
        for suffix, column in zip(SUFFIXES, np.array([tuple(value) for value in values]).T):
            table[f"{name}{suffix}"] = ("block", column)
    return table
