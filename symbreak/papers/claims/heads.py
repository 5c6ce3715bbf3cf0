"""Claims of P1 (arXiv:2501.12900), section 4, and P2 (arXiv:2506.23832), section 2, on attention heads."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.papers.claims.claim import (
    CERTAIN,
    FAILS,
    HOLDS,
    LEVEL,
    OPEN,
    Claim,
    against_chance,
    judge_trend,
    plain,
)
from symbreak.results.averages import at_threshold, mean_and_error


def judge_heads(heads: xr.Dataset, threshold: float) -> list[Claim]:
    """Test whether heads own labels beyond chance, and what their matrices (SHP) do along the blocks.

    Parameters
    ----------
    heads : Dataset
        Analysis of the heads at the tap ``attention``, joined over seeds.
    threshold : float
        Threshold of the tables.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> judge_heads(head_tables_example(), 0.3)[0].claim
    'heads of the last block own labels, at twice the count of any other'
    """
    claims = [_owned(heads), _owned_trend(heads), _best_head(heads)]
    if "pairs_total" in heads:
        claims.append(_filling(heads))
    if "head_noise" in heads:
        chosen = at_threshold(heads, threshold)
        noise = "noise n of the matrices of heads (SHP) falls along the blocks"
        size = "C_s of the matrices of heads (SHP) falls to 1 along the blocks"
        claims += [
            judge_trend(chosen, "head_noise", noise, "235 to 12.5", -1, _by_lot(chosen, "noise")),
            judge_trend(
                chosen, "head_cluster_size", size, "1.39 to 1.03", -1, _by_lot(chosen, "cluster_size")
            ),
            _node_mean(chosen),
        ]
        claims += [_exclusive(chosen)] if "head_exclusive" in chosen else []
    return claims


def _by_lot(chosen: xr.Dataset, name: str) -> str:
    """First and last block of the same statistic when nodes are assigned to heads at random."""
    if f"head_{name}_null" not in chosen:
        return ""
    chance = mean_and_error(chosen[[f"head_{name}_null"]], f"head_{name}_null")[0].values
    first, last = (plain(chance[end], np.nan) for end in (0, -1))
    return f"{first} to {last} where nodes are assigned to heads at random"


def _exclusive(chosen: xr.Dataset) -> Claim:
    held, error = mean_and_error(chosen, "head_exclusive")
    chance, p = against_chance(chosen, "head_exclusive")
    return Claim(
        "the matrices of the heads of the last block (SHP) hold different labels",
        "implied, no number",
        f"{plain(held.values[-1], error.values[-1])} labels held by exactly one head",
        f"{chance:.1f} by chance, two-sided p = {p:.2g} (largest of the seeds)",
        OPEN if np.isnan(p) else HOLDS if p < LEVEL and float(held[-1]) > chance else FAILS,
    )


def _owned(heads: xr.Dataset) -> Claim:
    total, error = mean_and_error(heads, "n_owned_total")
    chance, p = against_chance(heads, "n_owned_total")
    ours = f"{plain(total.values[-1], error.values[-1])} labels owned in the last block"
    null = f"{chance:.1f} by chance, p = {p:.2g} (largest of the seeds)"
    verdict = HOLDS if p < LEVEL and float(total[-1]) > chance else FAILS
    return Claim(
        "heads of the last block own labels, at twice the count of any other",
        "74 of 100",
        ours,
        null,
        verdict,
    )


def _owned_trend(heads: xr.Dataset) -> Claim:
    def excess(dataset: xr.Dataset) -> xr.Dataset:
        return xr.Dataset({"excess": dataset.n_owned_total - dataset.n_owned_total_null})

    mean, error = mean_and_error(excess(heads), "excess")
    scatter = float(np.nan_to_num(np.hypot(error.values[0], error.values[-1])))
    holds = float(mean.values[-1] - mean.values[0]) > CERTAIN * scatter
    first, last = (plain(mean.values[end], error.values[end]) for end in (0, -1))
    return Claim(
        "labels owned beyond chance grow along the blocks",
        "39 (block 6) to 74 (block 7), no null",
        f"{first} to {last} above chance",
        "excess over the node-shuffle null",
        HOLDS if holds else FAILS,
    )


def _best_head(heads: xr.Dataset) -> Claim:
    mean, error = mean_and_error(heads, "owner_agreement")
    chance, p = against_chance(heads, "owner_agreement")
    return Claim(
        "the owner of a label is the head that recognises it best",
        "strong, not perfect",
        f"{plain(mean.values[-1], error.values[-1])} of owned labels in the last block",
        f"{chance:.2f} by chance, p = {p:.2g}",
        OPEN if np.isnan(p) else HOLDS if p < LEVEL else FAILS,
    )


def _filling(heads: xr.Dataset) -> Claim:
    pairs, error = mean_and_error(heads, "pairs_total")
    chance, p = against_chance(heads, "pairs_total")
    known = not (np.isnan(p) or np.isnan(chance))
    return Claim(
        "the labels of a head fill superclasses beyond the exact law of uniform labels",
        "head 1 fills two superclasses, 0.009 expected",
        f"{plain(pairs.values[-1], error.values[-1])} pairs of labels of one head and superclass, last block",
        f"{chance:.1f} by chance, p = {p:.2g} (largest of the seeds)",
        (HOLDS if p < LEVEL and float(pairs[-1]) > chance else FAILS) if known else OPEN,
    )


def _node_mean(chosen: xr.Dataset) -> Claim:
    """P2 Fig. 4: the mean of a head's node matrices (HP) resembles its own matrix (SHP)."""
    same, error = (part.values[-1] for part in mean_and_error(chosen, "agreement"))
    other, scatter = (part.values[-1] for part in mean_and_error(chosen, "agreement_other_heads"))
    certain = CERTAIN * float(np.nan_to_num(np.hypot(error, scatter)))
    return Claim(
        "the mean node matrix of a head (HP) resembles its matrix (SHP)",
        "similar (P2 Fig. 4)",
        f"{plain(same, error)} of the elements above threshold are common, last block",
        f"{plain(other, scatter)} between different heads",
        OPEN if np.isnan(other) or np.isnan(same) else HOLDS if same - other > certain else FAILS,
    )
