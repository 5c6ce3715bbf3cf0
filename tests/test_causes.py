"""One cause, one class, one cure: nobody is told to free space or to write anew unless that is the reason."""

import argparse
import errno
import fcntl
import os
from pathlib import Path

import netCDF4
import planted_results as planted
import pytest
import torch
import xarray as xr
from safetensors.torch import load_file
from torch import nn

from symbreak import errors
from symbreak.data.images import cifar, files
from symbreak.learning.engine.processes import launched_place
from symbreak.models import build, load, load_official, read_official
from symbreak.models.official import export_official
from symbreak.models.weights import read_weights, write_weights
from symbreak.store import open_dataset, write_dataset
from symbreak.store.locking import alone
from symbreak.store.tables import require_history


def system(number):
    return lambda path: errors.of_system("write", path, OSError(number, os.strerror(number)))


CAUSES = [
    (system(errno.ENOSPC), errors.NoSpace, "free space there"),
    (system(errno.EDQUOT), errors.NoSpace, "free space there"),
    (system(errno.EFBIG), errors.NoSpace, "free space there"),
    (system(errno.EACCES), errors.NotAllowed, "that you may use"),
    (system(errno.EPERM), errors.NotAllowed, "that you may use"),
    (system(errno.EROFS), errors.NotAllowed, "that you may use"),
    (system(errno.ENOTDIR), errors.WrongPlace, "choose another name"),
    (system(errno.ENAMETOOLONG), errors.WrongPlace, "choose another name"),
    (system(errno.ENOENT), errors.NotFound, "check the path"),
    (system(errno.EBUSY), errors.InUse, "wait until it has finished"),
    (system(errno.EIO), errors.Unreachable, "see that the place is reachable"),
    (system(errno.ESTALE), errors.Unreachable, "see that the place is reachable"),
]


@pytest.mark.parametrize(("make", "cause", "cure"), CAUSES)
def test_each_error_of_the_system_has_its_cure(make, cause, cure):
    error = make("a.nc")
    assert type(error) is cause and cure in str(error) and str(error).startswith("Cannot write a.nc: ")
    assert isinstance(error, ValueError)
    assert ("free space" in str(error)) == (cause is errors.NoSpace)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_training_goes_on_where_there_are_no_locks_with_one_warning(tmp_path, monkeypatch, capsys, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    for _ in range(3):
        with alone(tmp_path / "results" / "a.nc"):
            (tmp_path / "results" / "a.nc").write_text("done")
    assert capsys.readouterr().err.count("has no locks") == 1


def test_a_lock_of_another_and_a_missing_right_are_told_apart(tmp_path, monkeypatch):
    with alone(tmp_path / "a"), pytest.raises(errors.InUse, match="already writing"), alone(tmp_path / "a"):
        pass

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(errors.NotAllowed, match="that you may use"), alone(tmp_path / "b"):
        pass


def test_tensors_that_share_memory_are_written_whole_and_others_refused_with_their_reason(tmp_path):
    base, path = torch.arange(12.0), tmp_path / "a.safetensors"
    tied = nn.Linear(3, 3)
    tensors = {"a": base, "b": base, "half": base[:6], "turned": base.view(3, 4).T, "row": tied.weight[0]}
    write_weights(path, tensors, {})
    read = load_file(path)
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())
    for wrong, words in (
        (torch.empty(3, device="meta"), "has no values"),
        (torch.eye(3).to_sparse(), "is sparse"),
        (torch.zeros(3).to_sparse(), "is sparse"),
    ):
        with pytest.raises(errors.Unstorable, match=words) as caught:
            write_weights(path, {"w": wrong}, {})
        assert "free space" not in str(caught.value)
    assert set(load_file(path)) == set(tensors)  # the old file stays


