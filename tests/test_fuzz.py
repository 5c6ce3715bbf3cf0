"""Readers of experiment files, NetCDF, weights and tables: one sentence, whatever they are given."""

import faults
import fuzzing
import pytest

NAMES = [name for name in faults.FAULTS if name.startswith(("mutated", "experiment files that"))]


class Folders:
    """What these faults need of a box: new folders."""

    def __init__(self, factory):
        self.factory = factory

    def empty(self):
        return self.factory.mktemp("fuzz")


@pytest.mark.parametrize("name", NAMES)
def test_only_sentences_come_of_mutated_inputs(tmp_path_factory, name):
    outcome = faults.FAULTS[name](Folders(tmp_path_factory))
    assert outcome.tries and outcome.message


def test_there_are_ten_thousand_inputs():
    assert fuzzing.TRIES >= 10_000
