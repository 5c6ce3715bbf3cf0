"""`symbreak validate` and `symbreak doctor`; what killed processes leave is cleared away."""

import fcntl
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import fuzzing
import pytest
from tiny import SETTINGS

from symbreak.cli import main
from symbreak.config import dump
from symbreak.errors import SymbreakError
from symbreak.store import replacing
from symbreak.store.locking import alone
from symbreak.store.tables import check_csv

ROOT = Path(__file__).parents[1]


@pytest.fixture
def results(tmp_path):
    folder = fuzzing.originals(tmp_path)
    (folder / "cct.pth").unlink()
    (folder / "tables").mkdir()
    (folder / "tables" / "a.csv").write_text('name,value\n"a, b",1\n')
    return folder


def test_a_folder_is_checked_with_all_kinds_of_files(results, capsys):
    assert main(["validate", str(results)]) == 0
    found = dict(line.rsplit(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert {Path(path).name: what for path, what in found.items()} == {
        "history.csv": "history, 2 epochs",
        "logits.nc": "logits, schema 2.0",
        "network.safetensors": "weights of small",
        "probes.safetensors": "probes of small",
        "a.csv": "table, 1 rows",
        "tiny.yaml": "experiment tiny",
    }


def test_all_that_is_wrong_is_named(results, capsys):
    for name in ("history.csv", "logits.nc", "probes.safetensors"):
        whole = (results / name).read_bytes()
        (results / name).write_bytes(whole[: len(whole) // 2])
    assert main(["validate", str(results)]) == 2
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3, "the others are checked all the same"
    lines = said.err.strip().splitlines()
    assert len(lines) == 4 and "3 of 6 files" in lines[-1]
    for name in ("history.csv", "logits.nc", "probes.safetensors"):
        assert any(name in line for line in lines)
    assert main(["validate", str(results / "history.csv")]) == 2
    assert "history.csv is cut off" in capsys.readouterr().err


def test_a_folder_without_files_of_ours_is_refused(tmp_path, capsys):
    assert main(["validate", str(tmp_path)]) == 2
    assert "no file of ours" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch,train_loss\n1,2.5\n2,2.2", "cut off or damaged at row 3"),
        ("epoch,train_loss\n1,2.5\n2\n", "row 3"),
        ("epoch,train_loss\n1,2.5\n3,2.2\n", "lacks epoch 2"),
        ("epoch,train_loss\n1,two\n", "numbers in row 2"),
        ("", "empty"),
    ],
)
def test_histories_that_are_cut_off_are_named(tmp_path, text, words):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(SymbreakError, match=words):
        check_csv(path)


def test_the_history_of_an_untrained_network_is_whole(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,learning_rate,train_loss,seconds\n0,nan,nan,0.0\n")
    assert check_csv(path) == "history, 1 epochs"


def test_doctor_says_what_is_here(capsys):
    assert main(["doctor", "--json", "--config", str(ROOT / "config" / "demo.yaml")]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["packages"]["python"] == platform.python_version() and facts["packages"]["torch"]
    assert {
        "packages",
        "extras",
        "machine",
        "threads",
        "device",
        "programs",
        "workflow",
        "data",
        "missing",
    } == set(facts)
    assert facts["extras"]["torch"] == "installed, brings training, measuring and pruning of networks"
    assert facts["missing"] == [] and "GiB" in facts["machine"]["memory"]
    assert main(["doctor"]) == 0
    assert "instruction sets" in capsys.readouterr().out


#: Runs verbs where torch cannot be imported, as where the package is installed without extras.
WITHOUT_TORCH = (
    "import sys; sys.modules['torch'] = None; from symbreak.cli import main; sys.exit(main(sys.argv[1:]))"
)


def without_torch(*arguments):
    command = [sys.executable, "-c", WITHOUT_TORCH, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_doctor_answers_without_torch():
    answer = without_torch("doctor", "--json")
    assert answer.returncode == 0, answer.stderr
    facts = json.loads(answer.stdout)
    assert "pip install 'symbreak[torch]'" in facts["device"]["torch"] and "data" in facts


def test_all_but_weights_is_checked_without_torch(results):
    answer = without_torch("validate", str(results))
    assert answer.returncode == 2 and "Traceback" not in answer.stderr
    assert len(answer.stdout.splitlines()) == 4, "the others are checked all the same"
    *files, last = answer.stderr.strip().splitlines()
    assert len(files) == 2 and all("cannot be checked: torch is not installed" in line for line in files)
    assert "2 of 6 files" in last


def test_files_of_other_kinds_are_not_called_damaged(tmp_path, capsys):
    page = tmp_path / "README.md"
    page.write_text("# Mine")
    assert main(["validate", str(page)]) == 2
    said = capsys.readouterr().err
    assert "README.md is of no kind that can be checked" in said and "remove" not in said
    assert main(["validate", str(tmp_path / "none.md")]) == 2
    assert "There is no file" in capsys.readouterr().err


def test_doctor_names_what_is_missing(tmp_path, capsys, monkeypatch):
    config = tmp_path / "tiny.yaml"
    data = {"name": "cifar100", "root": str(tmp_path / "none"), "download": False}
    config.write_text(dump(SETTINGS | {"data": data}))
    monkeypatch.setattr(
        "symbreak.cli.checks.doctor._requirements", lambda: ["numpy>=99", "no-such-package>=1"]
    )
    assert main(["doctor", "--config", str(config)]) == 2
    sentence = capsys.readouterr().err.strip().splitlines()[-1]
    for words in ("numpy>=99", "install no-such-package>=1", "cifar100 in"):
        assert words in sentence


def test_what_killed_writers_leave_is_removed_and_nothing_else(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    target = tmp_path / "a.nc"
    with replacing(target) as temporary:
        temporary.write_text("1")
        mine = temporary.name
    machine = re.fullmatch(r"\.a\.\d+-(.*)-[0-9a-f]{6}\.nc", mine)[1]
    left = tmp_path / f".a.{ended.pid}-{machine}-012345.nc"
    kept = [
        tmp_path / f".a.{os.getppid()}-{machine}-012345.nc",  # its writer lives
        tmp_path / f".a.{ended.pid}-{machine}x-012345.nc",  # of another machine
        tmp_path / f".b.{ended.pid}-{machine}-012345.nc",  # of another file
        tmp_path / ".a.resume.nc",
    ]
    for path in (left, *kept):
        path.write_text("half")
    with replacing(target) as temporary:
        temporary.write_text("2")
    assert sorted(tmp_path.iterdir()) == sorted([target, *kept]) and target.read_text() == "2"


def test_a_lock_that_its_holder_has_removed_does_not_count(tmp_path, monkeypatch):
    """A second process that has opened the lock file before the first removes it must not go on with it."""
    lock, plain, calls = tmp_path / ".a.lock", fcntl.flock, []

    def flock(handle, operation):
        if not calls:
            lock.unlink()  # the first ends right now
        calls.append(operation)
        plain(handle, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with alone(tmp_path / "a.nc"):
        assert lock.exists() and len(calls) == 2
        with pytest.raises(SymbreakError, match="already writing"), alone(tmp_path / "a.nc"):
            pass
    assert not lock.exists()
