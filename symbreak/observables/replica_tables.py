"""From the heads of several seeds to the question whether independent trainings divide the labels alike."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from symbreak.config import Heads
from symbreak.errors import SymbreakError
from symbreak.observables.estimates import UNDEFINED, Estimate, benjamini_hochberg
from symbreak.observables.head_meanings import with_meaning
from symbreak.observables.replicas import (
    binder_cumulant,
    overlap_susceptibility,
    replica_overlap,
    susceptibility,
)

#: What measures fluctuations between seeds, and refuses too few of them.
FLUCTUATIONS = {
    "binder_cumulant": binder_cumulant,
    "susceptibility": susceptibility,
    "overlap_susceptibility": overlap_susceptibility,
}
FIELDS = {
    "": "value",
    "_stderr": "standard_error",
    "_null": "null",
    "_null_deviation": "null_deviation",
    "_p": "p_value",
}


def replica_tables(joined: xr.Dataset, heads: Heads | None = None) -> xr.Dataset:
    """Overlaps of the divisions of labels between seeds and between blocks, with null, error and p-value.

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
        ``_stderr`` (over labels), ``_null`` (labels of one side shuffled), ``_null_deviation``, ``_p``,
        ``_q`` (Benjamini and Hochberg over all pairs and blocks), symmetric, NaN on the diagonal, between
        blocks of different numbers of heads and in blocks of one head. With at least ten seeds also
        `binder_cumulant`, `susceptibility` and `overlap_susceptibility` on (block); with fewer the attribute
        `fluctuations` says why not.

    Raises
    ------
    SymbreakError
        If the file holds one seed without the dimension `seed`.

    Examples
    --------
    >>> division = np.kron(np.eye(2, dtype=int), np.full((1, 8), 7))
    >>> joined = xr.Dataset(
    ...     {
    ...         "appearance": (("seed", "block", "head", "label"), [[division], [division[::-1]]]),
    ...         "n_heads": (("seed", "block"), [[2], [2]]),
    ...     },
    ...     {"seed": [1, 2], "block": [1]},
    ... )
    >>> table = replica_tables(joined, Heads(n_shuffles=99))
    >>> round(float(table.overlap[0, 0, 1]), 6), float(table.overlap_p[0, 0, 1])
    (1.0, 0.01)
    """
    if "seed" not in joined.appearance.dims:
        raise SymbreakError(
            "This file holds a single seed that was not joined; give the file of the network."
        )
    chosen = Heads() if heads is None else heads
    appearance = joined.appearance.transpose("seed", "block", "head", "label").values
    n_heads = joined.n_heads.transpose("seed", "block").values
    seeds, blocks = joined.seed.values, joined.block.values
    counts = [[appearance[s, b, : n_heads[s, b]] for b in range(blocks.size)] for s in range(seeds.size)]

    def overlap(one: tuple[int, int], two: tuple[int, int]) -> Estimate:
        first, second = counts[one[0]][one[1]], counts[two[0]][two[1]]
        if len(first) != len(second):
            return UNDEFINED
        draw = chosen.seed + 7919 * (one[0] * blocks.size + one[1]) + two[0] * blocks.size + two[1]
        return replica_overlap(first, second, chosen.n_shuffles, draw).overlap

    between_seeds = _pairs(seeds.size, blocks.size, lambda a, c, b: overlap((a, b), (c, b)))
    between_blocks = _pairs(blocks.size, seeds.size, lambda a, c, s: overlap((s, a), (s, c)))
    variables: dict[str, tuple] = {}
    for suffix, field in FIELDS.items():
        i = Estimate._fields.index(field)
        variables[f"overlap{suffix}"] = (("block", "seed", "other_seed"), between_seeds[..., i])
        variables[f"block_overlap{suffix}"] = (("seed", "block", "other_block"), between_blocks[..., i])
    for name in ("overlap", "block_overlap"):
        dims, tested = variables[f"{name}_p"]
        variables[f"{name}_q"] = (dims, _adjusted_pairs(tested))
    coordinates = {"seed": seeds, "other_seed": seeds, "block": blocks, "other_block": blocks}
    table = xr.Dataset(variables, coordinates)
    return with_meaning(_with_fluctuations(table, counts, n_heads).transpose("seed", "block", ...))


def _pairs(n: int, repetitions: int, measure) -> NDArray[np.float64]:
    """Symmetric table (repetition, n, n, field) of estimates of pairs."""
    table = np.full((repetitions, n, n, len(Estimate._fields)), np.nan)
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


def _with_fluctuations(table: xr.Dataset, counts: list[list[NDArray]], n_heads: NDArray) -> xr.Dataset:
    """Add what fluctuates between seeds, or the reason why it is left out."""
    if (n_heads != n_heads[:1]).any():
        return table.assign_attrs(fluctuations="The seeds differ in their numbers of heads.")
    by_block = [np.stack([seed[block] for seed in counts]) for block in range(n_heads.shape[1])]
    for name, measure in FLUCTUATIONS.items():
        try:
            values = [measure(replicas) for replicas in by_block]
        except SymbreakError as refusal:
            return table.assign_attrs(fluctuations=str(refusal))
        table[name] = ("block", np.array([value.value for value in values]))
        table[f"{name}_stderr"] = ("block", np.array([value.standard_error for value in values]))
    return table
