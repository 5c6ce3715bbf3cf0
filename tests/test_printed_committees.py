"""Printed committees of P2 beside ours: of exactly the printed networks, and of no others."""

import json

import pytest

from symbreak.observables import committee_tables
from symbreak.planted import independent_members
from symbreak.printed.networks import printed_networks
from symbreak.results.tables.committees import group_table, member_table


def p2_committee(names, kind_seeds=1, table="table6"):
    """Committee of networks with the shapes of a table of P2; `a` is its first row."""
    rows = dict(zip("abcdefghij", printed_networks("P2", table)))
    members = independent_members([0.7] * len(names), 200, seeds=kind_seeds)
    renamed = [m._replace(network=names["abcdefghij".index(m.network)]) for m in members]
    shapes = {
        name: {
            "architecture": rows[name].architecture,
            "dim": rows[name].dim,
            "heads": list(rows[name].heads),
            "epochs": rows[name].epochs,
            **({"pooling": rows[name].pooling} if rows[name].pooling else {}),
        }
        for name in names
    }
    return committee_tables(renamed).assign_attrs(networks=json.dumps(shapes), source="")


def test_printed_committees_stand_beside_ours_where_networks_are_those_of_the_table():
    six = group_table(p2_committee("abcdef"), "P2")
    assert six.accuracy_printed.tolist() == [0.83] and six.mean_member_printed.tolist() == [0.79]
    five = group_table(p2_committee("abcde"), "P2")
    assert five.accuracy_printed.tolist() == [0.827]
    assert "accuracy_printed" not in group_table(p2_committee("abc"), "P2")
    assert "accuracy_printed" not in group_table(p2_committee("abcdef"))
    members = member_table(p2_committee("abcdef"), paper="P2")
    assert members.network_accuracy_printed.tolist() == [0.799, 0.805, 0.788, 0.786, 0.792, 0.793]


@pytest.mark.parametrize(
    ("table", "names", "seeds", "kind", "printed"),
    [
        ("table5", "abcd", 1, "networks", {"accuracy": 0.851, "mean_member": 0.813, "agreement": 0.87}),
        ("table5", "a", 4, "seeds", {"accuracy": 0.822, "mean_member": 0.809, "agreement": 0.885}),
        ("table7", "abcdefghij", 1, "networks", {"accuracy": 0.811}),
        ("table7", "fghij", 2, "all", {"accuracy": 0.802, "mean_member": 0.773}),
    ],
)
def test_committees_of_deep_and_single_block_networks_have_their_printed_values(
    table, names, seeds, kind, printed
):
    groups = group_table(p2_committee(names, seeds, table), "P2").set_index("kind")
    row = groups.loc[kind]
    found = {name: row[f"{name}_printed"] for name in printed}
    assert found == printed
    others = groups.drop(index=kind)
    assert others.accuracy_printed.isna().all(), "committees of other sizes have no printed value"
    members = member_table(p2_committee(names, seeds, table), paper="P2")
    expected = [printed_networks("P2", table)["abcdefghij".index(name)].values for name in names]
    assert members.network_accuracy_printed.tolist() == [one["network_accuracy"] for one in expected]
