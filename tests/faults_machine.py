"""Machines that lack what is asked for, numbers that explode, names that mean something to a shell."""

import shutil

import forks
import numpy as np
import xarray as xr
from faults import SEED, STAGES, Outcome, fault
from faults_disk import changed
from sameness import differences, snapshot

from symbreak.models.weights import read_weights


@fault("a GPU is asked for and there is none")
def missing_gpu(box):
    """Ask for cuda where every GPU is hidden."""
    folder = box.empty(compute={"device": "cuda"})
    known = snapshot(folder)
    answer = forks.run(STAGES["train"], folder, ("no_gpu",))
    assert answer.clean and "no GPU" in answer.sentence, answer.said
    return Outcome(1, len(changed(known, folder)), answer.sentence, answer.status)


@fault("probing runs out of memory", "probe", "cpu")
@fault("training runs out of memory of a GPU", "train", "gpu")
@fault("training runs out of memory", "train", "cpu")
def little_memory(box, stage, kind):
    """Memory ends in the tenth step; a machine with more goes on."""
    folder = box.before(stage)
    known = snapshot(folder)
    answer = forks.run(STAGES[stage], folder, ("little_memory", 32, kind))
    assert answer.clean and "not enough memory" in answer.sentence, answer.said
    lost = changed(known, folder)
    again = forks.run(STAGES[stage], folder)
    assert again.status == 0, again.said
    lost |= set(differences(folder, box.after(stage)))
    return Outcome(1, len(lost), answer.sentence, answer.status)


@fault("measuring runs out of memory of a GPU", "gpu")
@fault("measuring runs out of memory", "cpu")
def smaller_batches(box, kind):
    """Memory ends for whole batches; halves do, and change the label means by rounding only."""
    folder = box.before("measure")
    answer = forks.run(STAGES["measure"], folder, ("little_memory", 32, kind))
    lost = []
    for path in sorted((folder / SEED / "moments").glob("*.nc")):
        theirs = box.after("measure") / path.relative_to(folder)
        with xr.open_dataset(path) as one, xr.open_dataset(theirs) as other:
            if not np.allclose(one.feature_mean, other.feature_mean, rtol=1e-5, atol=1e-6):
                lost.append(path.name)
    message = next(line for line in answer.said.splitlines() if "not enough memory" in line)
    return Outcome(1, len(lost), message, answer.status)


@fault("the loss is no longer a number")
def exploding_loss(box):
    """A learning rate beyond reason; the state that is kept is finite."""
    folder = box.empty(training={"learning_rate": 1e30, "warmup_epochs": 0, "optimizer": "sgd"})
    answer = forks.run(STAGES["train"], folder)
    assert answer.clean and "no longer finite" in answer.sentence, answer.said
    tensors, _ = read_weights(folder / SEED / ".network.resume.safetensors")
    lost = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    assert not (folder / SEED / "network.safetensors").exists()
    return Outcome(1, len(lost), answer.sentence, answer.status)


@fault("folders with spaces, quotes and $(…) in their names")
def odd_names(box):
    """Names that would mean something to a shell are only names."""
    folder = box.before("measure")
    odd = "a b $(touch pwned) `touch pwned` ; touch pwned 'x\" ü"
    shutil.move(folder / SEED, folder / odd)
    shutil.move(folder / "tiny.yaml", folder / f"{odd}.yaml")
    answer = forks.run(["measure", "--config", f"{odd}.yaml", "--folder", odd], folder)
    assert answer.status == 0, answer.said
    lost = differences(folder / odd, box.after("measure") / SEED)
    assert not list(folder.rglob("pwned"))
    return Outcome(1, len(lost), "the same files", answer.status)
