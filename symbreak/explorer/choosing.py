"""Which blocks of which networks the explorer holds: all that were chosen, as far as the page has room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from symbreak.config.taps import TAPS
from symbreak.errors import SymbreakError
from symbreak.store import open_dataset

#: Default size of a page in megabytes (10⁶ bytes); what is beyond it is left out, and the page says so.
MEGABYTES = 10.0
#: Bytes of the page without any block: BokehJS and the scripts.
EMPTY_PAGE = 1_800_000
#: Bytes of a block besides its numbers: curve, owners, sentence.
BESIDES = 5_000
#: Taps that come first where there is no room for all.
FIRST_TAPS = ("attention", "block", "filters")


class Held(NamedTuple):
    """One block that the page could hold."""

    network: str
    seed: int
    tap: str
    block: int
    depth: int
    """Blocks after it; 0: the last."""
    size: int
    """Bytes of its numbers in the page."""
    path: Path


class Choice(NamedTuple):
    """What was asked for: empty is all."""

    networks: Sequence[str] = ()
    seeds: Sequence[int] = ()
    taps: Sequence[str] = ()
    blocks: Sequence[int] = ()
    megabytes: float = MEGABYTES


def moments_files(folder: Path) -> list[Path]:
    """Moments files of an experiment, a network or a seed, whichever the folder is of.

    Raises
    ------
    SymbreakError
        If there are none.
    """
    if not folder.is_dir():
        raise SymbreakError(f"There is no folder {folder}; give that of an experiment or of a study.")
    found = sorted(path for depth in ("", "*/", "*/*/") for path in folder.glob(f"{depth}moments/*.nc"))
    if not found:
        raise SymbreakError(
            f"There are no moments files in {folder} yet; run the workflow up to them, or `symbreak study`."
        )
    return found


def choose(paths: Iterable[Path], asked: Choice, untrained: Sequence[str] = ()) -> tuple[list[Held], int]:
    """Blocks that the page holds, in the order of networks, seeds, taps and blocks, and how many it could.

    Where there is not enough room, last blocks go before earlier ones, the taps attention, block and filters
    before others, trained networks before untrained ones and first seeds before others.

    Raises
    ------
    SymbreakError
        If a file is damaged or of another version, or nothing of what was asked for is there.
    """
    everything = [held for path in paths for held in _blocks(path)]
    for name in ("network", "seed", "tap", "block"):
        wanted = getattr(asked, f"{name}s")
        known = list(dict.fromkeys(getattr(held, name) for held in everything))
        missing = [str(value) for value in wanted if value not in known]
        if missing:
            raise SymbreakError(f"There is no {name} {missing[0]} here; choose among {_listed(known)}.")
        everything = [held for held in everything if not wanted or getattr(held, name) in wanted]
    if not everything:
        raise SymbreakError("No block has all that was asked for; ask for fewer networks, seeds or taps.")
    room = asked.megabytes * 1e6 - EMPTY_PAGE
    kept: list[Held] = []

    def urgency(held: Held) -> tuple[bool, bool, int, int]:
        return held.network in untrained, held.tap not in FIRST_TAPS, held.depth, held.seed

    for held in sorted(everything, key=urgency):
        if held.size <= room or not kept:
            kept.append(held)
            room -= held.size
    order = {tap: number for number, tap in enumerate(TAPS)}
    kept.sort(
        key=lambda held: (held.network in untrained, held.network, held.seed, order.get(held.tap, 99), held)
    )
    return kept, len(everything)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(map(str, values)) or "none"


def _blocks(path: Path) -> list[Held]:
    """Blocks of a moments file, from its sizes alone."""
    with open_dataset(path, "moments") as dataset:
        above = path.absolute().parents[2 if path.parents[1].name.startswith("seed") else 1].name
        network, seed = str(dataset.attrs.get("network") or above), int(dataset.attrs["seed"])
        blocks = [int(block) for block in dataset.block.values]
        return [
            Held(network, seed, path.stem, block, len(blocks) - 1 - place, _size(dataset, block), path)
            for place, block in enumerate(blocks)
        ]


def _size(dataset: xr.Dataset, block: int) -> int:
    """Bytes of a block in base64: four for each number, a third more for the encoding."""
    labels, nodes, numbers = dataset.sizes["label"], dataset.sizes["node"], 0
    if "filter_of_node" in dataset.coords:
        filters = dataset.filter_of_node.sel(block=block).values
        nodes, numbers = int((filters > 0).sum()), int(filters.max()) * labels**2
    elif "width" in dataset.coords:
        nodes = int(dataset.width.sel(block=block))
    factors = 2 * nodes * labels
    return int(np.ceil((min(numbers, factors) if numbers else factors) * 16 / 3)) + BESIDES
