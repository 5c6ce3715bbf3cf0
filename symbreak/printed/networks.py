"""Which network each printed row belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from symbreak.config import Experiment, Network
from symbreak.printed.values import published, published_table, units

#: Names of columns in print -> ours, where they differ.
RENAMED = {"accuracy_network": "network_accuracy"}
#: Tables of P2 with statistics of heads or accuracies by their number, where a network is looked for.
PRINTED_HEADS = ("table2", "table5", "table6", "table3_dim256", "table3_dim1024", "table4", "table7")
#: Printed tables whose `accuracy` is that of the whole network, not of a classifier head.
OF_NETWORK = ("table3_dim256", "table7")


class PrintedNetwork(NamedTuple):
    """One printed row: the network that it belongs to, how long that was trained, what is printed.

    Attributes
    ----------
    pooling
        None where the paper does not say.
    values, units, suspect
        By our names of columns; suspect are those that contradict other printed numbers.
    """

    paper: str
    table: str
    architecture: str
    dim: int
    heads: tuple[int, ...]
    epochs: int
    pooling: str | None
    values: dict[str, float]
    units: dict[str, float]
    suspect: dict[str, float]

    def is_of(self, network: Network, strict: bool = True) -> bool:
        """Whether a network has this shape; not strict: blocks and heads alone decide."""
        if network.convolutional or network.heads_per_block != self.heads:
            return False
        same = network.architecture == self.architecture and network.dim == self.dim
        same = same and not network.convolutions_behind
        return not strict or (same and self.pooling in (None, network.pooling))


def suspect_cells(paper: str) -> dict[tuple[str, int, str], float]:
    """Printed numbers that contradict other printed numbers, with what those give.

    Examples
    --------
    >>> suspect_cells("P2")["table5", 0, "snr"]
    277
    """
    listed = published().get(paper, {}).get("suspect_cells", [])
    return {(cell["table"], cell["row"], cell["column"]): cell["instead"] for cell in listed}


def printed_networks(paper: str, table: str) -> list[PrintedNetwork]:
    """Rows of a printed table with their networks; a row of two budgets gives two.

    Parameters
    ----------
    paper : {"P1", "P2"}
    table : str
        P1 ``table1``, ``table2``; P2 ``table1``, ``table2``, ``table3_dim256``, ``table3_dim1024``,
        ``table4``, ``table5``, ``table6``, ``table7``. Rows of a table by block are all of one network.

    Examples
    --------
    >>> row = printed_networks("P2", "table5")[1]
    >>> row.architecture, row.heads, row.values["network_accuracy"]
    ('cct_7_3x1', (4, 4, 4, 4, 4, 4, 16), 0.813)
    >>> [(row.epochs, row.values) for row in printed_networks("P2", "table4")[:2]]
    [(300, {'network_accuracy': 0.7607}), (1000, {'network_accuracy': 0.807})]
    """
    found = []
    doubtful = suspect_cells(paper)
    lines = zip(published_table(paper, table), units(paper, table), strict=True)
    for number, (row, unit) in enumerate(lines):
        shape = _shape(paper, table, row)
        wrong = {c: value for (t, n, c), value in doubtful.items() if (t, n) == (table, number)}
        budgets = {300: "accuracy_300", 1000: "accuracy_1000"}
        if not any(name in row for name in budgets.values()):
            budgets = {int(row.get("epochs", 300 if paper == "P1" else 1000)): ""}
        for epochs, column in budgets.items():
            if column and column not in row:
                continue
            parts = [_renamed(part, table, column) for part in (row, unit, wrong)]
            found.append(PrintedNetwork(paper, table, *shape[:3], epochs, shape[3], *parts))
    return found


def _shape(paper: str, table: str, row: Mapping[str, float]) -> tuple[str, int, tuple[int, ...], str | None]:
    """Architecture, dimension, heads of every block and pooling of a printed row."""
    heads, dim = int(row.get("heads", 4)), int(row.get("dim", 256))
    if paper == "P1" or table == "table1":
        return "cct_7_3x1", 256, (4,) * 7, None
    if table == "table2":
        return "cct_7_3x1", 256, (4,) * 6 + (heads,), None
    if table.startswith("table3"):
        return "cct_1_3x1", int(table.removeprefix("table3_dim")), (heads,), None
    if table == "table4":
        return "cct_2_3x5", dim, (heads,) * 2, "first"
    convs, blocks = int(row.get("convs", 2)), int(row.get("blocks", 2 if table == "table6" else 1))
    of_blocks = (4,) * 6 + (heads,) if blocks == 7 else (heads,) * blocks
    return f"cct_{blocks}_3x{convs}", dim, of_blocks, "first" if convs == 5 else None


def _renamed(row: Mapping[str, float], table: str, budget: str) -> dict[str, float]:
    """Columns by our names; of two budgets the wanted one; per cent as fractions."""
    left_out = ("block", "heads", "head_size", "dim", "convs", "blocks", "epochs")
    found = {RENAMED.get(name, name): value for name, value in row.items() if name not in left_out}
    if budget:
        found = {"accuracy": found[budget]} if budget in found else {}
        scale = 100 if table == "table4" else 1
        found = {name: round(value / scale, 6) for name, value in found.items()}
    if (budget or table in OF_NETWORK) and "accuracy" in found:
        found["network_accuracy"] = found.pop("accuracy")
    return found


def printed_of(
    network: Network, epochs: int, tables: Sequence[str], strict: bool = True
) -> PrintedNetwork | None:
    """The printed row of P2 for a network: of the first table that has its shape, the nearest budget.

    Examples
    --------
    >>> row = printed_of(Network(architecture="cct_1_3x1", heads=8), 1000, ["table3_dim256"])
    >>> row.values
    {'network_accuracy': 0.692}
    """
    for table in tables:
        rows = [row for row in printed_networks("P2", table) if row.is_of(network, strict)]
        if rows:
            return min(rows, key=lambda row: abs(row.epochs - epochs))
    return None


def printed_for(experiment: Experiment, tables: Sequence[str]) -> dict[str, PrintedNetwork | None]:
    """What is printed for every network of an experiment; tables of one shape, if it has that shape.

    Table 2 of P2 is all of one dimension, so that blocks and heads decide; the others print their dimensions.

    Examples
    --------
    >>> networks = {"one": Network(architecture="cct_1_3x1", heads=8), "other": Network()}
    >>> found = printed_for(Experiment(name="e", networks=networks), ["table3_dim256"])
    >>> found["one"].values, found["other"]
    ({'network_accuracy': 0.692}, None)
    """
    found: dict[str, PrintedNetwork | None] = {}
    for name, network in experiment.networks.items():
        epochs = getattr(network, "epochs", None) or experiment.training.epochs
        found[name] = printed_of(network, epochs, tables)
        if found[name] is None and "table2" in tables:
            found[name] = printed_of(network, epochs, ["table2"], strict=False)
    return found


def printed_blocks(network: Network) -> dict[int, PrintedNetwork]:
    """Rows of P2 Table 1 by block, if a network has its blocks and heads.

    Examples
    --------
    >>> printed_blocks(Network(architecture="cct_7_3x2", dim=128))[7].values["snr"]
    277.2
    >>> printed_blocks(Network(architecture="cct_2_3x2"))
    {}
    """
    rows = printed_networks("P2", "table1")
    if not rows[0].is_of(network, strict=False):
        return {}
    return {int(row["block"]): one for row, one in zip(published_table("P2", "table1"), rows, strict=True)}
