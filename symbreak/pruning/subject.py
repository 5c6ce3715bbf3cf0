"""The trained network that is pruned, and what all of its studies need."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import symbreak
from symbreak import models
from symbreak.config import Experiment
from symbreak.data import ImageSet
from symbreak.data.configured import load_configured
from symbreak.learning.batches import measured_images
from symbreak.learning.engine.device import Engine, engine_of
from symbreak.learning.resume import digest
from symbreak.models.probe import Place
from symbreak.observables import pooled_moments
from symbreak.pruning.features import inputs_of, readout_nodes
from symbreak.pruning.missing_taps import moments_of
from symbreak.pruning.places import OWN_HEAD
from symbreak.pruning.sets import Nodes
from symbreak.store import provenance


class Subject(NamedTuple):
    """The network that is pruned, its images, and the nodes of its taps.

    Attributes
    ----------
    experiment : Experiment
    folder : Path
        Folder of the seed.
    network : CCT or CNN
        In evaluation mode, on the device of the engine.
    header : dict
        Of its file.
    engine : Engine
    train, validation : ImageSet
        Images of the retrainings.
    nodes : dict of place to Nodes
        Label means and readout of the nodes of every tap that the studies need.
    key : str
        Digest of everything that determines the studies.
    """

    experiment: Experiment
    folder: Path
    network: models.Trunk
    header: dict[str, Any]
    engine: Engine
    train: ImageSet
    validation: ImageSet
    nodes: dict[Place, Nodes]
    key: str

    def describe_readout(self) -> None:
        """Add the nodes before the readout to `nodes`, from the images of the measuring pass, once."""
        if OWN_HEAD not in self.nodes:
            images, training = measured_images(self.experiment), self.experiment.training
            features = inputs_of(self.network, self.network.readout, images, self.engine, training)
            self.nodes[OWN_HEAD] = readout_nodes(self.network, features)

    def attributes(self, title: str) -> dict[str, Any]:
        """Provenance of a file about this network."""
        source = f"{self.header['name']} ({self.network.network.architecture}) on {self.validation.name}"
        return provenance(self.experiment, header=self.header, title=title, source=source)


def subject_of(
    experiment: Experiment, folder: Path, network: models.Trunk, header: dict[str, Any], studies: list[str]
) -> Subject:
    """Read images and label means for some studies of a network; missing label means are measured."""
    pruning = experiment.pruning
    engine = engine_of(experiment.compute, header)
    train = load_configured(experiment.data, "train", pruning.train_per_label)
    validation = load_configured(experiment.data, "validation", pruning.validation_per_label)
    nodes: dict[Place, Nodes] = {}
    sources = [hashlib.sha256((folder / "network.safetensors").read_bytes()).hexdigest()]
    for tap, moments in moments_of(experiment, folder, pruning.taps_of(studies)).items():
        for block in moments.block.values:
            nodes[int(block), tap] = Nodes(*pooled_moments(moments, int(block)))
        sources.append(hashlib.sha256(moments.feature_mean.values.tobytes()).hexdigest())
    names = {"data", "training", "measurement", "statistics"}
    settings = experiment.model_dump(mode="json", include=names)
    settings["pruning"] = pruning.model_dump(mode="json", exclude={"checkpoint_seconds"})
    key = digest([settings, sources, train.sha256, symbreak.__version__])[:16]
    network = network.to(engine.device).eval()
    return Subject(experiment, folder, network, header, engine, train, validation, nodes, key)
