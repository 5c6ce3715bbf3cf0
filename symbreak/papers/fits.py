"""Which results measure the same as a printed table, whatever their budget."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from symbreak.config import Network
from symbreak.papers.results import Run

#: From the runs of one experiment to those that measure what a table shows.
Fits = Callable[[list[Run]], list[Run]]


def of_network(kind: str, tap: str | None = None, blocks: int = 1) -> Fits:
    """Runs of one kind and tap of a trained transformer with so many blocks or more; the deepest first."""

    def fits(runs: list[Run]) -> list[Run]:
        found = [
            run
            for run in runs
            if run.kind == kind
            and (tap is None or run.tap == tap)
            and run.own is not None
            and not run.own.convolutional
            and run.own.blocks >= blocks
        ]
        return sorted(found, key=lambda run: -(run.own.blocks if run.own else 0))

    return fits


def of_flowers(runs: list[Run]) -> list[Run]:
    """Heads of a transformer on Flowers-102."""
    return of_network("heads", "attention", 2)([run for run in runs if run.dataset == "flowers102"])


def with_superclasses(blocks: int) -> Fits:
    """Heads of a transformer with so many blocks whose labels have superclasses."""

    def fits(runs: list[Run]) -> list[Run]:
        known = [run for run in runs if run.dataset in ("cifar100", "diacritics")]
        return of_network("heads", "attention", blocks)(known)

    return fits


def sweep(
    alike: Callable[[Network, Network], bool], wanted: Callable[[Network], bool], pair: bool = True
) -> Fits:
    """Heads of two or more networks of an experiment that differ as they should."""

    def fits(runs: list[Run]) -> list[Run]:
        found = [run for run in runs if run.kind == "heads" and run.own and wanted(run.own)]
        if not pair:
            return found
        kept = {
            run.network
            for one, two in combinations(found, 2)
            if one.own and two.own and alike(one.own, two.own)
            for run in (one, two)
        }
        return [run for run in found if run.network in kept]

    return fits


def committee_of(wanted: Callable[[list[Network]], bool]) -> Fits:
    """Committees among whose members are networks of the wanted kind."""

    def fits(runs: list[Run]) -> list[Run]:
        return [
            run
            for run in runs
            if run.kind == "committee"
            and wanted([network for network in run.networks.values() if not network.convolutional])
        ]

    return fits


def differ_in_last_block(one: Network, two: Network) -> bool:
    """Equal but for the heads of the last block."""
    alike = one.model_copy(update={"heads": 1}) == two.model_copy(update={"heads": 1})
    return alike and one.heads_per_block[:-1] == two.heads_per_block[:-1] and one != two


def differ_in_heads(one: Network, two: Network) -> bool:
    """Equal but for their heads."""
    return one.model_copy(update={"heads": 1}) == two.model_copy(update={"heads": 1}) and one != two


def different_depths(networks: list[Network]) -> bool:
    """Deep networks, and others where convolutions stand in place of blocks."""
    return any(a.blocks > b.blocks and a.shape[2] < b.shape[2] for a in networks for b in networks)


def one_architecture(networks: list[Network]) -> bool:
    """Two or more blocks, one architecture, different heads or dimensions."""
    return any(
        a.architecture == b.architecture
        and a.blocks > 1
        and (a.heads_per_block, a.dim) != (b.heads_per_block, b.dim)
        for a in networks
        for b in networks
    )


def single_blocks(networks: list[Network]) -> bool:
    """Single blocks after different numbers of convolutions."""
    return len({network.shape[2] for network in networks if network.blocks == 1}) > 1


FITS: dict[str, Fits] = {
    "nothing": lambda runs: [],
    "nodes": of_network("statistics", "block", 2),
    "heads": of_network("heads", "attention", 2),
    "superclasses": with_superclasses(2),
    "pruning": of_network("pruning"),
    "flowers": of_flowers,
    "last_block": sweep(differ_in_last_block, lambda network: network.blocks > 1),
    "single_block": sweep(differ_in_heads, lambda network: network.blocks == 1),
    "hybrid": sweep(
        differ_in_heads, lambda network: network.pooling == "first" and network.shape[2] > 2, pair=False
    ),
    "different_depths": committee_of(different_depths),
    "one_architecture": committee_of(one_architecture),
    "single_blocks": committee_of(single_blocks),
}
