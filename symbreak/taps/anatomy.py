"""Where in a network the taps of its blocks lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from symbreak.errors import SymbreakError
from symbreak.models.probe import Place

#: How the tensor at a module becomes (images, tokens, nodes).
Layout = Literal["tokens", "time", "map", "windows"]


@dataclass(frozen=True)
class Opening:
    """The module at which one tap of one block is opened.

    Attributes
    ----------
    module : str
        Its path in the network, as in ``model.named_modules()``.
    side : {"input", "output", "attention"}
        Its first input, its first output, or, of an `nn.MultiheadAttention`, the output of the scaled
        dot-product attention within.
    heads : int or None
        Number of heads whose nodes lie side by side; None where the nodes belong to no head.
    part : tuple of int, optional
        (which, of how many) equal parts of the nodes, such as the keys (1, 3) of queries, keys and values.
    layout : {"tokens", "time", "map", "windows"}
        (images, ..., nodes); (tokens, images, nodes); (images, nodes, height, width); windows of a Swin
        block, which are put back to their image.
    block : str
        Path of the block, which tells size and shift of its windows.
    rotated : {"", "all", "within"}
        Whether the nodes are rotated at random, all of them or those of each head: null models.
    """

    module: str
    side: Literal["input", "output", "attention"] = "output"
    heads: int | None = None
    part: tuple[int, int] | None = None
    layout: Layout = "tokens"
    block: str = ""
    rotated: Literal["", "all", "within"] = ""


@dataclass(frozen=True)
class Anatomy:
    """Blocks, taps and heads of a network.

    Attributes
    ----------
    blocks : tuple of str
        Path of every block, in the order in which they are registered.
    openings : mapping of (block from 1, tap) to Opening
        Where each tap lies.
    found : mapping of str to str
        How the blocks and each tap were found, in words.
    prefix : int
        Tokens before those of the image, such as a class token and registers.
    """

    blocks: tuple[str, ...]
    openings: Mapping[Place, Opening]
    found: Mapping[str, str] = field(default_factory=dict)
    prefix: int = 0

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the taps that every block has."""
        names = dict.fromkeys(tap for _, tap in self.openings)
        numbers = range(1, len(self.blocks) + 1)
        return tuple(name for name in names if all((block, name) in self.openings for block in numbers))

    @property
    def heads(self) -> tuple[int, ...]:
        """Number of heads of each block at the tap `attention`; empty where no head is told apart."""
        return self.heads_at("attention")

    def heads_at(self, tap: str) -> tuple[int, ...]:
        """Number of heads of each block at a tap; empty where no head is told apart."""
        numbers = range(1, len(self.blocks) + 1)
        counts = [self.openings[b, tap].heads for b in numbers if (b, tap) in self.openings]
        return tuple(n for n in counts if n) if counts and all(counts) else ()

    def places(self, taps: Iterable[str] | None = None) -> list[Place]:
        """Places (block from 1, tap) of some taps, of all by default.

        Raises
        ------
        SymbreakError
            If the network has no such tap.
        """
        names = self.taps if taps is None else tuple(taps)
        for name in names:
            if name not in self.taps:
                raise SymbreakError(f"The network has no tap {name!r}; choose among {', '.join(self.taps)}.")
        return [(block, name) for name in names for block in range(1, len(self.blocks) + 1)]


def with_rotations(openings: dict[Place, Opening]) -> dict[Place, Opening]:
    """Openings with the rotated attention of each block besides, where heads are told apart."""
    rotated: dict[Place, Opening] = {}
    for (block, tap), opening in openings.items():
        rotated[block, tap] = opening
        if tap == "attention" and opening.heads:
            rotated[block, "attention_rotated"] = replace(opening, rotated="all")
            rotated[block, "attention_rotated_within"] = replace(opening, rotated="within")
    return rotated
