"""Every fault of docs/reliability.md: one sentence, its exit status, and nothing lost."""

from pathlib import Path

import faults
import faults_kinds
import pytest

FAULTS = faults.load_faults()
#: Mutated inputs have a test of their own.
DONE_HERE = [name for name, do in FAULTS.items() if do.args[0].__module__ != "fuzzing"]
#: What leaves with success: what is killed has no say in it, and what goes on, goes on.
SUCCEEDS = ("kill -9", "measuring runs out of memory", "folders with spaces")
KILLED = [name for name in FAULTS if name.startswith("kill -9")]
PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    return faults.Box(tmp_path_factory.mktemp("faults"))


@pytest.mark.slow
@pytest.mark.parametrize("name", DONE_HERE)
def test_nothing_is_lost_and_one_sentence_says_why(box, name):
    try:
        outcome = FAULTS[name](box)
    except faults.Skipped as reason:
        pytest.skip(str(reason))
    assert outcome.lost == 0, outcome.message
    assert outcome.tries > 0 and "\n" not in outcome.message and "Traceback" not in outcome.message
    if outcome.status is not None and not name.startswith(SUCCEEDS):
        assert outcome.status in (2, 143)
        assert outcome.message.startswith("symbreak ") and outcome.message.endswith(".")


@pytest.mark.parametrize("kind", faults_kinds.KINDS)
def test_no_member_of_a_kind_is_silent(kind):
    found = faults_kinds.outcome(kind)
    assert found.tries >= 8 and not found.silent and found.message
    assert f"\n| {kind} | {found.tries} | 0 | 0 |" in PAGE.read_text(), "run `python tests/faults.py`"


def test_there_are_enough_kills_and_the_page_lists_every_fault():
    import faults_kills

    assert len(KILLED) * faults_kills.KILLS >= 20
    page = PAGE.read_text()
    assert all(f"\n| {name} |" in page for name in FAULTS), (
        "run `python tests/faults.py > docs/reliability.md`"
    )
