"""Taps of networks of no known family, named by patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from torch import nn

from symbreak.errors import SymbreakError
from symbreak.models.probe import Place
from symbreak.taps.anatomy import Anatomy, Opening, with_rotations

_KEYS = [entry.name for entry in fields(Opening) if entry.name != "rotated"]


def from_patterns(model: nn.Module, patterns: Mapping[str, Mapping[str, Any]]) -> Anatomy:
    """Anatomy of a network whose taps are given by patterns.

    Raises
    ------
    SymbreakError
        If a pattern has unknown keys, fits no module, or fits other blocks than the pattern before it.
    """
    if not patterns:
        raise SymbreakError("No tap is named; give at least one, such as `attention`.")
    openings: dict[Place, Opening] = {}
    numbers: list[str] = []
    for tap, pattern in patterns.items():
        _check(tap, pattern)
        expression = re.escape(pattern["module"]).replace(r"\{block\}", r"(?P<block>\d+)")
        matches = [m for path, _ in model.named_modules() if (m := re.fullmatch(expression, path))]
        if not matches:
            raise SymbreakError(
                f"taps.{tap}: no module is called {pattern['module']!r}; look at the network's."
            )
        own = [match.groupdict().get("block", "") for match in matches]
        if numbers and own != numbers:
            raise SymbreakError(
                f"taps.{tap} fits {len(own)} blocks and the tap before it {len(numbers)}; name the same."
            )
        numbers = own
        for block, match in enumerate(matches, start=1):
            own_path = pattern.get("block", "").replace("{block}", own[block - 1])
            openings[block, tap] = Opening(**{**pattern, "module": match[0], "block": own_path})
    found = {"blocks": f"{len(numbers)} × patterns"} | {tap: str(p["module"]) for tap, p in patterns.items()}
    paths = tuple(_path(next(iter(patterns.values()))["module"], number) for number in numbers)
    return Anatomy(paths, with_rotations(openings), found)


def _check(tap: str, pattern: Mapping[str, Any]) -> None:
    if not re.fullmatch(r"[A-Za-z_]\w*", tap):
        raise SymbreakError(f"{tap!r} cannot name a tap; use letters, digits and underscores.")
    unknown = [key for key in pattern if key not in _KEYS]
    if unknown or not isinstance(pattern.get("module"), str):
        wrong = f"has the unknown key {unknown[0]!r}" if unknown else "names no `module`"
        raise SymbreakError(f"taps.{tap} {wrong}; its keys are {', '.join(_KEYS)}.")
    hints = get_type_hints(Opening)
    for key in ("side", "layout"):
        if key in pattern and pattern[key] not in get_args(hints[key]):
            raise SymbreakError(
                f"taps.{tap}.{key} is {pattern[key]!r}; choose among {', '.join(get_args(hints[key]))}."
            )
    heads = pattern.get("heads")
    if heads is not None and (not isinstance(heads, int) or isinstance(heads, bool) or heads < 1):
        raise SymbreakError(f"taps.{tap}.heads is {heads!r}; give their number, 1 or more.")
    if pattern.get("layout") == "windows" and "block" not in pattern:
        raise SymbreakError(f"taps.{tap} has windows; name the `block` that cuts them.")


def _path(pattern: str, number: str) -> str:
    """Path up to the number of the block."""
    before, found, _ = pattern.partition("{block}")
    return before + number if found else pattern
