"""Writing: through links, by the umask, where the file system cannot do everything, never over an input."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny import SETTINGS, experiment

from symbreak.cli import main
from symbreak.config import dump
from symbreak.errors import SymbreakError
from symbreak.models.weights import write_weights
from symbreak.planted import moments_example
from symbreak.store import open_dataset, provenance, replacing, write_dataset
from symbreak.store.atomic import replacing_text, require_other

FACTS = {"dataset": "none", "dataset_sha256": "0", "precision": "fp32", "device": "cpu"}


def write_moments(path, seed=1):
    facts = provenance(
        experiment(), title="an example", source="planted", network="small", seed=seed, **FACTS
    )
    write_dataset(path, moments_example(seed=seed), "moments", facts)


WRITERS = {
    "text": (lambda path: replacing_text(path, "new"), "a.csv"),
    "netcdf": (write_moments, "a.nc"),
    "weights": (lambda path: write_weights(path, {"w": torch.zeros(2)}, {}), "a.safetensors"),
}


@pytest.fixture(params=WRITERS)
def writer(request, tmp_path):
    write, name = WRITERS[request.param]
    return write, tmp_path / name


@pytest.mark.parametrize("relative", [True, False])
def test_links_stay_and_their_targets_are_replaced(writer, relative):
    write, path = writer
    target = path.parent / "elsewhere" / f"target{path.suffix}"
    target.parent.mkdir()
    target.write_text("old")
    middle = path.parent / "middle"
    middle.symlink_to(os.path.relpath(target, path.parent) if relative else target)
    path.symlink_to(middle)
    write(path)
    assert path.is_symlink() and middle.is_symlink()
    assert target.read_bytes() == path.read_bytes() != b"old"
    assert sorted(file.name for file in target.parent.iterdir()) == [target.name]


def test_a_link_to_nothing_gets_its_target_and_one_to_itself_a_sentence(tmp_path):
    link = tmp_path / "a.txt"
    link.symlink_to("folder/b.txt")
    replacing_text(link, "new")
    assert (tmp_path / "folder" / "b.txt").read_text() == "new" and link.is_symlink()
    loop = tmp_path / "loop.txt"
    loop.symlink_to("loop.txt")
    with pytest.raises(SymbreakError, match=r"Cannot write .*loop\.txt"):
        replacing_text(loop, "new")


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_files_have_the_mode_of_the_umask(writer, umask):
    write, path = writer
    before = os.umask(umask)
    try:
        write(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_fsync_is_no_reason_to_lose_a_file(writer, code, monkeypatch):
    write, path = writer
    monkeypatch.setattr(os, "fsync", _refusing(code))
    write(path)
    assert path.stat().st_size > 0
    monkeypatch.setattr(os, "fsync", _refusing(errno.EIO))
    known = path.read_bytes()
    with pytest.raises(SymbreakError, match="Cannot write"):
        write(path)
    assert path.read_bytes() == known and len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("code", [errno.EPERM, errno.EBUSY, errno.EXDEV])
def test_where_nothing_may_be_renamed_the_old_file_is_overwritten(tmp_path, code, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old and longer")
    monkeypatch.setattr(os, "replace", _refusing(code))
    replacing_text(path, "new")
    assert path.read_text() == "new" and [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_finished_file_that_cannot_take_its_place_is_kept(tmp_path, monkeypatch):
    path, plain = tmp_path / "a.txt", os.replace
    path.write_text("old")
    refuse = _refusing(errno.EPERM)
    monkeypatch.setattr(os, "replace", lambda one, two: (refuse if Path(two) == path else plain)(one, two))
    monkeypatch.setattr("shutil.copyfile", _refusing(errno.EACCES))
    with pytest.raises(SymbreakError, match=r"the finished file is .*a\.txt\.new"):
        replacing_text(path, "new")
    assert (tmp_path / "a.txt.new").read_text() == "new" and path.read_text() == "old"


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        (errno.ENOSPC, "free space there"),
        (errno.EDQUOT, "free space there"),
        (errno.EACCES, "choose a place that you may use"),
        (errno.EROFS, "choose a place that you may use"),
        (errno.ENAMETOOLONG, "choose another name"),
        (errno.EIO, "see that the place is reachable"),
    ],
)
def test_the_cure_is_that_of_the_cause(tmp_path, code, cure):
    with pytest.raises(SymbreakError, match=cure), replacing(tmp_path / "a.txt"):
        raise OSError(code, os.strerror(code))
    assert not list(tmp_path.iterdir())


def test_no_output_is_an_input(tmp_path, capsys):
    for seed in (1, 2):
        write_moments(tmp_path / f"seed{seed}" / "moments" / "a.nc", seed)
    one, two = tmp_path / "seed1", tmp_path / "seed2"
    (tmp_path / "link").symlink_to(two)
    known = {path: path.read_bytes() for path in tmp_path.rglob("*.nc")}
    for output in (one, two, tmp_path / "link", one / ".." / "seed2"):
        verb = ["join", str(one), str(two), "--names", "moments/a.nc", "--output", str(output)]
        assert main(verb) == 2 and "is an input" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in known} == known
    assert main([*verb[:-1], str(tmp_path)]) == 0
    config = tmp_path / "mine.yaml"
    config.write_text(dump(SETTINGS))
    assert main(["configure", "--config", str(config), "--output", str(config)]) == 2
    assert config.read_text() == dump(SETTINGS)
    require_other(tmp_path / "new.nc", [one / "moments" / "a.nc"])


def test_a_locked_file_is_not_called_damaged(tmp_path):
    path = tmp_path / "a.nc"
    write_moments(path)
    program = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, 2); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "1\n"
        with pytest.raises(SymbreakError, match="locked by another process") as caught:
            open_dataset(path)
        assert "again" not in str(caught.value) and "remove" not in str(caught.value)
    finally:
        holder.communicate("\n")
    open_dataset(path).close()


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
def test_a_file_system_without_locks_is_named(tmp_path, code, monkeypatch):
    path = tmp_path / "a.nc"
    path.write_bytes(b"what HDF5 cannot open")
    monkeypatch.setattr(fcntl, "flock", _refusing(code))
    with pytest.raises(SymbreakError, match="HDF5_USE_FILE_LOCKING=FALSE"):
        open_dataset(path)
    monkeypatch.undo()
    with pytest.raises(SymbreakError, match="not a readable NetCDF file"):
        open_dataset(path)


def _refusing(code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    return refuse
