"""What determines each stage of the workflow: its rerun, the digest that its jobs carry, and its format."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from symbreak.config.experiment import Experiment
from symbreak.errors import SymbreakError

#: Stage -> number of its format: raised when the stage computes other numbers from the same settings, so that
#: its files, and those made of them, are made again. A new version of the package alone makes nothing again.
FORMATS = {
    "data": 1,
    "train": 1,
    "probe": 1,
    "measure": 1,
    "attention": 1,
    "evolve": 1,
    "prune": 1,
    "latency": 1,
    "scan": 1,
    "heads": 1,
    "join": 1,
    "replicas": 1,
    "null": 1,
    "committee": 1,
    "results": 1,
    "pages": 1,
}
#: Keys that say where something lies, how often it is saved, how long is waited, what is held in memory, or
#: which files there are.
OPERATIONAL = {
    "data": {"root", "download", "memory"},
    "training": {"checkpoint_seconds"},
    "probes": {"checkpoint_seconds", "cache"},
    "compute": {"partner_seconds"},
    "heads": {"taps"},
    "evolution": {"taps"},
}
#: Keys that change what is said of a training while it goes on, not the weights.
VALIDATION = {"data": {"validation_per_label"}, "training": {"validate_every"}}
#: Keys of a training that change untrained weights, or what they are shown.
OF_UNTRAINED = {"normalisation"}
#: Stage -> sections of the experiment that determine it, as far as nothing finer is known below.
SECTIONS = {
    "data": ("data",),
    "train": ("data", "training", "compute"),
    "probe": ("data", "probes", "compute"),
    "measure": ("data", "measurement", "compute"),
    "attention": ("data", "heads", "compute"),
    "evolve": ("data", "measurement", "compute", "probes", "statistics", "heads", "evolution"),
    "prune": ("data", "measurement", "compute", "probes", "statistics", "pruning"),
    "latency": ("latency", "compute"),
    "scan": ("statistics",),
    "heads": ("statistics", "heads"),
    "join": (),
    "replicas": ("heads",),
    "null": ("seeds", "statistics"),
    "committee": ("seeds", "committee"),
    "results": ("statistics", "published"),
    "pages": ("seeds", "statistics", "published", "title"),
}


def determining(experiment: Experiment, stage: str, network: str | None = None) -> dict[str, Any]:
    """Settings that determine the numbers of a stage, besides the files that it reads.

    Parameters
    ----------
    experiment : Experiment
    stage : str
        A key of `FORMATS`.
    network : str, optional
        Network that it is about; the others of the experiment have no part in it.

    Returns
    -------
    dict
        JSON values: sections without the keys that change nothing, and the format of the stage.

    Raises
    ------
    SymbreakError
        If the experiment has no such network.

    Examples
    --------
    >>> from symbreak.config import parse
    >>> settings = {"name": "mine", "networks": {"small": {"dim": 64}}}
    >>> one = determining(parse(settings), "train", "small")
    >>> one == determining(parse(settings | {"data": {"root": "elsewhere"}}), "train", "small")
    True
    >>> one == determining(parse(settings | {"data": {"seed": 1}}), "train", "small")
    False
    """
    if network is not None and network not in experiment.networks:
        known = ", ".join(experiment.networks)
        raise SymbreakError(f"The experiment {experiment.name} has no network {network}, but {known}.")
    found = {name: _section(experiment, name) for name in SECTIONS[stage]}
    if "measurement" in found and found["measurement"]["head_silencing"] == "readout":
        del found["measurement"]["head_silencing"]
    if stage == "attention":
        found["heads"] = {key: found["heads"][key] for key in ("n_shuffles", "seed")}
    if "probes" in found and network:
        found["probes"]["taps"] = experiment.taps_of(network)
    if stage == "train" and network:
        found |= _of_training(experiment, network)
    if stage in ("train", "probe"):
        found["data"] = _without(found["data"], VALIDATION["data"])
    if stage == "latency" and network:
        shape = experiment.networks[network].determining()
        found["network"] = {key: value for key, value in shape.items() if key != "epochs"}
        found["labels"] = experiment.data.n_labels
    if stage in ("committee", "pages"):
        members = experiment.committee_of() if stage == "committee" else experiment.networks
        found["networks"] = {name: experiment.networks[name].model_dump(mode="json") for name in members}
    return found | {"format": FORMATS[stage]}


def digest(experiment: Experiment, stage: str, network: str | None = None) -> str:
    """First letters of the SHA-256 of what determines a stage.

    Examples
    --------
    >>> from symbreak.config import parse
    >>> len(digest(parse({"name": "mine", "networks": {"small": {"dim": 64}}}), "scan"))
    12
    """
    settings = json.dumps(determining(experiment, stage, network), sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:12]


def _section(experiment: Experiment, name: str) -> Any:
    """A section without the keys that change nothing; those of later versions count where they are set."""
    section = getattr(experiment, name)
    if not hasattr(section, "model_dump"):
        return section
    settings = section.determining() if hasattr(section, "determining") else section.model_dump(mode="json")
    return _without(settings, OPERATIONAL.get(name, set()))


def _of_training(experiment: Experiment, network: str) -> dict[str, Any]:
    """Its own number of epochs for each network, and nothing of the schedule for one without training."""
    shape = experiment.networks[network]
    training = experiment.training_of(network).determining()
    if not shape.trained:
        training = {key: value for key, value in training.items() if key in OF_UNTRAINED}
    training = _without(training, OPERATIONAL["training"] | VALIDATION["training"])
    return {"training": training, "network": shape.determining()}


def _without(settings: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in names}