def test_weights_that_are_missing_unreadable_or_damaged(tmp_path):
    with pytest.raises(errors.NotFound, match="train the network first"):
        read_weights(tmp_path / "none.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(errors.WrongPlace, match="choose another name"):
        read_weights(tmp_path / "folder.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"12")
    with pytest.raises(errors.Damaged, match="delete the file"):
        load(tmp_path / "cut.safetensors")


def small_file(path):
    write_dataset(path, planted.moments(), "moments", planted.facts(1, "block"))
    return path


def change(path, **attributes):
    with netCDF4.Dataset(path, "a") as opened:
        opened.setncatts(attributes)


def refused(number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    return refuse


#: What is done to a file of ours -> class and cure.
READING = {
    "missing": (lambda path, _: path.unlink(), errors.NotFound, "run the workflow up to it"),
    "a folder": (lambda path, _: (path.unlink(), path.mkdir()), errors.WrongPlace, "name a file in it"),
    "cut off": (lambda path, _: os.truncate(path, 3000), errors.Damaged, "run the workflow again"),
    "empty": (lambda path, _: os.truncate(path, 0), errors.Damaged, "run the workflow again"),
    "a text": (lambda path, _: path.write_text("label,mean"), errors.Damaged, "run the workflow again"),
    "an archive": (lambda path, _: path.write_bytes(b"PK" * 99), errors.Damaged, "run the workflow again"),
    "of others": (
        lambda path, _: xr.Dataset({"a": ("x", [1.0])}).to_netcdf(path),
        errors.Foreign,
        "give one of ours",
    ),
    "other schema": (
        lambda path, _: change(path, schema_version="9.0"),
        errors.OtherVersion,
        "run the workflow again",
    ),
    "changed by hand": (lambda path, _: change(path, config="{}"), errors.Damaged, "changed by hand"),
    "other seed": (lambda path, _: change(path, seed=77), errors.Damaged, "coordinate `seed`"),
    "no right": (
        lambda _, patch: patch.setattr(Path, "open", refused(errno.EACCES)),
        errors.NotAllowed,
        "ask for the right to it",
    ),
    "a stale mount": (
        lambda _, patch: patch.setattr(Path, "open", refused(errno.ESTALE)),
        errors.Unreachable,
        "see that the place is reachable",
    ),
}


@pytest.mark.parametrize("done", READING)
def test_a_file_that_cannot_be_read_has_one_cause_and_its_cure(done, tmp_path, monkeypatch):
    do, cause, cure = READING[done]
    path = small_file(tmp_path / "block.nc")
    do(path, monkeypatch)
    with pytest.raises(errors.SymbreakError) as caught:
        open_dataset(path, "moments")
    assert type(caught.value) is cause and cure in str(caught.value) and "block.nc" in str(caught.value)
    assert "free space" not in str(caught.value)


def test_a_file_that_is_being_written_is_in_use_and_another_kind_is_named(tmp_path):
    path = small_file(tmp_path / "block.nc")
    with path.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(errors.InUse, match="wait until it has finished"):
            open_dataset(path)
    with pytest.raises(errors.Foreign, match="holds moments, and heads are wanted"):
        open_dataset(path, "heads")


@pytest.mark.parametrize(
    ("content", "cause", "words"),
    [
        (b"", errors.Damaged, "is empty"),
        (b"\xff\xfe", errors.Damaged, "not a table"),
        (b"epoch,train_loss\n1,0.5\n2", errors.Damaged, "cut off or damaged at row 3"),
        (b"epoch,train_loss\n1,0.5\n3,0.5\n", errors.Damaged, "lacks epoch 2"),
        (b"a,b\n1,2\n", errors.Foreign, "no history"),
        (None, errors.NotFound, "check the path"),
    ],
)
def test_tables_that_cannot_be_read_have_their_causes(content, cause, words, tmp_path):
    path = tmp_path / "history.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.SymbreakError) as caught:
        require_history(path)
    assert type(caught.value) is cause and words in str(caught.value)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod.", "net.backbone."])
def test_prefixes_of_wrappers_are_taken_off(tmp_path, prefix):
    network = build("cct_1_3x1", labels=3, dim=8, heads=2, image_size=8)
    state = {prefix + name: tensor for name, tensor in export_official(network).items()}
    pixels = torch.rand(1, 3, 8, 8)
    assert torch.equal(load_official(state, heads=2, image_size=8).eval()(pixels), network.eval()(pixels))
    torch.save({"model": state, "args": argparse.Namespace(lr=0.1)}, tmp_path / "cct.pth")
    assert read_official(tmp_path / "cct.pth", heads=2, image_size=8).labels == 3


def test_weights_of_images_of_another_size_name_the_key():
    state = export_official(build("cct_1_3x1", labels=3, dim=8, heads=2, image_size=64))
    with pytest.raises(errors.SymbreakError, match=r"another size; give its `image_size`, 64"):
        load_official(state, heads=2)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"RANK": "3", "WORLD_SIZE": "8"}, "unset RANK and WORLD_SIZE"),
        ({"RANK": "x", "WORLD_SIZE": "1"}, "RANK='x' is no number; unset RANK and WORLD_SIZE"),
        ({"RANK": "1", "WORLD_SIZE": "1"}, "RANK=1 is no number of one of 1 processes"),
        (
            {"SLURM_STEP_NUM_TASKS": "2(x2)", "SLURM_PROCID": "0"},
            "unset SLURM_PROCID and SLURM_STEP_NUM_TASKS",
        ),
        ({"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"}, "make them equal, or unset SLURM_PROCID"),
        ({"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "-1"}, "LOCAL_RANK='-1' is no number"),
    ],
)
def test_leftover_variables_of_launchers_are_named(environment, words):
    with pytest.raises(errors.Partners) as caught:
        launched_place(1, environment)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "environment",
    [{"RANK": "", "WORLD_SIZE": "1"}, {"RANK": "0"}, {"WORLD_SIZE": "4"}, {"RANK": " ", "WORLD_SIZE": ""},
     {"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}, {"SLURM_STEP_NUM_TASKS": "2(x2)"},
     {"RANK": "0", "WORLD_SIZE": "1"}],
)  # fmt: skip
def test_empty_variables_count_as_unset(environment):
    assert launched_place(1, environment) is None


@pytest.mark.parametrize("download", [True, False])
@pytest.mark.parametrize("deep", [True, False])
def test_a_root_beside_the_data_is_told_where_they_lie(tmp_path, monkeypatch, deep, download):
    def refuse(*_, **__):
        raise OSError("no network here")

    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", refuse)
    (tmp_path / "all" / "cifar-100-python").mkdir(parents=True)
    root = tmp_path / "all" / "cifar-100-python" if deep else tmp_path
    with pytest.raises(errors.SymbreakError, match=f"set (it|data.root) to {tmp_path}/all"):
        cifar.read("cifar100", "train", root=str(root), download=download)


def test_a_read_only_share_is_not_called_a_failed_download(tmp_path):
    denied = PermissionError(errno.EROFS, "Read-only file system", str(tmp_path / ".download.lock"))
    error = files.unfetched("CIFAR-100", tmp_path / "cifar-100-python", denied, "put it there")
    assert type(error) is errors.NotAllowed and "may not be written" in str(error)
    assert "could not be fetched" not in str(error)
