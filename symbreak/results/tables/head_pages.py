"""What the tables of heads say in plain sentences, and how they look as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import xarray as xr

from symbreak.results.render import BESIDE
from symbreak.results.tables.heads import MATRIX_COLUMNS, MOVED_COLUMNS, blocks_and_seeds


def sentences(heads: xr.Dataset) -> list[str]:
    """Say for every block and seed in a plain sentence whether the heads differ beyond chance.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds.

    Returns
    -------
    list of str
        The last block first. The verdict follows the p-value after Benjamini-Hochberg over the blocks.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> sentences(head_tables_example())[0].startswith("Block 2, seed 1: ")
    True
    """
    level = float(heads.attrs.get("level", 0.05))
    found = []
    for block, seed, chosen in blocks_and_seeds(heads):
        known = f"{int(chosen.n_owned_total)} of {chosen.sizes['label']} labels have an owner"
        start = f"Block {block}, seed {seed}: {known}"
        if int(chosen.n_heads) == 1:
            found.append(f"{start}; a single head has nothing to differ from.")
            continue
        adjusted = float(chosen.n_owned_total_q)
        verdict = "the heads differ beyond chance" if adjusted <= level else "no more than chance gives"
        found.append(
            f"{start}, {float(chosen.n_owned_total_null):.1f} ± "
            f"{float(chosen.n_owned_total_null_deviation):.1f} by chance (p = "
            f"{float(chosen.n_owned_total_p):.2g}, over all blocks q = {adjusted:.2g}): {verdict}."
        )
    return found


def sentences_html(heads: xr.Dataset, title: str) -> str:
    """The sentences as a page of HTML for the report.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> "<li>Block 2, seed 1" in sentences_html(head_tables_example(), "Heads")
    True
    """
    items = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences(heads))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        '<style>body { font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1f2933; '
        "margin: 1.5rem; max-width: 60rem; } h1 { font-size: 1.15rem; }</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n<ul>\n{items}\n</ul></body></html>\n"
    )


def for_html(table: pd.DataFrame) -> pd.DataFrame:
    """Let a deviation share the column of its mean, and round p-values.

    Examples
    --------
    >>> for_html(pd.DataFrame({"by_chance": [1.0], "by_chance_deviation": [0.5]})).columns.tolist()
    ['by chance', 'by chance_error']
    """
    shown = table.rename(
        columns={
            name: name.replace("_deviation", "_error")
            for name in table.columns
            if str(name).endswith("_deviation")
        }
    )
    for name in shown.columns:
        if str(name).split("_")[-1] in ("p", "q"):
            shown[name] = shown[name].map(lambda value: np.nan if np.isnan(value) else float(f"{value:.2g}"))
    moved = (f"{name}_change" for name in MOVED_COLUMNS)
    kept = (*MATRIX_COLUMNS, *moved, "accuracy", "threshold", "seeds", "error", "block", "silenced")
    return shown.rename(columns={name: _in_words(str(name), kept) for name in shown.columns})


def _in_words(name: str, kept: Sequence[str]) -> str:
    """Name of a column without underscores, but for the suffix by which it shares another's column."""
    suffix = next((end for end in BESIDE if name.endswith(end)), "")
    base = name.removesuffix(suffix)
    return name if base in kept else base.replace("_", " ") + suffix
