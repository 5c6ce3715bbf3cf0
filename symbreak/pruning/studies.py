"""All pruning of one trained network: every study, setting and method, piece by piece."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import symbreak
from symbreak import models
from symbreak.config import READOUT, Experiment
from symbreak.data import ImageSet
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning.engine.device import Engine, choose_engine
from symbreak.learning.loop import mixed_seed
from symbreak.learning.probes import load_network
from symbreak.learning.resume import ResumeFile, alone, digest
from symbreak.models.probe import Place
from symbreak.observables.nodes.tables import pooled_moments
from symbreak.progress import Progress
from symbreak.pruning.controls import choose_pairs
from symbreak.pruning.features import inputs_of, judge_own_head
from symbreak.pruning.missing_taps import moments_of
from symbreak.pruning.outputs import write_silencing, write_study
from symbreak.pruning.places import OWN_HEAD, Layer, layers_of, places_of, sets_at, thresholds_of
from symbreak.pruning.retraining import Workplace, prepare, pruned_copy, retrain
from symbreak.pruning.scratch import train_masked
from symbreak.pruning.sets import Judged
from symbreak.pruning.silencing import silencing_study
from symbreak.store.atomic import replacing_text

#: The network without pruning, retrained as the pruned ones are.
DENSE = "dense"


class Subject(NamedTuple):
    """The network that is pruned, and what all its studies need."""

    experiment: Experiment
    folder: Path
    network: models.Trunk
    header: dict[str, Any]
    engine: Engine
    train: ImageSet
    validation: ImageSet
    judged: dict[Place, Judged]
    key: str


def prune(experiment: Experiment, folder: Path, threads: int | None = None) -> None:
    """Prune one trained network in every way that its experiment asks for.

    Writes, for each study, ``pruning/{study}.nc`` and, for its first setting and ANDC,
    ``pruning/{study}/network.safetensors`` and ``logits/network.nc`` beside it: a folder like that of a
    seed, which `symbreak probe` and `symbreak measure` take. Besides ``pruning/silencing.nc``. A
    killed run goes on where it stopped: finished retrainings are kept, the running one is resumed.

    Parameters
    ----------
    experiment : Experiment
        With `pruning.studies`.
    folder : Path
        Folder of the seed, with ``network.safetensors`` and ``moments/``.
    threads : int, optional
        Threads of cluster scans.

    Raises
    ------
    SymbreakError
        If nothing is to be pruned, or a file is missing or damaged.
    """
    weights = folder / "network.safetensors"
    network, header = load_network(weights)
    studies = _studies_of(experiment, header)
    with alone(folder / "pruning" / "studies"):
        subject = _subject(experiment, folder, network, header, studies, threads)
        for name in studies:
            _study(subject, name)
        for work in (folder / "pruning").glob(".*-*"):  # those of other settings as well
            shutil.rmtree(work, ignore_errors=True)


def _studies_of(experiment: Experiment, header: Mapping[str, Any]) -> list[str]:
    name = header["name"]
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


def _subject(
    experiment: Experiment,
    folder: Path,
    network: models.Trunk,
    header: dict[str, Any],
    studies: list[str],
    threads: int | None,
) -> Subject:
    pruning = experiment.pruning
    engine = choose_engine(experiment.compute.model_copy(update={"precision": header["precision"]}))
    network = network.to(engine.device).eval()
    train = load_configured(experiment.data, "train", pruning.train_per_label)
    validation = load_configured(experiment.data, "validation", pruning.validation_per_label)
    judged: dict[Place, Judged] = {}
    sources = [hashlib.sha256((folder / "network.safetensors").read_bytes()).hexdigest()]
    for tap, moments in moments_of(experiment, folder, pruning.taps_of(studies)).items():
        for block in moments.block.values:
            judged[int(block), tap] = Judged(*pooled_moments(moments, int(block)))
        sources.append(hashlib.sha256(moments.feature_mean.values.tobytes()).hexdigest())
    names = {"data", "training", "measurement", "statistics"}
    settings = experiment.model_dump(mode="json", include=names)
    settings["pruning"] = pruning.model_dump(mode="json", exclude={"checkpoint_seconds"})
    key = digest([settings, sources, train.sha256, symbreak.__version__])[:16]
    return Subject(experiment, folder, network, header, engine, train, validation, judged, key)


def _judge_head(subject: Subject) -> None:
    """Judge the nodes before the readout on the images of the measuring pass, once."""
    if OWN_HEAD in subject.judged:
        return
    experiment = subject.experiment
    split = "train" if experiment.measurement.inputs == "training" else "validation"
    images = load_configured(experiment.data, split)
    network, engine = subject.network, subject.engine
    features = inputs_of(network, network.readout, images, engine, experiment.training)
    subject.judged[OWN_HEAD] = judge_own_head(network, features)


def _study(subject: Subject, name: str) -> None:
    study = subject.experiment.pruning.studies[name]
    layers = layers_of(study, subject.network.network.blocks)
    if READOUT in study.layers:
        _judge_head(subject)
    work = subject.folder / "pruning" / f".{name}-{subject.key}"
    place = prepare(
        subject.experiment,
        name,
        layers,
        subject.network,
        subject.engine,
        subject.train,
        subject.validation,
    )
    cuts = {
        s: thresholds_of(s, study, layers, subject.judged, subject.experiment.statistics)
        for s in study.settings
    }
    units = [(DENSE, DENSE)] + [(s, m) for s in study.settings for m in study.methods]
    rows = {}
    for setting, method in Progress(units, desc=f"prune {name}", unit="retraining"):
        cut = cuts.get(setting, {})
        rows[setting, method] = _unit(subject, place, layers, cut, (name, setting, method), work)
    judged = {p: subject.judged[p] for p in places_of(layers)}
    write_study(subject, name, layers, judged, cuts, rows, work / "network.safetensors")
    if name == _silencing(subject.experiment):
        table = silencing_study(
            subject.network,
            subject.judged[OWN_HEAD],
            place.train,
            place.validation,
            subject.experiment,
            subject.header["seed"],
        )
        write_silencing(subject, table)


def _silencing(experiment: Experiment) -> str | None:
    """The study beside which nodes are silenced: the first that prunes nothing but the readout."""
    pruning = experiment.pruning
    found = [name for name, study in pruning.studies.items() if study.only_readout]
    return found[0] if found and pruning.silenced else None


def _unit(
    subject: Subject,
    place: Workplace,
    layers: list[Layer],
    cuts: Mapping[Place, float],
    names: tuple[str, str, str],
    work: Path,
) -> dict[str, Any]:
    """One retraining, or what a killed run has left of it."""
    study, setting, method = names
    done = work / f"{setting}-{method}.json".replace(" ", "-")
    if done.exists():
        return json.loads(done.read_text())
    kept, adjusted = _chosen(subject, layers, cuts, names)
    resume, words = ResumeFile(done, digest([subject.key, names])), ", ".join(names)
    before = float("nan")
    if method == "artificial_scratch":
        rows = train_masked(subject, kept, resume, words)
    else:
        pruned = pruned_copy(subject.network, kept)
        before = place.accuracy(pruned)
        seed = mixed_seed(
            subject.header["seed"], study, 0
        )  # all methods see the same images in the same order
        rows = retrain(place, pruned, layers, resume, seed, words)
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
    sets = sets_at(subject.judged, cuts, subject.experiment.statistics)
    generator = np.random.default_rng(mixed_seed(subject.header["seed"], "/".join(names), 0))
    return choose_pairs(names[-1], layers, sets, weights, generator)
