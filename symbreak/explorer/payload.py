"""What the page is given: label means and readouts of every block, from which the browser builds matrices."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from symbreak.clusters import membership, scan
from symbreak.config import Heads, Statistics
from symbreak.errors import SymbreakError
from symbreak.explorer.choosing import Held
from symbreak.matrices import by_head, check_factors
from symbreak.observables import (
    appearance_of_heads,
    block_moments,
    block_sentences,
    block_statistics,
    ownership,
    pooled_moments,
    threshold_grid,
)
from symbreak.results.context import load

#: Significant digits of curves.
DIGITS = 5


def packed(array: np.ndarray) -> str:
    """Numbers as the browser reads them: single precision, little-endian, base64.

    Examples
    --------
    >>> packed(np.array([1.0, -2.0]))
    'AACAPwAAAMA='
    """
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


def payload(kept: Sequence[Held], total: int, statistics: Statistics, heads: Heads) -> dict[str, Any]:
    """Everything that the page shows, as JSON holds it.

    Parameters
    ----------
    kept : sequence of Held
        Blocks of the page.
    total : int
        Blocks that there are.
    statistics, heads : Statistics, Heads
        Rule, gauge and thresholds; ratio of the ownership rule.

    Raises
    ------
    SymbreakError
        If a file is damaged, or files are about different labels.
    """
    labels: Mapping[str, list[str]] | None = None
    blocks, said = [], {}
    for path, group in groupby(kept, key=lambda held: held.path):
        moments = load(path, "moments")
        own, heads_file = _labels(moments), _heads_file(path)
        if heads_file not in said:
            said[heads_file] = _sentences(heads_file)
        if labels not in (None, own):
            raise SymbreakError(f"{path} is about other labels than {kept[0].path}; explore them one by one.")
        labels = own
        for held in group:
            known = {"network": held.network, "seed": held.seed, "tap": held.tap, "block": held.block}
            words = said[heads_file].get(held.block, "")
            blocks.append(known | _block(moments, held.block, statistics, heads) | {"said": words})
    return {
        "labels": labels,
        "blocks": blocks,
        "total": total,
        "rule": statistics.rule,
        "centred": statistics.centred,
        "threshold": statistics.reference_threshold,
        "ratio": heads.ratio,
    }


def _labels(moments: xr.Dataset) -> dict[str, list[str]]:
    """Names of labels, each once, and of their superclasses."""
    names = moments.coords.get("label_name", moments.label).values
    superclass = [""] * len(names)
    if "superclass_of_label" in moments.coords:
        above = moments.coords.get("superclass_name", moments.get("superclass"))
        known = {} if above is None else dict(enumerate(map(str, above.values)))
        superclass = [
            known.get(int(number), f"superclass {number}" if number >= 0 else "")
            for number in moments.superclass_of_label.values
        ]
    return {"names": unique(map(str, names)), "superclasses": superclass}


def unique(names: Iterable[str]) -> list[str]:
    """Names with their number where several labels share one, as a search needs them.

    Examples
    --------
    >>> unique(["crane", "dog", "crane"])
    ['crane (label 0)', 'dog', 'crane (label 2)']
    """
    given = list(names)
    return [
        f"{name} (label {number})" if given.count(name) > 1 else name for number, name in enumerate(given)
    ]


def _block(moments: xr.Dataset, block: int, statistics: Statistics, heads: Heads) -> dict[str, Any]:
    """Numbers of one block. The gauge is fixed here, so that the browser multiplies and adds only."""
    chosen = block_moments(moments, block)
    mean, readout, bias = check_factors(*pooled_moments(moments, block), statistics.centred)
    filters = chosen.filter_of_node.values.astype(int) if "filter_of_node" in chosen.coords else None
    curve = block_statistics(
        scan(
            mean,
            readout,
            threshold_grid(statistics.thresholds),
            statistics.rule,
            bias,
            group_of_node=filters,
        )
    )
    found: dict[str, Any] = {
        "accuracy": round(float(moments.accuracy.sel(block=block)), DIGITS),
        "curve": {name: _rounded(curve[name].values) for name in ("threshold", "snr", "snr_minimum")},
        "nodes": mean.shape[1],
        "bias": None if bias is None else packed(bias),
    }
    if filters is not None:
        found["filters"] = filters.tolist()
        if (
            filters.max() * mean.shape[0] < 2 * mean.shape[1]
        ):  # their matrices take less room than their nodes
            stack = by_head(mean, readout, filters, bias)
            return found | {"matrices": packed(stack), "filters": list(range(1, len(stack) + 1))}
    elif "head_of_node" in chosen.coords:
        groups = chosen.head_of_node.values.astype(int)
        member = membership(mean, readout, statistics.reference_threshold, statistics.rule, bias)
        owner = ownership(appearance_of_heads(member, groups), heads.ratio)
        found |= {"heads": groups.tolist(), "owner": owner.tolist()}
    return found | {"mean": packed(mean.T), "readout": packed(readout.T)}


def _rounded(values: np.ndarray) -> list[float | None]:
    """Numbers of JSON, which has no infinity."""
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values]


def _heads_file(path: Path) -> Path | None:
    """Heads file of the same tap, of all seeds or of this one, where it has been made."""
    places = [path.absolute().parents[depth] / "heads" / path.name for depth in (2, 1)]
    return next((place for place in places if place.is_file()), None)


def _sentences(heads_file: Path | None) -> dict[int, str]:
    """What the heads of a tap say of every block."""
    if heads_file is None:
        return {}
    return {int(found.block): found.sentence for found in block_sentences(load(heads_file, "heads"))}
