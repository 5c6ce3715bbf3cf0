"""From the output fields of trained networks to everything that tables and figures of committees show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from symbreak.config import Committee as Settings
from symbreak.observables.committees.bench import Bench
from symbreak.observables.committees.members import Member, members_by_network, one_seed_each
from symbreak.observables.committees.sizes import committees_by_size, same_against_diverse
from symbreak.observables.committees.vote import (
    Committee,
    all_committees,
    bootstrap_intervals,
    mean_over_pairs,
)
from symbreak.store import describe


def committee_tables(members: Iterable[Member], settings: Settings | None = None) -> xr.Dataset:
    """Accuracy, gain, agreement and latency of committees of given members.

    Parameters
    ----------
    members : iterable of Member
        Trained networks, in the order of tables, those of one network side by side; each is read once.
    settings : Committee, optional
        Limits and draws; default those of the configuration.

    Returns
    -------
    Dataset
        On (member): accuracy and latencies; on (member, other_member): agreement and its independent
        value; on (committee): every evaluated committee, all 2^M - 1 of up to `exhaustive` members, beyond
        that single and greedy ones, of all members and of those below each latency; on
        (group): named committees with intervals over images and errors over seeds; on (committee_size):
        mean and best committee, the best evaluated on other images than it was chosen on, and seeds of one
        network against different networks.

    Raises
    ------
    SymbreakError
        If there are fewer than two members, or they were measured on different images.

    Examples
    --------
    >>> from symbreak.planted.votes import independent_members
    >>> table = committee_tables(independent_members(accuracies=[0.8, 0.8, 0.8], images=500))
    >>> table.sizes["committee"], bool(table.gain.sel(committee=7) > 0)
    (7, True)
    """
    chosen = settings or Settings()
    bench = Bench(members)
    n_members = len(bench.members)
    every = n_members <= chosen.exhaustive
    committees = all_committees(n_members) if every else bench.grown(range(n_members), chosen.largest_search)
    groups = named_groups(bench.members, chosen.groups)
    named = [one for _, _, part in groups for one in part]
    listed = list(
        dict.fromkeys([*committees, *([] if every else _by_latency(bench, chosen.largest_search)), *named])
    )
    parts = [
        _of_members(bench),
        _of_committees(bench, listed),
        _of_groups(bench, groups, chosen),
        committees_by_size(bench, committees, every, chosen),
        same_against_diverse(bench, chosen),
    ]
    table = xr.merge(parts, join="outer", compat="no_conflicts")
    table.attrs = {
        "search": "all" if every else "greedy",
        "confidence": chosen.confidence,
        "n_images": len(bench.truth),
        "images": bench.members[0].images,
    }
    return describe(table, "committee")


def _by_latency(bench: Bench, largest: int) -> list[Committee]:
    """Single members, and greedy committees of members no slower than each latency: for the Pareto front."""
    found: list[Committee] = [(place,) for place in range(len(bench.members))]
    latency = np.array([one.nominal_latency for one in bench.members])
    for limit in np.unique(latency[np.isfinite(latency)])[:-1]:
        found += bench.grown(np.flatnonzero(latency <= limit).tolist(), largest)
    return found


def named_groups(
    members: Sequence[Member], groups: dict[str, list[str]] | None = None
) -> list[tuple[str, str, list[Committee]]]:
    """Name, kind and committees of what the tables list: seeds of a network, networks, groups, all of them.

    Kinds: ``seeds`` (all seeds of one network), ``networks`` (different networks, one committee for each
    seed) and ``all`` (networks with all their seeds).

    Examples
    --------
    >>> one = Member("a", 1, np.zeros((3, 2)), np.zeros(3, int))
    >>> pool = [one, one._replace(seed=2), one._replace(network="b"), one._replace(network="b", seed=2)]
    >>> [(name, kind, len(part)) for name, kind, part in named_groups(pool)]
    [('a', 'seeds', 1), ('b', 'seeds', 1), ('all networks', 'networks', 2), ('all networks', 'all', 1)]
    """
    by_network = members_by_network(members)
    found = [(name, "seeds", [tuple(places)]) for name, places in by_network.items() if len(places) > 1]
    lists = dict(groups or {})
    if len(by_network) > 1 and list(by_network) not in lists.values():
        lists["all networks"] = list(by_network)
    for name, networks in lists.items():
        everyone = tuple(sorted(place for network in networks for place in by_network[network]))
        each = [tuple(sorted(one)) for one in one_seed_each(members, networks)]
        if len(networks) > 1:
            found.append((name, "networks", each))
        if each != [everyone] and (len(networks) > 1 or name not in by_network):
            found.append((name, "all", [everyone]))
    return found


def _of_members(bench: Bench) -> xr.Dataset:
    numbers = np.arange(1, len(bench.members) + 1)
    accuracy = bench.single.mean(axis=1)
    pair = ("member", "other_member")
    return xr.Dataset(
        {
            "member_accuracy": ("member", accuracy),
            "member_accuracy_stderr": ("member", np.sqrt(accuracy * (1 - accuracy) / len(bench.truth))),
            "nominal_latency": ("member", [float(one.nominal_latency) for one in bench.members]),
            "measured_latency": ("member", [float(one.measured_latency) for one in bench.members]),
            "agreement": (pair, bench.pairs.observed),
            "agreement_independent": (pair, bench.pairs.independent),
            "error_correlation": (pair, bench.pairs.correlation),
        },
        coords={
            "member": numbers,
            "other_member": numbers,
            "network": ("member", [one.network for one in bench.members]),
            "member_seed": ("member", [one.seed for one in bench.members]),
        },
    )


def _of_committees(bench: Bench, committees: list[Committee]) -> xr.Dataset:
    correct = bench.correct(committees)
    single = bench.single.mean(axis=1)
    accuracy = correct.mean(axis=1)
    belongs = np.zeros((len(committees), len(bench.members)), dtype=np.int8)
    for row, committee in enumerate(committees):
        belongs[row, list(committee)] = 1
    columns: dict[str, Any] = {
        "committee_accuracy": accuracy,
        "n_members": belongs.sum(axis=1).astype(np.int64),
        "gain": accuracy - [single[list(committee)].mean() for committee in committees],
        "gain_best": accuracy - [single[list(committee)].max() for committee in committees],
        "committee_agreement": [mean_over_pairs(bench.pairs.observed, one) for one in committees],
        "committee_agreement_independent": [
            mean_over_pairs(bench.pairs.independent, one) for one in committees
        ],
    }
    for kind in ("nominal", "measured"):
        for way, values in bench.latencies(committees, f"{kind}_latency").items():
            columns[f"{kind}_latency_{way}"] = values
    return xr.Dataset(
        {name: ("committee", values) for name, values in columns.items()}
        | {"is_member": (("committee", "member"), belongs)},
        coords={
            "committee": np.arange(1, len(committees) + 1),
            "member": np.arange(1, len(bench.members) + 1),
        },
    )


def _of_groups(
    bench: Bench, groups: list[tuple[str, str, list[Committee]]], settings: Settings
) -> xr.Dataset:
    """Named committees: mean over their seeds, interval over images, standard error over seeds."""
    per_image, rows = [], []
    single = bench.single.mean(axis=1)
    for _, _, committees in groups:
        correct, of_members, _ = bench.evaluated(committees)
        per_image += [correct, correct - of_members]
        accuracy = bench.correct(committees).mean(axis=1)
        gain_best = accuracy - [single[list(one)].max() for one in committees]
        n = len(committees)
        error = accuracy.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        row = {
            "group_accuracy": accuracy.mean(),
            "group_accuracy_stderr": error,
            "group_mean_member": of_members.mean(),
            "group_gain": (correct - of_members).mean(),
            "group_gain_best": gain_best.mean(),
            "group_members": np.mean([len(one) for one in committees]),
            "group_committees": n,
        }
        for name in ("observed", "independent"):
            table = getattr(bench.pairs, name)
            word = {"observed": "", "independent": "_independent"}[name]
            row[f"group_agreement{word}"] = np.mean([mean_over_pairs(table, one) for one in committees])
        for kind in ("nominal", "measured"):
            for way, values in bench.latencies(committees, f"{kind}_latency").items():
                row[f"group_{kind}_latency_{way}"] = values.mean()
        rows.append(row)
    low, high = bootstrap_intervals(per_image, settings.confidence, settings.n_bootstrap, settings.seed)
    columns = {name: ("group", np.array([row[name] for row in rows], dtype=float)) for name in rows[0]}
    for place, name in enumerate(("group_accuracy", "group_gain")):
        columns[f"{name}_lower"] = ("group", low[place::2])
        columns[f"{name}_upper"] = ("group", high[place::2])
    names = {
        "group_name": ("group", [name for name, _, _ in groups]),
        "group_kind": ("group", [kind for _, kind, _ in groups]),
        "group_networks": ("group", [_networks(bench.members, part) for _, _, part in groups]),
    }
    return xr.Dataset(columns, coords={"group": np.arange(1, len(groups) + 1), **names})


def _networks(members: Sequence[Member], committees: list[Committee]) -> str:
    """Networks of a named committee, in its order."""
    places = sorted({place for committee in committees for place in committee})
    return ", ".join(dict.fromkeys(members[place].network for place in places))
