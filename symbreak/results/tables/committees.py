"""Tables of soft committees (P2, arXiv:2506.23832, section 4): members, named ones, sizes, agreement."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from math import comb
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import ValidationError

from symbreak.config import Network
from symbreak.printed.networks import PrintedNetwork, printed_networks, printed_of
from symbreak.printed.values import Printed, published, with_printed
from symbreak.results.averages import at_threshold, measured
from symbreak.results.tables.heads import LAST_BLOCK_COLUMNS

#: Tables of P2 whose networks make a committee.
COMMITTEE_TABLES = ("table5", "table6", "table7")
#: Columns of the table of named committees after the accuracy and its error.
GROUP_COLUMNS = (
    *("accuracy_lower", "accuracy_upper", "mean_member", "gain", "gain_lower", "gain_upper", "gain_best"),
    *("agreement", "agreement_independent"),
)


def networks_of(committee: xr.Dataset) -> dict[str, Network]:
    """Networks of the members by name, as far as this version knows their keys.

    Examples
    --------
    >>> from symbreak.planted import committee_example
    >>> networks_of(committee_example())["b"].architecture
    'cct_2_3x2'
    """
    found = {}
    for name, settings in json.loads(committee.attrs.get("networks", "{}")).items():
        try:
            found[name] = Network.model_validate(settings)
        except ValidationError:
            continue
    return found


def member_table(
    committee: xr.Dataset,
    heads: Mapping[str, xr.Dataset] | None = None,
    threshold: float = 0.3,
    paper: str | None = None,
) -> pd.DataFrame:
    """Networks of the committees with the columns of P2 Tables 5, 6 and 7.

    Parameters
    ----------
    committee : Dataset
        File of committees.
    heads : mapping of network to Dataset, optional
        Heads at the tap ``attention``; without them their columns stay empty.
    threshold : float
        The nearest scanned one is taken.
    paper : str, optional
        P2: put its values next to ours where a network has the shape of a row.

    Returns
    -------
    DataFrame
        One row a network: ``network``, ``trainings`` (seeds), ``shape`` (architecture, or the heads of its
        blocks), ``convs``, ``blocks``, ``heads`` and ``head_size`` (of the last block), ``dim``, ``epochs``,
        ``latency`` (nominal, layers), ``latency_measured`` (ms), ``network_accuracy``, ``accuracy``
        (classifier head at the attention of the last block), then the columns of
        :func:`symbreak.results.tables.heads.matrix_table`, with errors over seeds.

    Examples
    --------
    >>> from symbreak.planted import committee_example
    >>> member_table(committee_example())[["network", "convs", "blocks", "dim", "latency"]].values.tolist()
    [['a', 1, 1, 64, 6.0], ['b', 2, 2, 64, 11.0]]
    """
    shapes, rows, printed = networks_of(committee), [], []
    for name in dict.fromkeys(committee.network.values.tolist()):
        chosen = committee.isel(member=committee.network.values == name)
        shape, count = shapes.get(name), chosen.sizes["member"]
        row: dict[str, Any] = {"network": name, "trainings": count} | _shape(shape)
        row["latency"] = float(chosen.nominal_latency[0])
        row["latency_measured"] = 1e3 * float(chosen.measured_latency[0])
        accuracy, error = chosen.member_accuracy.values, float(chosen.member_accuracy_stderr[0])
        row["network_accuracy"] = accuracy.mean()
        row["network_accuracy_error"] = accuracy.std(ddof=1) / np.sqrt(count) if count > 1 else error
        known = (heads or {}).get(name)
        last = xr.Dataset() if known is None else at_threshold(known, threshold).isel(block=-1)
        rows.append(row | measured(last, LAST_BLOCK_COLUMNS))
        asked = shape if paper == "P2" else None
        printed.append(printed_of(asked, asked.epochs or 0, COMMITTEE_TABLES) if asked else None)
    return with_printed(pd.DataFrame(rows), printed)


def _shape(network: Network | None) -> dict[str, Any]:
    if network is None or network.convolutional:
        name = network.architecture if network else "unknown"
        empty = dict.fromkeys(("convs", "heads", "head_size", "dim"), np.nan)
        return {"shape": name, "blocks": network.blocks if network else np.nan} | empty | {"epochs": np.nan}
    blocks, _, convs = network.shape
    heads = network.heads_per_block
    return {
        "shape": ",".join(map(str, heads)) if len(set(heads)) > 1 else network.architecture,
        "convs": convs,
        "blocks": blocks,
        "heads": heads[-1],
        "head_size": network.dim // heads[-1],
        "dim": network.dim,
        "epochs": network.epochs or np.nan,
    }


def group_table(committee: xr.Dataset, paper: str | None = None) -> pd.DataFrame:
    """Named committees: accuracy, gain, agreement and its value for independent errors, latency in both ways.

    Parameters
    ----------
    committee : Dataset
    paper : str, optional
        P2: put its values next to ours where a committee has the networks of its Tables 5, 6 or 7.

    Returns
    -------
    DataFrame
        One row a named committee: ``committee``, ``kind``, ``members``, ``accuracy`` with error over seeds
        and interval over images, ``mean_member``, ``gain`` with interval, ``gain_best``, ``agreement``,
        ``agreement_independent``, ``latency_parallel``, ``latency_serial`` (layers) and the same measured
        (ms).

    Examples
    --------
    >>> from symbreak.planted import committee_example
    >>> group_table(committee_example())[["committee", "kind", "latency_serial"]].values.tolist()[2:]
    [['all networks', 'networks', 17.0], ['all networks', 'all', 34.0]]
    """
    columns = {
        "committee": committee.group_name.values,
        "kind": committee.group_kind.values,
        "networks": committee.group_networks.values,
        "members": committee.group_members.values.astype(int),
        "committees": committee.group_committees.values.astype(int),
        "accuracy": committee.group_accuracy.values,
        "accuracy_error": committee.group_accuracy_stderr.values,
    }
    columns |= {name: committee[f"group_{name}"].values for name in GROUP_COLUMNS}
    for kind, word, scale in (("nominal", "", 1), ("measured", "_measured", 1e3)):
        for part in ("parallel", "serial"):
            columns[f"latency_{part}{word}"] = scale * committee[f"group_{kind}_latency_{part}"].values
    table = pd.DataFrame(columns)
    if paper != "P2":
        return table
    found = [_printed_committee(committee, row) for row in table.itertuples()]
    return with_printed(table, [Printed(one, dict.fromkeys(one, 0.001)) for one in found])


def _printed_committee(committee: xr.Dataset, row: Any) -> dict[str, float]:
    """Printed accuracy, mean member and agreement of a committee with the networks of a printed one."""
    values = published()["P2"]["values"]
    shapes = networks_of(committee)
    names = str(row.networks).split(", ")
    if any(name not in shapes for name in names):
        return {}
    deep = printed_networks("P2", "table1")[0]
    if row.kind == "seeds" and row.members == 4 and deep.is_of(shapes[names[0]]):
        before, after = values["committee_same_architecture"]
        same = values["agreement"]["same_architecture"]
        return {"accuracy": after, "mean_member": before, "agreement": same}
    for table in COMMITTEE_TABLES:
        places = [_place(shapes[name], printed_networks("P2", table)) for name in names]
        wanted = {
            table: (range(len(printed_networks("P2", table))), len(names), "networks"),
            "table6_first_five": (range(5), 5, "networks"),
            "table7_two_convs": (range(5, 10), 10, "all"),
        }
        for key, (rows, members, kind) in wanted.items():
            if not key.startswith(table) or sorted(places) != list(rows):
                continue
            if row.kind == kind and row.members == members:
                found = {"accuracy": values["committee"][key]}
                if key in values["mean_accuracy"]:
                    found["mean_member"] = values["mean_accuracy"][key]
                return found | ({"agreement": values["agreement"]["diverse"]} if key == "table5" else {})
    return {}


def _place(network: Network, rows: Sequence[PrintedNetwork]) -> int:
    return next((place for place, row in enumerate(rows) if row.is_of(network)), -1)


def size_table(committee: xr.Dataset) -> pd.DataFrame:
    """Committees by size: mean and best, chosen on halves; seeds of one network and of several networks.

    Examples
    --------
    >>> from symbreak.planted import committee_example
    >>> size_table(committee_example())["committees"].tolist()
    [4, 6, 4, 1]
    """
    sizes = committee.committee_size.values
    every = committee.attrs["search"] == "all"
    n = committee.sizes["member"]
    table = pd.DataFrame(
        {
            "size": sizes,
            "search": committee.attrs["search"],
            "committees": [comb(n, int(size)) if every else 1 for size in sizes],
        }
    )
    names = ["mean_accuracy", "best_accuracy", "split_half_accuracy"]
    for quantity in ("accuracy", "gain", "gain_best"):
        names += [f"same_{quantity}", f"diverse_{quantity}", f"{quantity}_difference"]
        names += [f"{quantity}_difference_lower", f"{quantity}_difference_upper"]
    for name in names:
        if name in committee:
            table[name] = committee[name].values
    best = committee.best_committee.values
    table["best_members"] = [_members_of(committee, int(number)) for number in best]
    return table


def _members_of(committee: xr.Dataset, number: int) -> str:
    """Networks of a committee with their seeds."""
    votes = committee.is_member.sel(committee=number).values > 0
    chosen = committee.isel(member=votes)
    return ", ".join(f"{name} {seed}" for name, seed in zip(chosen.network.values, chosen.member_seed.values))


def agreement_table(committee: xr.Dataset) -> pd.DataFrame:
    """Agreement of pairs of members by their networks, compared with independent errors.

    Returns
    -------
    DataFrame
        First the mean over all pairs of seeds of one network, over all pairs of different networks, and
        their difference, with intervals over images, where both exist; then one row a pair of networks.

    Examples
    --------
    >>> from symbreak.planted import committee_example
    >>> agreement_table(committee_example())[["network", "other", "pairs"]].values.tolist()[:2]
    [['any', 'same', 2], ['any', 'different', 4]]
    """
    names = committee.network.values
    upper = np.triu(np.ones((len(names), len(names)), dtype=bool), 1)
    alike = names[:, None] == names[None, :]
    tables = ("agreement", "agreement_independent", "error_correlation")

    def row(one: str, other: str, pairs: np.ndarray) -> dict[str, Any]:
        means = {name: float(committee[name].values[pairs].mean()) for name in tables}
        return {"network": one, "other": other, "pairs": int(pairs.sum())} | means

    rows: list[dict[str, Any]] = []
    if "same_agreement" in committee:
        for word, part, name in (("same", alike, "same"), ("different", ~alike, "diverse")):
            ends = {f"agreement_{e}": float(committee[f"{name}_agreement_{e}"]) for e in ("lower", "upper")}
            rows.append(row("any", word, part & upper) | ends)
        difference = {
            f"agreement{e}": float(committee[f"agreement_difference{e}"]) for e in ("", "_lower", "_upper")
        }
        rows.append({"network": "any", "other": "different minus same", "pairs": 0} | difference)
    for one, other in combinations_with_replacement(dict.fromkeys(names.tolist()), 2):
        first, second = names == one, names == other
        pairs = upper & (first[:, None] & second | second[:, None] & first)
        if pairs.any():
            rows.append(row(one, other, pairs))
    return pd.DataFrame(rows)
