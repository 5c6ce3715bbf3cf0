"""What is compared with a printed table: its rows, and ours from the results that come nearest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from symbreak.papers.exact import random_labels
from symbreak.papers.results import Run
from symbreak.papers.status import FULL, Found
from symbreak.printed.networks import PRINTED_HEADS, printed_blocks, printed_of, suspect_cells
from symbreak.printed.values import published
from symbreak.results.tables import committees
from symbreak.results.tables.heads import filling_table, head_network_table, matrix_table, ownership_table
from symbreak.results.tables.nodes import cluster_table, snr_table
from symbreak.results.tables.pruning import layer_table
from symbreak.store import open_dataset

THRESHOLD = 0.3


def printed_rows(found: Found) -> list[tuple[str, pd.DataFrame]]:
    """Printed rows of a table with the words above them; a suspect number has a question mark.

    Examples
    --------
    >>> from symbreak.papers.status import judge_target
    >>> from symbreak.papers.targets import targets
    >>> words, table = printed_rows(judge_target(targets()[0], []))[0]
    >>> words, table.columns.tolist()[:3]
    ('Printed', ['block', 'accuracy', 'n_clusters'])
    """
    number, paper = found.target.number, found.target.paper
    names = {
        ("P1", "1"): ["table1"],
        ("P1", "2"): ["table2"],
        ("P1", "4, left"): ["heads"],
        ("P2", "3"): ["table3_dim256", "table3_dim1024"],
    }.get((paper, number), [f"table{number}"] if paper == "P2" else [])
    doubtful = suspect_cells(paper)
    tables = []
    for name in names:
        rows = [
            {key: word + ("?" if (name, place, key) in doubtful else "") for key, word in row.items()}
            for place, row in enumerate(published()[paper]["tables"][name]["digits"])
        ]
        tables.append((_WORDS.get(name, "Printed"), pd.DataFrame(rows)))
    text = _in_text(paper, number)
    return tables + ([("Printed in the text", text)] if text is not None else [])


_WORDS = {
    "table3_dim256": "Printed, dimension 256",
    "table3_dim1024": "Printed, dimension 1024",
    "heads": "Printed in the text, labels of each head",
}


def _in_text(paper: str, number: str) -> pd.DataFrame | None:
    """What the text prints next to a table; what contradicts the table has a question mark."""
    values = published()[paper]["values"]
    if (paper, number) == ("P1", "3"):
        return pd.DataFrame([values["pruned_block7"]])
    if (paper, number) == ("P1", "4, right"):
        return pd.DataFrame([{"block": 6, "labels of all heads": f"{values['labels_owned'][6]}?"}])
    committees = {
        name: value
        for name, value in values.get("committee", {}).items()
        if name.startswith(f"table{number}")
    }
    if not committees or paper != "P2":
        return None
    means = values["mean_accuracy"]
    rows = [
        {"quantity": f"committee, {name.replace('_', ' ')}", "accuracy": value}
        for name, value in committees.items()
    ]
    rows += [
        {
            "quantity": f"mean member, {name.replace('_', ' ')}",
            "accuracy": f"{value:g}" + ("?" if name == "table7_one_conv" else ""),
        }
        for name, value in means.items()
        if name.startswith(f"table{number}")
    ]
    return pd.DataFrame(rows)


def our_rows(found: Found) -> list[tuple[str, pd.DataFrame]]:
    """Ours, from the nearest results, with the words above them; nothing where nothing was run.

    Printed values stand in one table with ours at full budget only; else each has a table of its own.

    Examples
    --------
    >>> from symbreak.papers.status import judge_target
    >>> from symbreak.papers.targets import targets
    >>> our_rows(judge_target(targets()[0], []))
    []
    """
    if not found.target.rows:
        return [("Ours, exact and by 50,000 samples", random_labels())]
    if not found.runs:
        return []
    makers: dict[tuple[str, str], Callable[[Found], list[tuple[str, pd.DataFrame]]]] = {
        ("P1", "1"): lambda one: _of_nodes(one, clusters=True),
        ("P1", "2"): lambda one: _of_nodes(one, clusters=False),
        ("P1", "3"): _of_pruning,
        ("P1", "4, left"): lambda one: _of_superclasses(one, -1),
        ("P1", "4, right"): lambda one: _of_superclasses(one, -2),
        ("P1", "5"): _of_flowers,
        ("P2", "1"): _of_heads,
        ("P2", "2"): _of_head_numbers,
        ("P2", "3"): _of_head_numbers,
        ("P2", "4"): _of_head_numbers,
    }
    make = makers.get((found.target.paper, found.target.number), _of_committees)
    return make(found)


def _of_nodes(found: Found, clusters: bool) -> list[tuple[str, pd.DataFrame]]:
    run = found.runs[0]
    make = cluster_table if clusters else snr_table
    return [(_words(run), make(run.load(), THRESHOLD, _paper(found), "block"))]


def _of_pruning(found: Found) -> list[tuple[str, pd.DataFrame]]:
    run = found.runs[0]
    return [(_words(run) + f"; study {run.tap}", layer_table(run.load(), _paper(found)))]


def _of_superclasses(found: Found, place: int) -> list[tuple[str, pd.DataFrame]]:
    run = found.runs[0]
    heads = run.load()
    table = filling_table(heads)
    block = int(heads.block.values[place])
    kept = [name for name in table.columns if not name.startswith("pairs")]
    return [(f"{_words(run)}; block {block}", table.loc[table.block == block, kept])]


def _of_flowers(found: Found) -> list[tuple[str, pd.DataFrame]]:
    run = found.runs[0]
    table = ownership_table(run.load())
    return [(_words(run), table[table.block > table.block.max() - 4])]


def _of_heads(found: Found) -> list[tuple[str, pd.DataFrame]]:
    run = found.runs[0]
    printed = printed_blocks(run.own) if run.own and _paper(found) else {}
    table = matrix_table(run.load(), THRESHOLD, printed)
    return [
        (_words(run), table[[name for name in table if "chance" not in name and not name.endswith("_p")]])
    ]


def _of_head_numbers(found: Found) -> list[tuple[str, pd.DataFrame]]:
    heads = {(run.network, run.tap): run.load() for run in found.runs}
    shapes = {run.network: run.own for run in found.runs if run.own}
    epochs = found.runs[0].epochs
    printed = {name: printed_of(shape, epochs[name], PRINTED_HEADS) for name, shape in shapes.items()}
    table = head_network_table(heads, THRESHOLD, printed if _paper(found) else None)
    words = _words(found.runs[0]._replace(network="", networks=shapes))
    return [(words, table.drop(columns=["tap", "block"]))]


def _of_committees(found: Found) -> list[tuple[str, pd.DataFrame]]:
    run = found.runs[0]
    table = run.load()
    heads = {}
    for name in run.networks:
        path = Path(run.path.parent, name, "heads", "attention.nc")
        if path.is_file():
            with open_dataset(path, "heads") as dataset:
                heads[name] = dataset.load()
    members = committees.member_table(table, heads, THRESHOLD, _paper(found))
    named = committees.group_table(table, _paper(found)).drop(columns=["networks", "committees"])
    return [
        (f"{_words(run)}; members", members.dropna(axis=1, how="all")),
        ("Ours, committees", named.dropna(axis=1, how="all")),
    ]


def _paper(found: Found) -> str | None:
    """The paper at full budget: only then its numbers stand in one table with ours."""
    return found.target.paper if found.status == FULL else None


def _words(run: Run) -> str:
    return f"Ours, {run.in_words()}"
