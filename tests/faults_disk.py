"""Disks that are full or read-only."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import forks
from faults import STAGES, Outcome, Skipped, fault
from sameness import differences, snapshot


@contextmanager
def small_disk(folder, size):
    """Put a small file system under a folder; root may, elsewhere it is refused."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size}k", "symbreak-test", str(folder)]
    try:
        done = subprocess.run(["mount", *options], capture_output=True, text=True)
    except OSError as error:
        raise Skipped(str(error)) from None
    if done.returncode:
        raise Skipped(f"a small disk needs the right to mount ({done.stderr.strip()})")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@fault("disk full while measuring", "measure", 800)
@fault("disk full while probing", "probe", 400)
@fault("disk full while training", "train", 190)
def full_disk(box, stage, size):
    """A small disk fills; larger, it lets the run go on."""
    before = box.folder / f"before_{stage}"
    folder = box.folder / f"full_{stage}"
    with small_disk(folder, size):
        shutil.copytree(before, folder, dirs_exist_ok=True)
        known = snapshot(folder)
        answer = forks.run(STAGES[stage], folder)
        assert answer.clean, answer.said
        lost = changed(known, folder)
        subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
        again = forks.run(STAGES[stage], folder)
        assert again.status == 0, again.said
        lost |= set(differences(folder, box.after(stage)))
    return Outcome(1, len(lost), answer.sentence, answer.status)


@fault("quota spent while measuring (largest size of a file)", "measure", 150_000)
@fault("quota spent while probing (largest size of a file)", "probe", 60_000)
@fault("quota spent while training (largest size of a file)", "train", 60_000)
def small_files(box, stage, size):
    """No file may grow beyond a size; then it may."""
    folder = box.before(stage)
    known = snapshot(folder)
    answer = forks.run(STAGES[stage], folder, ("small_files", size))
    assert answer.clean, answer.said
    lost = changed(known, folder)
    again = forks.run(STAGES[stage], folder)
    assert again.status == 0, again.said
    lost |= set(differences(folder, box.after(stage)))
    return Outcome(1, len(lost), answer.sentence, answer.status)


@fault("results are read-only while measuring", "measure", "results/tiny/small/seed1")
@fault("results are read-only while probing", "probe", "results/tiny/small/seed1")
@fault("results are read-only while training", "train", "results/tiny/small/seed1")
def read_only(box, stage, below):
    """Nothing may be written to the results; then it may."""
    folder = box.before(stage)
    (folder / below).mkdir(parents=True, exist_ok=True)
    known = snapshot(folder)
    folders = [folder / below, *(path for path in (folder / below).rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    try:
        answer = forks.run(STAGES[stage], folder, ("plain_user",))
    finally:
        for path in folders:
            path.chmod(0o755)
    if answer.status == 0 and os.geteuid() == 0:
        raise Skipped("root may write everywhere here")
    assert answer.clean, answer.said
    lost = changed(known, folder)
    again = forks.run(STAGES[stage], folder)
    assert again.status == 0, again.said
    lost |= set(differences(folder, box.after(stage)))
    return Outcome(1, len(lost), answer.sentence, answer.status)


def changed(known, folder):
    """Names of the files of a snapshot that are no longer as they were."""
    now = snapshot(folder)
    return {name for name, digest in known.items() if now.get(name) != digest}
