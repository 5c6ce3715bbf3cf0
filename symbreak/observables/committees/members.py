"""Members of a committee: networks that were evaluated on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import SymbreakError


class Member(NamedTuple):
    """One trained network as it votes.

    Attributes
    ----------
    network
        Name; of another experiment with the name of that in front.
    seed
        Of its training.
    fields, truth
        Raw outputs (images, labels) and true labels (images,).
    images
        What the images are, to compare: of equal members it is equal.
    nominal_latency
        Sequential layers, convolutions + 4 blocks + 1 (P2 section 3); NaN if unknown.
    measured_latency
        Seconds for one image; NaN where not measured.
    """

    network: str
    seed: int
    fields: NDArray[np.floating]
    truth: NDArray[np.integer]
    images: str = ""
    nominal_latency: float = float("nan")
    measured_latency: float = float("nan")


def require_same_images(member: Member, first: Member) -> None:
    """Refuse a member that was measured on other images or labels than the first.

    Raises
    ------
    SymbreakError
        If labels or images differ.

    Examples
    --------
    >>> one = Member("a", 1, np.zeros((3, 2)), np.array([0, 1, 1]))
    >>> require_same_images(one._replace(seed=2), one)
    """
    name = f"{member.network} (seed {member.seed})"
    labels, wanted = member.fields.shape[1], first.fields.shape[1]
    if labels != wanted:
        raise SymbreakError(
            f"{name} has {labels} labels and {first.network} has {wanted}; take members of one data set."
        )
    if member.images != first.images or not np.array_equal(member.truth, first.truth):
        raise SymbreakError(
            f"{name} was measured on other images ({member.images}) than {first.network} "
            f"({first.images}); take members that were measured on the same."
        )


def one_seed_each(members: Sequence[Member], networks: Sequence[str]) -> list[tuple[int, ...]]:
    """Committees of several networks, one for each seed that all of them have.

    Where the networks share no seed (other experiments may number them otherwise), the first seeds of all
    make the first committee, and so on.

    Examples
    --------
    >>> one = Member("a", 1, np.zeros((3, 2)), np.zeros(3, int))
    >>> pool = [one, one._replace(seed=2), one._replace(network="b"), one._replace(network="b", seed=2)]
    >>> one_seed_each(pool, ["a", "b"])
    [(0, 2), (1, 3)]
    """
    places = [
        {member.seed: place for place, member in enumerate(members) if member.network == network}
        for network in networks
    ]
    common = sorted(set.intersection(*(set(found) for found in places)))
    if common:
        return [tuple(found[seed] for found in places) for seed in common]
    ranked = [[found[seed] for seed in sorted(found)] for found in places]
    return list(zip(*ranked, strict=False))


def members_by_network(members: Sequence[Member]) -> dict[str, list[int]]:
    """Places of the members of each network.

    Examples
    --------
    >>> one = Member("a", 1, np.zeros((3, 2)), np.zeros(3, int))
    >>> members_by_network([one, one._replace(network="b"), one._replace(seed=2)])
    {'a': [0, 2], 'b': [1]}
    """
    found: dict[str, list[int]] = {}
    for place, member in enumerate(members):
        found.setdefault(member.network, []).append(place)
    return found


def same_and_diverse(
    members: Sequence[Member], size: int, draws: int, seed: int = 0
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Committees of one size: seeds of one network, and different networks with one seed each.

    Parameters
    ----------
    members : sequence of Member
    size : int
    draws : int
        So many of each are drawn at random where there are more.
    seed : int

    Examples
    --------
    >>> one = Member("a", 1, np.zeros((3, 2)), np.zeros(3, int))
    >>> pool = [one, one._replace(seed=2), one._replace(network="b"), one._replace(network="b", seed=2)]
    >>> same_and_diverse(pool, 2, draws=100)
    ([(0, 1), (2, 3)], [(0, 2), (0, 3), (1, 2), (1, 3)])
    """
    by_network = members_by_network(members)
    rng = np.random.default_rng(seed)
    same = _draw([(places, size) for places in by_network.values()], draws, rng)
    diverse = _draw_diverse(list(by_network.values()), size, draws, rng)
    return same, diverse


def _draw(pools: list[tuple[list[int], int]], draws: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Subsets of the pools: all in order, or so many at random."""
    counts = [comb(len(places), size) for places, size in pools]
    if sum(counts) <= draws:
        return [subset for places, size in pools for subset in combinations(places, size)]
    chance = np.array(counts) / sum(counts)
    found: set[tuple[int, ...]] = set()
    while len(found) < draws:
        places, size = pools[rng.choice(len(pools), p=chance)]
        found.add(tuple(sorted(rng.choice(places, size, replace=False).tolist())))
    return sorted(found)


def _draw_diverse(
    networks: list[list[int]], size: int, draws: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Committees of `size` different networks, one member of each: all in order, or so many at random."""
    if size > len(networks):
        return []
    # sum over subsets of the product of their sizes: elementary symmetric polynomial
    ways = np.zeros(size + 1)
    ways[0] = 1
    for places in networks:
        ways[1:] += ways[:-1] * len(places)
    if ways[size] <= draws:
        return [choice for subset in combinations(networks, size) for choice in product(*subset)]
    found: set[tuple[int, ...]] = set()
    while len(found) < draws:
        chosen = rng.choice(len(networks), size, replace=False)
        found.add(tuple(sorted(int(rng.choice(networks[place])) for place in chosen)))
    return sorted(found)
