"""Short retraining of a pruned network, its masks held, two learning rates."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from symbreak import models
from symbreak.config import READOUT, Study
from symbreak.data import ImageSet
from symbreak.learning.augmentation.pipeline import Augmentation
from symbreak.learning.batches import correct
from symbreak.learning.loop import METRICS, Loop, classification_loss, decays
from symbreak.learning.resume import ResumeFile
from symbreak.learning.schedule import Schedule
from symbreak.learning.train import evaluate
from symbreak.pruning.features import BATCH, inputs_of, rest_of
from symbreak.pruning.places import Layer
from symbreak.pruning.subject import Subject

Images = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]


class TwoRates(torch.optim.AdamW):
    """AdamW whose groups may have a `factor` on the learning rate that a `Loop` sets."""

    def step(self, closure: Any = None) -> Any:
        """Take one step, each group at its own rate."""
        for group in self.param_groups:
            group["lr"] = group["lr"] * group["factor"]
        return super().step(closure)


@dataclass
class Workplace:
    """What the retrainings of one study have in common: images or features, and how to run on them.

    Attributes
    ----------
    subject : Subject
    study : Study
    name : str
        Of the study.
    layers : list of Layer
        Pruned layers.
    train, validation : ImageSet
        Images, or what reaches the first pruned block if all before it is frozen.
    """

    subject: Subject
    study: Study
    name: str
    layers: list[Layer]
    train: ImageSet
    validation: ImageSet

    @property
    def first_block(self) -> int | None:
        """First pruned block; None where only the readout is pruned."""
        return min((layer.block for layer in self.layers if layer.kind != READOUT), default=None)

    @property
    def frozen(self) -> bool:
        """Whether what lies before the first pruned layer is computed once."""
        return self.study.only_readout or self.subject.experiment.pruning.learning_rate_rest == 0

    def part(self, network: models.Trunk) -> nn.Module:
        """The part of a network that the images of this workplace go through."""
        if not self.frozen:
            return network
        return network.readout if self.first_block is None else rest_of(network, self.first_block)

    @torch.no_grad()
    def accuracy(self, network: models.Trunk) -> float:
        """Fraction of the validation images that a network recognises."""
        engine, training = self.subject.engine, self.subject.experiment.training
        if not self.frozen:
            return evaluate(network, self.validation, engine, training)["validation_accuracy"]
        part, hits = self.part(network.eval()).eval(), 0
        for start in range(0, len(self.validation), BATCH):
            features = self.validation.images[start : start + BATCH].to(engine.device)
            labels = self.validation.labels[start : start + BATCH].to(engine.device)
            with engine.autocast():
                hits += int(correct(part(features).float(), labels))
        return hits / len(self.validation)


def prepare(subject: Subject, name: str, layers: list[Layer]) -> Workplace:
    """Compute the frozen part once, or leave the images as they are where nothing is frozen."""
    study, network = subject.experiment.pruning.studies[name], subject.network
    place = Workplace(subject, study, name, layers, subject.train, subject.validation)
    if place.frozen:
        first = place.first_block
        target = network.readout if first is None else network.blocks[first - 1]
        how = subject.engine, subject.experiment.training
        place.train = inputs_of(network, target, subject.train, *how)
        place.validation = inputs_of(network, target, subject.validation, *how)
    return place


def pruned_copy(network: models.Trunk, kept: Mapping[Layer, NDArray]) -> models.Trunk:
    """A copy of a network without the weights that are not kept."""
    pruned = copy.deepcopy(network)
    models.apply_masks(pruned, {layer.module: torch.from_numpy(mask) for layer, mask in kept.items()})
    return pruned


def parameter_groups(network: models.Trunk, layers: list[Layer], factor: float) -> list[dict[str, Any]]:
    """Parameters of the pruned blocks at the full rate, all others at `factor` times it.

    The readout counts as pruned where it is. With a factor of 0 all others are frozen, weight decay included.

    Examples
    --------
    >>> network = models.build("cct_2_3x1", labels=10, dim=32)
    >>> layers = [Layer(2, "linear1", (2, "feedforward_norm"), (2, "linear1"))]
    >>> sorted((group["decays"], group["factor"]) for group in parameter_groups(network, layers, 0.0))
    [(False, 1.0), (True, 1.0)]
    """
    parts = tuple({f"{READOUT}." if la.kind == READOUT else f"blocks.{la.block - 1}." for la in layers})
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        own = 1.0 if name.startswith(parts) else factor
        if own == 0:
            parameter.requires_grad_(False)
        elif parameter.requires_grad:
            groups.setdefault((decays(name, parameter), own), []).append(parameter)
    return [{"params": found, "decays": d, "factor": own} for (d, own), found in groups.items()]


def retrain(
    place: Workplace, pruned: models.Trunk, resume: ResumeFile, seed: int, words: str
) -> list[dict[str, float]]:
    """Train a pruned network for a few epochs, in place, and return one row for each.

    Parameters
    ----------
    place : Workplace
        Blocks of its layers learn at the full rate.
    pruned : CCT or CNN
        With its masks, on the device.
    resume : ResumeFile
        Where a killed run goes on.
    seed : int
        Seed of the order of the images, the same for all methods.
    words : str
        What the progress bar says.
    """
    experiment, engine = place.subject.experiment, place.subject.engine
    pruning, training = experiment.pruning, experiment.training
    epochs, rate = pruning.retraining(place.name)
    factor = 0.0 if place.frozen else pruning.learning_rate_rest / rate
    groups = parameter_groups(pruned, place.layers, factor)
    part = place.part(pruned).train()

    def validate() -> dict[str, float]:
        accuracy = place.accuracy(pruned)
        part.train()
        return {"validation_accuracy": accuracy}

    loop = Loop(
        model=part,
        optimizer=TwoRates(groups, lr=rate),
        schedule=_schedule(epochs, rate, pruning.schedule, pruning.weight_decay),
        images=place.train,
        engine=engine,
        augment=_as_they_are if place.frozen else Augmentation.from_settings(training, place.train),
        loss=classification_loss(part, engine, training.label_smoothing),
        metric_names=METRICS,
        validate=validate,
        resume=resume,
        epochs=epochs,
        batch_size=pruning.batch_size,
        seed=seed,
        description=words,
        checkpoint_seconds=pruning.checkpoint_seconds,
    )
    rows = loop.run()
    pruned.requires_grad_(True)
    pruned.eval()
    return rows


def _as_they_are(features: Tensor, labels: Tensor, _: torch.Generator) -> tuple[Tensor, Tensor]:
    return features, labels


def _schedule(epochs: int, rate: float, kind: str, decay: float) -> Schedule:
    if kind == "constant":
        return Schedule(epochs=epochs, peak=rate, kind="step", factor=1.0, decay=decay)
    return Schedule(epochs=epochs, peak=rate, kind="cosine", decay=decay)
