"""A-ANDC without a trained network: the masks are there from the first step."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from numpy.typing import NDArray

from symbreak import models
from symbreak.config import Experiment, Training
from symbreak.data.configured import load_configured
from symbreak.learning.loop import mixed_seed
from symbreak.learning.resume import ResumeFile
from symbreak.learning.train import training_loop
from symbreak.pruning.places import Layer
from symbreak.pruning.subject import Subject


def scratch_training(experiment: Experiment) -> Training:
    """The `training` section with `pruning.scratch_epochs`, warm-up and cool-down in proportion.

    Examples
    --------
    >>> from symbreak.config import parse
    >>> own = parse({"name": "mine", "networks": {"small": {}}, "pruning": {"scratch_epochs": 30}})
    >>> scratch_training(own).epochs, scratch_training(own).warmup_epochs
    (30, 1.0)
    """
    training = experiment.training
    epochs = experiment.pruning.scratch_epochs or training.epochs
    ratio = epochs / training.epochs
    shorter = {
        "warmup_epochs": training.warmup_epochs * ratio,
        "cooldown_epochs": training.cooldown_epochs * ratio,
    }
    return training.model_copy(update={"epochs": epochs} | shorter)


def train_masked(
    subject: Subject, kept: Mapping[Layer, NDArray], resume: ResumeFile, words: str
) -> list[dict[str, float]]:
    """Train a fresh network with its masks, as `symbreak train` would, and return one row for each epoch.

    It starts from the initial weights that the trained network had, and is given the same images.
    """
    experiment, engine, seed = subject.experiment, subject.engine, subject.header["seed"]
    training = scratch_training(experiment)
    train = load_configured(experiment.data, "train")
    torch.manual_seed(mixed_seed(seed, "initial weights", 0))
    shape = subject.network.network, subject.network.labels
    network = models.create(*shape, experiment.compute.cpu_passes)
    models.apply_masks(network, {layer.module: torch.from_numpy(mask) for layer, mask in kept.items()})
    network = network.to(engine.device).train()

    loop = training_loop(network, network, training, train, subject.validation, engine, resume, seed)
    loop.description, loop.checkpoint_seconds = words, experiment.pruning.checkpoint_seconds
    return loop.run()
