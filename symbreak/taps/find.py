"""Find the blocks, taps and heads of a network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import nn

from symbreak.config.taps import ENCODER_TAPS, HEADED_TAPS
from symbreak.errors import SymbreakError
from symbreak.models.cnn import CNN
from symbreak.models.probe import Place
from symbreak.taps.anatomy import Anatomy, Layout, Opening, with_rotations
from symbreak.taps.families import FAMILIES, HEAD_COUNTS, PROJECTIONS, Family
from symbreak.taps.patterns import from_patterns

_TOKENS = ("cls_token", "class_token", "class_embedding", "dist_token", "distillation_token")
_REGISTERS = ("reg_token", "register_tokens")


def find(
    model: nn.Module, patterns: Mapping[str, Mapping[str, Any]] | None = None, within: str = ""
) -> Anatomy:
    """Find where a network can be opened.

    Parameters
    ----------
    model : Module
        Any network; a compiled or data-parallel one is looked at within its wrapper.
    patterns : mapping of str to mapping, optional
        Where the taps of a network of no known family lie, such as
        ``{"attention": {"module": "blocks.{block}.attn.proj", "side": "input", "heads": 4}}``.
        The keys of `Opening` may be given; ``{block}`` stands for what numbers the blocks.
    within : str
        Path of the part to look at, where a network has several, such as ``"vision_model"``.

    Raises
    ------
    SymbreakError
        If nothing is found, or blocks in several places.

    Examples
    --------
    >>> from symbreak.models import build
    >>> anatomy = find(build("cct_2_3x1", labels=10, dim=32, heads=4))
    >>> anatomy.blocks, anatomy.heads
    (('blocks.0', 'blocks.1'), (4, 4))
    >>> anatomy.openings[1, "attention"].module
    'blocks.0.projection'
    """
    model = plain(model)
    if patterns is not None:
        return replace(from_patterns(model, patterns), prefix=_prefix(model))
    if isinstance(model, CNN):
        return _of_filters(model)
    whole = model
    if within:
        try:
            model = model.get_submodule(within)
        except AttributeError:
            raise SymbreakError(f"The network has no part {within!r}; name a module of it.") from None
    matches = _matches(model, within)
    _require_one_place(list(matches))
    openings: dict[Place, Opening] = {}
    for number, (path, (block, family)) in enumerate(matches.items(), start=1):
        for tap, opening in _openings(whole, path, block, family).items():
            openings[number, tap] = opening
    names = dict.fromkeys(family.name for _, family in matches.values())
    found = {"blocks": f"{len(matches)} × {', '.join(names)}"}
    for (_, tap), opening in openings.items():
        found.setdefault(tap, f"{opening.side} of {opening.module}")
    return Anatomy(tuple(matches), with_rotations(openings), found, _prefix(model))


def plain(model: nn.Module) -> nn.Module:
    """The network within the wrappers of `torch.compile` and of data-parallel training."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = model.module
        if inner is None:
            return model
        model = inner


def layout_of(attention: nn.Module) -> Layout:
    """Order of images and tokens around an attention: PyTorch's own has tokens first by default."""
    native = isinstance(attention, nn.MultiheadAttention)
    return "time" if native and not attention.batch_first else "tokens"


def _of_filters(model: CNN) -> Anatomy:
    paths = tuple(f"blocks.{i}" for i in range(len(model.blocks)))
    openings = {(n, "filters"): Opening(path, layout="map") for n, path in enumerate(paths, start=1)}
    kind = f"{len(paths)} × {type(model.blocks[0]).__name__} of symbreak"
    return Anatomy(paths, openings, {"blocks": kind, "filters": "output of the block"})


def _matches(model: nn.Module, within: str) -> dict[str, tuple[nn.Module, Family]]:
    """Blocks by their path: of known classes, else with a known projection, else around nn attention."""
    named = {f"{within}.{path}".strip(".") if path else within: m for path, m in model.named_modules()}
    known = {path: family for path, m in named.items() if (family := _family(m))}
    if not known:
        known = {path: family for path, m in named.items() if (family := _by_projection(m))}
    if not known:
        known = _around_attention(named)
    if not known:
        raise SymbreakError(
            f"{type(model).__name__} has no attention that is known; say where it lies by patterns, such as "
            '{"attention": {"module": "blocks.{block}.attn.proj", "side": "input", "heads": 4}}.'
        )
    return {path: (named[path], family) for path, family in known.items()}


def _family(block: nn.Module) -> Family | None:
    name = f"{type(block).__module__}.{type(block).__name__}"
    for family in FAMILIES:
        of_class = re.fullmatch(family.classes, name) and _has(block, family.attention)
        if of_class and family.norm_first in (None, getattr(block, "norm_first", None)):
            return family
    return None


