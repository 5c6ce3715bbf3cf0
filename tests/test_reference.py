"""The printed rows come out of the formulas, and the known misprints do not."""

from itertools import product

import numpy as np
import pytest

from symbreak.errors import SymbreakError
from symbreak.observables import signal_to_noise
from symbreak.printed import agrees, published, published_table, units

OUTPUTS = ("signal", "noise_internal", "noise_external", "snr")


def rows_of(paper):
    """(inputs, units of inputs, outputs, units of outputs, matrices) of the two main tables of a paper."""
    if paper == "P1":
        tables = [published_table("P1", name) for name in ("table1", "table2")]
        last = [units("P1", name) for name in ("table1", "table2")]
        return [(a, ua, b, ub, 256) for a, ua, b, ub in zip(tables[0], last[0], tables[1], last[1])]
    table1 = zip(published_table("P2", "table1"), units("P2", "table1"))
    table2 = zip(published_table("P2", "table2"), units("P2", "table2"))
    return [(a, u, a, u, 4) for a, u in table1] + [(a, u, a, u, a["heads"]) for a, u in table2]


def reproduces(row, unit, outputs, output_unit, n_matrices):
    """Whether one set of inputs that print as given yields all four printed outputs at once.

    The inputs are known to their last digit only: diagonal and noise are cut off, the size is rounded.
    """
    fractions = np.linspace(0, 1, 21, endpoint=False)
    diagonals = row["diagonal"] + fractions * unit["diagonal"]
    noises = row["noise"] + fractions[::5] * unit["noise"]
    sizes = row["cluster_size"] + (fractions - 0.5) * unit["cluster_size"]
    for diagonal, noise, size in product(diagonals, noises, sizes):
        result = signal_to_noise(diagonal, noise, size, n_matrices, 100)._asdict()
        if all(agrees(result[name], outputs[name], output_unit[name]) for name in OUTPUTS):
            return True
    return False


@pytest.mark.parametrize("paper", ["P1", "P2"])
def test_every_printed_row_of_tables_1_and_2_is_reproduced(paper):
    rows = rows_of(paper)
    assert len(rows) == {"P1": 7, "P2": 11}[paper]
    assert [row[0] for row in rows if not reproduces(*row)] == []


def test_printed_inputs_as_they_stand_give_the_printed_signal_noise_and_ratio():
    for row, _, outputs, unit, n_matrices in rows_of("P1"):
        result = signal_to_noise(row["diagonal"], row["noise"], row["cluster_size"], n_matrices, 100)
        assert abs(result.signal - outputs["signal"]) < 2.56 * 0.1 + unit["signal"]
        assert agrees(result.noise_external, outputs["noise_external"], unit["noise_external"])
        assert result.snr == pytest.approx(outputs["snr"], rel=0.02)


def test_known_misprints_do_not_follow_from_their_own_row():
    rows = published_table("P2", "table5")
    unit = units("P2", "table5")
    wrong = [i for i, row in enumerate(rows) if not reproduces(row, unit[i], row, unit[i], row["heads"])]
    assert {0, 3} <= set(wrong)
    assert signal_to_noise(37.5, 12.5, 1.027, 4, 100).snr == pytest.approx(277, abs=3)


def test_tables_can_be_read_and_copies_are_independent():
    first = published()
    first["P1"]["tables"]["table1"]["rows"][0]["noise"] = 0
    assert published_table("P1", "table1")[0]["noise"] == 417.2
    for paper in published().values():
        for table in paper["tables"].values():
            assert all(len(row) == len(table["columns"]) for row in table["rows"])
    with pytest.raises(SymbreakError, match="there are P1 table1"):
        published_table("P1", "table9")


def test_totals_in_the_text_fit():
    values = published()["P1"]["values"]
    assert sum(row["labels"] for row in published_table("P1", "heads")) == values["labels_owned"][7]
    for row in published_table("P2", "latency"):
        assert row["latency"] == row["convs"] + 4 * row["blocks"] + 1
