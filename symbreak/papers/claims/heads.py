"""Claims of P1 (arXiv:2501.12900), section 4, and P2 (arXiv:2506.23832), section 2, on attention heads."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.papers.claims.claim import Claim, against_chance, decide, per_seed, plain, untested
from symbreak.papers.claims.trends import judge_trend
from symbreak.results.averages import at_threshold, mean_and_error

#: Labels more than by chance, or from block to block, that matter.
SMALLEST_COUNT = 1.0


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
            _falls(chosen, "head_noise", noise, "235 to 12.5"),
            _falls(chosen, "head_cluster_size", size, "1.39 to 1.03"),
            _node_mean(chosen),
        ]
        claims += [_exclusive(chosen)] if "head_exclusive" in chosen else []
    return claims


def _falls(chosen: xr.Dataset, name: str, claim: str, printed: str) -> Claim:
    """A fall along the blocks, also compared with nodes that are assigned to heads at random."""
    if f"{name}_null" not in chosen:
        return judge_trend(chosen, name, claim, printed, -1)
    chance = per_seed(chosen, f"{name}_null")
    first, last = (plain(chance[:, end].mean(), np.nan) for end in (0, -1))
    words = f"{first} to {last} where nodes are assigned to heads at random"
    return judge_trend(chosen, name, claim, printed, -1, words, chance)


def _exclusive(chosen: xr.Dataset) -> Claim:
    held, error = mean_and_error(chosen, "head_exclusive")
    found = against_chance(chosen, "head_exclusive", two_sided=True)
    return Claim(
        "the matrices of the heads of the last block (SHP) hold different labels",
        "implied, no number",
        f"{plain(held.values[-1], error.values[-1])} labels held by exactly one head",
        found.words,
        decide(found.p, found.excess, SMALLEST_COUNT),
        found.p,
    )


def _owned(heads: xr.Dataset) -> Claim:
    total, error = mean_and_error(heads, "n_owned_total")
    found = against_chance(heads, "n_owned_total")
    return Claim(
        "heads of the last block own labels, at twice the count of any other",
        "74 of 100",
        f"{plain(total.values[-1], error.values[-1])} labels owned in the last block",
        found.words,
        decide(found.p, found.excess, SMALLEST_COUNT),
        found.p,
    )


def _owned_trend(heads: xr.Dataset) -> Claim:
    return judge_trend(
        heads.assign(excess=heads.n_owned_total - heads.n_owned_total_null),
        "excess",
        "labels owned beyond chance grow along the blocks",
        "39 (block 6) to 74 (block 7), no null",
        1,
        "excess over the node-shuffle null",
        smallest=SMALLEST_COUNT,
    )


def _best_head(heads: xr.Dataset) -> Claim:
    mean, error = mean_and_error(heads, "owner_agreement")
    found = against_chance(heads, "owner_agreement")
    return untested(
        "the owner of a label is the head that recognises it best",
        "strong, not perfect",
        f"{plain(mean.values[-1], error.values[-1])} of owned labels in the last block",
        f"{_chance(heads, 'owner_agreement')} where owners are shuffled, which does not test heads: any "
        "group of nodes with more of a label's nodes recognises it better",
        [found.p, found.excess],
    )


def _filling(heads: xr.Dataset) -> Claim:
    pairs, error = mean_and_error(heads, "pairs_total")
    found = against_chance(heads, "pairs_total")
    return untested(
        "the labels of a head fill superclasses beyond the exact law of uniform labels",
        "head 1 fills two superclasses, 0.009 expected",
        f"{plain(pairs.values[-1], error.values[-1])} pairs of labels of one head and superclass, last block",
        f"{_chance(heads, 'pairs_total')} where labels are uniform, which does not test heads: similar "
        "labels share nodes, so groups of nodes taken at random fill superclasses too",
        [found.p, found.excess],
    )


def _chance(heads: xr.Dataset, name: str) -> str:
    """Value of the last block under the null of the file, mean over seeds."""
    return plain(per_seed(heads, f"{name}_null")[:, -1].mean(), np.nan)


def _node_mean(chosen: xr.Dataset) -> Claim:
    """P2 Fig. 4: the mean of a head's node matrices (HP) resembles its own matrix (SHP)."""
    same, error = (part.values[-1] for part in mean_and_error(chosen, "agreement"))
    other, scatter = (part.values[-1] for part in mean_and_error(chosen, "agreement_other_heads"))
    return untested(
        "the mean node matrix of a head (HP) resembles its matrix (SHP)",
        "similar (P2 Fig. 4)",
        f"{plain(same, error)} of the elements above threshold are common, last block",
        f"{plain(other, scatter)} between different heads, which does not test heads: groups of nodes taken "
        "at random resemble their own matrix as much",
        [same, other],
    )
