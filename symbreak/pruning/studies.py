"""All pruning of one trained network: every study, setting and method, piece by piece."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symbreak import models
from symbreak.config import READOUT, Experiment
from symbreak.errors import SymbreakError
from symbreak.learning.loop import mixed_seed
from symbreak.learning.resume import ResumeFile, digest
from symbreak.models.probe import Place
from symbreak.progress import Progress
from symbreak.pruning.controls import choose_pairs
from symbreak.pruning.outputs import write_silencing, write_study
from symbreak.pruning.places import OWN_HEAD, Layer, layers_of, places_of, sets_at, thresholds_of
from symbreak.pruning.retraining import Workplace, prepare, pruned_copy, retrain
from symbreak.pruning.scratch import train_masked
from symbreak.pruning.silencing import silencing_study
from symbreak.pruning.subject import Subject, subject_of
from symbreak.store.atomic import replacing_text
from symbreak.store.locking import alone

#: The network without pruning, retrained as the pruned ones are.
DENSE = "dense"


def prune(experiment: Experiment, folder: Path) -> None:
    """Prune one trained network in every way that its experiment asks for.

    Writes, for each study, ``pruning/{study}.nc`` and, for its first setting and ANDC, the folder
    ``pruning/{study}`` with ``network.safetensors`` and ``logits/network.nc``: a folder like that of a
    seed, which `symbreak probe` and `symbreak measure` take. Also ``pruning/silencing.nc``. A killed run
    goes on where it stopped: finished retrainings are kept, the running one is resumed.

    Parameters
    ----------
    experiment : Experiment
        With `pruning.studies`.
    folder : Path
        Folder of the seed, with ``network.safetensors`` and ``moments/``.

    Raises
    ------
    SymbreakError
        If nothing is to be pruned, or a file is missing or damaged.
    """
    network, header = models.load_network(folder / "network.safetensors", experiment.compute.cpu_passes)
    studies = _studies_of(experiment, header["name"])
    with alone(folder / "pruning" / "studies"):
        subject = subject_of(experiment, folder, network, header, studies)
        for name in studies:
            _study(subject, name)
        for work in (folder / "pruning").glob(".*-*"):  # those of other settings as well
            shutil.rmtree(work, ignore_errors=True)


def _studies_of(experiment: Experiment, name: str) -> list[str]:
    if name not in experiment.networks:
        raise SymbreakError(
            f"The experiment has no network {name!r}, of which these weights are; give its own file."
        )
    studies = experiment.studies_of(name)
    if not studies:
        raise SymbreakError(
            f"No study prunes {name}; add one to `pruning.studies` (without encoders: `readout` only)."
        )
    return studies


def _study(subject: Subject, name: str) -> None:
    study, statistics = subject.experiment.pruning.studies[name], subject.experiment.statistics
    layers = layers_of(study, subject.network.network.blocks)
    if READOUT in study.layers:
        subject.describe_readout()
    work = subject.folder / "pruning" / f".{name}-{subject.key}"
    place = prepare(subject, name, layers)
    cuts = {s: thresholds_of(s, study, layers, subject.nodes, statistics) for s in study.settings}
    units = [(DENSE, DENSE)] + [(s, m) for s in study.settings for m in study.methods]
    rows = {}
    for setting, method in Progress(units, desc=f"prune {name}", unit="retraining"):
        rows[setting, method] = _unit(place, cuts.get(setting, {}), (name, setting, method), work)
    nodes = {p: subject.nodes[p] for p in places_of(layers)}
    write_study(subject, name, layers, nodes, cuts, rows, work / "network.safetensors")
    if name == _silencing(subject.experiment):
        images, seed = (place.train, place.validation), subject.header["seed"]
        table = silencing_study(subject.network, subject.nodes[OWN_HEAD], *images, subject.experiment, seed)
        write_silencing(subject, table)


def _silencing(experiment: Experiment) -> str | None:
    """The study after which nodes are silenced: the first that prunes nothing but the readout."""
    pruning = experiment.pruning
    found = [name for name, study in pruning.studies.items() if study.only_readout]
    return found[0] if found and pruning.silenced else None


def _unit(
    place: Workplace, cuts: Mapping[Place, float], names: tuple[str, str, str], work: Path
) -> dict[str, Any]:
    """One retraining, or what a killed run has left of it."""
    subject, (study, setting, method) = place.subject, names
    done = work / f"{setting}-{method}.json".replace(" ", "-")
    if done.exists():
        return json.loads(done.read_text())
    kept, adjusted = _chosen(subject, place.layers, cuts, names)
    resume, words = ResumeFile(done, digest([subject.key, names])), ", ".join(names)
    before = float("nan")
    if method == "artificial_scratch":
        rows = train_masked(subject, kept, resume, words)
    else:
        pruned = pruned_copy(subject.network, kept)
        before = place.accuracy(pruned)
        # All methods see the same images in the same order.
        rows = retrain(place, pruned, resume, mixed_seed(subject.header["seed"], study, 0), words)
        if (setting, method) == (place.study.settings[0], "andc"):
            facts = {k: v for k, v in subject.header.items() if k not in ("network", "labels")}
            facts["pruned"] = {"study": study, "setting": setting, "method": method}
            facts["validation_accuracy"] = rows[-1]["validation_accuracy"]
            models.save(work / "network.safetensors", pruned, **facts)
    result = {
        "accuracy": [before, *(row.get("validation_accuracy", float("nan")) for row in rows)],
        "train_loss": [float("nan"), *(row["train_loss"] for row in rows)],
        "adjusted": {layer.name: number for layer, number in adjusted.items()},
    }
    replacing_text(done, json.dumps(result))
    resume.remove()
    return result


def _chosen(
    subject: Subject, layers: list[Layer], cuts: Mapping[Place, float], names: tuple[str, str, str]
) -> tuple[dict[Layer, np.ndarray], dict[Layer, int]]:
    """Weights that stay, and how many A-ANDC had to adjust; nothing where nothing is pruned."""
    if names[-1] == DENSE:
        return {}, {}
    weights = {
        layer: subject.network.get_parameter(f"{layer.module}.weight").detach().cpu().numpy()
        for layer in layers
    }
    sets = sets_at(subject.nodes, cuts, subject.experiment.statistics)
    generator = np.random.default_rng(mixed_seed(subject.header["seed"], "/".join(names), 0))
    return choose_pairs(names[-1], layers, sets, weights, generator)
