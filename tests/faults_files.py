"""Files that are cut, damaged, of another version, foreign, or meant to do harm."""

import pickle
import random
import shutil
import tarfile

import forks
import netCDF4
import torch
from faults import CONFIG, SEED, STAGES, Outcome, fault
from faults_disk import changed
from sameness import differences, snapshot

from symbreak.errors import SymbreakError

#: Tries of each kind of file.
CUTS = 3
SCAN = ["scan", *CONFIG, "--folder", SEED, "--taps", "block"]
CURVES = ["figure", "training", "--histories", f"{SEED}/history.csv", "--output", "training.png"]


@fault("history.csv cut off", "measure", CURVES, "history.csv")
@fault("file of label means (NetCDF) cut off", "measure", SCAN, "moments/block.nc")
@fault("resume file of a training cut off", "train", STAGES["train"], ".network.resume.safetensors")
@fault("weights of probes cut off", "probe", STAGES["measure"], "probes/probes.safetensors")
@fault("weights of a network cut off", "train", STAGES["probe"], "network.safetensors")
def cut_off(box, stage, arguments, name):
    """Cut a file at seeded places; the verb that reads it refuses, and works with the whole file."""
    places, lost = random.Random(name), set()
    for _ in range(CUTS):
        folder, path = _with(box, stage, name)
        whole = path.read_bytes()
        path.write_bytes(whole[: places.randrange(len(whole))])
        known = snapshot(folder)
        answer = forks.run(arguments, folder)
        assert answer.clean and path.name in answer.sentence, answer.said
        lost |= changed(known, folder)
        path.write_bytes(whole)
        again = forks.run(arguments, folder)
        assert again.status == 0, again.said
    return Outcome(CUTS, len(lost), answer.sentence, answer.status)


def _with(box, stage, name):
    """A folder as it was after a stage, and the file of that name; of a killed training the resume file."""
    folder = box.empty()
    if "resume" in name:
        shutil.copytree(box.folder / f"before_{stage}", folder, dirs_exist_ok=True)
        killed = forks.run(STAGES[stage], folder, ("die_at", box.operations[stage] // 2))
        assert killed.status < 0
    else:
        shutil.copytree(box.after(stage), folder, dirs_exist_ok=True)
    return folder, folder / SEED / name


@fault("file of label means of another version of the schema")
def other_version(box):
    """Give a file the number of a later schema."""
    folder, path = _with(box, "measure", "moments/block.nc")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.schema_version = "9.0"
    known = snapshot(folder)
    answer = forks.run(SCAN, folder)
    assert answer.clean and "schema version 9.0" in answer.sentence, answer.said
    lost = changed(known, folder)
    again = forks.run(STAGES["measure"], folder)  # write it anew, as the sentence says
    assert again.status == 0, again.said
    lost |= {name for name in differences(folder, box.after("measure")) if name.startswith("results")}
    return Outcome(1, len(lost), answer.sentence, answer.status)


@fault("resume file of other settings")
def other_settings(box):
    """Change the learning rate of a killed training."""
    folder, path = _with(box, "train", ".network.resume.safetensors")
    settings = (folder / "tiny.yaml").read_text()
    (folder / "tiny.yaml").write_text((box.empty(training={"learning_rate": 1e-3}) / "tiny.yaml").read_text())
    state = path.read_bytes()
    answer = forks.run(STAGES["train"], folder)
    assert answer.clean and "other settings" in answer.sentence, answer.said
    lost = set() if path.read_bytes() == state else {path.name}
    (folder / "tiny.yaml").write_text(settings)
    again = forks.run(STAGES["train"], folder)
    assert again.status == 0, again.said
    lost |= set(differences(folder, box.after("train")))
    return Outcome(1, len(lost), answer.sentence, answer.status)


class Harm:
    """A pickle of it makes a file when it is read."""

    def __reduce__(self):
        return open, ("harm.txt", "w")


@fault("archive of CIFAR-100 damaged")
def damaged_archive(box):
    """An archive that is not the published one, full of harmful pickles, and no network."""
    folder = box.empty(data={"name": "cifar100", "root": "data"})
    (folder / "data" / "cifar-100-python").mkdir(parents=True)
    harm = folder / "data" / "cifar-100-python" / "train"
    harm.write_bytes(pickle.dumps(Harm()))
    with tarfile.open(folder / "data" / "cifar-100-python.tar.gz", "w:gz") as archive:
        archive.add(harm, "cifar-100-python/train")
    harm.unlink()
    return _harmless(folder, ("no_network",))


@fault("files of CIFAR-100 exchanged for harmful pickles")
def harmful_files(box):
    """Files of the right names that run a program when they are unpickled."""
    folder = box.empty(data={"name": "cifar100", "root": "data"})
    (folder / "data" / "cifar-100-python").mkdir(parents=True)
    for name in ("train", "test", "meta"):
        (folder / "data" / "cifar-100-python" / name).write_bytes(pickle.dumps(Harm()))
    return _harmless(folder)


def _harmless(folder, *hooks):
    known = snapshot(folder)
    answer = forks.run(STAGES["train"], folder, *hooks)
    assert answer.clean and "checksum" in answer.sentence, answer.said
    assert not (folder / "harm.txt").exists()
    return Outcome(1, len(changed(known, folder)), answer.sentence, answer.status)


@fault("published checkpoint (.pth) exchanged for a harmful pickle")
def harmful_checkpoint(box):
    """A checkpoint that runs a program when it is unpickled, in both formats of torch."""
    from symbreak.models import read_official

    folder = box.empty()
    tries = 0
    for zipped in (True, False):
        path = folder / "cct.pth"
        torch.save({"model": Harm()}, path, _use_new_zipfile_serialization=zipped)
        try:
            read_official(path)
        except SymbreakError as error:
            message = str(error).replace(f"{folder}/", "")
        tries += 1
        assert "more than tensors" in message
    assert not list(folder.rglob("harm.txt"))
    return Outcome(tries, 0, message)
