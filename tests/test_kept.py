"""Jobs that take several seeds: what is finished survives the failure of the rest."""

import pytest

from symbreak.store.kept import one_by_one

pytestmark = pytest.mark.base


@pytest.fixture
def parts(tmp_path):
    return [[tmp_path / name / "weights", tmp_path / name / "history"] for name in "abc"]


def maker(parts, made, fails=None):
    def work(part):
        if part == fails:
            raise RuntimeError("killed")
        made.append(part)
        for path in parts[part]:
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{part} of {path.name}")

    return work


def test_finished_parts_are_taken_again_after_a_failure(parts):
    made = []
    with pytest.raises(RuntimeError):
        one_by_one(parts, "key", maker(parts, made, fails=2))
    for files in parts[:2]:
        for path in files:
            path.unlink()  # as Snakemake does with outputs of a failed job
    one_by_one(parts, "key", maker(parts, made))
    assert made == [0, 1, 2]
    assert [path.read_text() for path in parts[1]] == ["1 of weights", "1 of history"]
    assert not [path for files in parts for path in files[0].parent.iterdir() if path.name.startswith(".")]


def test_parts_made_for_other_settings_are_made_anew(parts):
    made = []
    with pytest.raises(RuntimeError):
        one_by_one(parts, "old", maker(parts, made, fails=1))
    one_by_one(parts, "new", maker(parts, made))
    assert made == [0, 0, 1, 2]


def test_a_file_system_without_links_keeps_copies(parts, monkeypatch):
    monkeypatch.setattr("os.link", lambda source, name: (_ for _ in ()).throw(OSError("no links")))
    made = []
    with pytest.raises(RuntimeError):
        one_by_one(parts, "key", maker(parts, made, fails=1))
    parts[0][0].unlink()
    one_by_one(parts, "key", maker(parts, made))
    assert made == [0, 1, 2] and parts[0][0].read_text() == "0 of weights"