def _by_projection(block: nn.Module) -> Family | None:
    for path in PROJECTIONS:
        if _has(block, path) and _count(block, path) is not None:
            return Family(f"{type(block).__name__} with {path}", "", path, {})
    return None


def _around_attention(named: Mapping[str, nn.Module]) -> dict[str, Family]:
    """Parents of `nn.MultiheadAttention`; itself where its parent has several or is the root."""
    own = [path for path, module in named.items() if isinstance(module, nn.MultiheadAttention)]
    parents = [path.rpartition(".")[0] for path in own]
    blocks = {}
    for path, parent in zip(own, parents):
        alone = parents.count(parent) == 1 and parent in named and parent != ""
        name = path.rpartition(".")[2] if alone else ""
        blocks[parent if alone else path] = Family("nn.MultiheadAttention", "", name, {})
    return blocks


def _require_one_place(paths: list[str]) -> None:
    """Refuse blocks that are numbered in different lists, such as those of two encoders."""
    kinds = list(dict.fromkeys(re.sub(r"\d+", "*", path) for path in paths))
    if len(kinds) > 1:
        raise SymbreakError(
            f"The network has blocks in {len(kinds)} places ({', '.join(kinds[:3])}); choose one of them by "
            f"`within`, such as {paths[0].split('.')[0]!r}."
        )


def _openings(model: nn.Module, path: str, block: nn.Module, family: Family) -> dict[str, Opening]:
    """Openings of one block, with paths from the root of the network."""
    attention = block.get_submodule(family.attention)
    native = isinstance(attention, nn.MultiheadAttention)
    heads, pairs = _count(block, family.attention), _count_pairs(block, family.attention)
    layout = layout_of(attention)
    windows = hasattr(block, "window_size") and hasattr(block, "shift_size")
    inner = family.attention.split(".")[0]
    taps = dict(family.taps)
    taps["attention"] = f"{'attention' if native else 'input'} {family.attention}".strip()
    taps["projection"] = f"output {family.attention}".strip()
    taps["block"] = "output"
    openings = {}
    for tap in sorted(taps, key=list(ENCODER_TAPS).index):
        side, *rest = taps[tap].split(" ")
        relative, part = (rest[0] if rest else ""), (rest[1] if len(rest) > 1 else None)
        if not _has(block, relative):
            continue
        opening = Opening(".".join(filter(None, (path, relative))), side, layout=layout, block=path)  # type: ignore[arg-type]
        if windows and relative.split(".")[0] == inner:
            opening = replace(opening, layout="windows")
        if side == "attention":
            opening = replace(opening, layout="tokens")
        if part:
            which, many = part.split("/")
            opening = replace(opening, part=(int(which), int(many)))
        if tap in HEADED_TAPS:
            opening = replace(opening, heads=pairs if tap in ("key", "value") else heads)
        openings[tap] = opening
    return openings


def _has(module: nn.Module, path: str) -> bool:
    try:
        module.get_submodule(path)
    except AttributeError:
        return False
    return True


def _near(block: nn.Module, path: str) -> list[nn.Module]:
    """Modules that may know the number of heads: those around the projection, innermost first."""
    parts = path.split(".")
    around = [block.get_submodule(".".join(parts[:n])) for n in range(len(parts), -1, -1) if path or not n]
    inside = [
        child for m in around[1:-1] for name in ("self", "attention") if (child := getattr(m, name, None))
    ]
    return around[:-1] + inside + around[-1:]


def _count(block: nn.Module, path: str) -> int | None:
    """Number of heads, as the modules around the projection or their configuration tell it."""
    for module in _near(block, path):
        for source in (module, getattr(module, "config", None)):
            for name in HEAD_COUNTS:
                if isinstance(count := getattr(source, name, None), int):
                    return count
    return None


def _count_pairs(block: nn.Module, path: str) -> int | None:
    """Number of heads of keys and values, fewer than those of queries where queries are grouped."""
    for module in _near(block, path):
        for source in (module, getattr(module, "config", None)):
            if isinstance(count := getattr(source, "num_key_value_heads", None), int):
                return count
    return _count(block, path)


def _prefix(model: nn.Module) -> int:
    """Tokens that a network puts before those of its image."""
    if isinstance(count := getattr(model, "num_prefix_tokens", None), int):
        return count
    total = 0
    for path, parameter in model.named_parameters():
        name = path.rpartition(".")[2]
        if name in _TOKENS:
            total += 1
        elif name in _REGISTERS:
            total += parameter.shape[-2]
    return total
