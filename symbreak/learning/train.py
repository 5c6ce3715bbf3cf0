"""Train one network of an experiment, one seed of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak import models
from symbreak.config import Compute, Experiment, Training
from symbreak.data import ImageSet
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning.augmentation.pipeline import Augmentation
from symbreak.learning.batches import correct, normalised_batches
from symbreak.learning.checkpoints import keep_checkpoints
from symbreak.learning.engine import parallel
from symbreak.learning.engine.compiled import compiled_or_not
from symbreak.learning.engine.device import Engine, choose_engine
from symbreak.learning.engine.memory import with_smaller_batches
from symbreak.learning.loop import (
    METRICS,
    Loop,
    classification_loss,
    mixed_seed,
    parameter_groups,
    write_history,
)
from symbreak.learning.resume import ResumeFile, digest
from symbreak.learning.schedule import Schedule


@parallel.in_processes
def train_network(experiment: Experiment, network: str, seed: int, weights: Path, history: Path) -> None:
    """Train a network and write its weights and its history.

    Recipes: official CCT (AdamW, cosine, RandAugment, MixUp, CutMix, erasing),
    and the papers' (step decay, per-image normalisation); all keys of `training`.

    Parameters
    ----------
    experiment : Experiment
        Data, networks and training.
    network : str
        Name of the network in the experiment.
    seed : int
        Seed of the initial weights and of all that is random in the training.
    weights, history : Path
        Files to write: safetensors and CSV.

    Raises
    ------
    SymbreakError
        If the data cannot be read, the loss diverges, or another process writes these files.
    """
    with parallel.alone_together(weights):
        experiment = experiment.model_copy(update={"training": experiment.training_of(network)})
        train, validation = (load_configured(experiment.data, split) for split in ("train", "validation"))
        require_side(train, experiment.networks[network].image_size)
        torch.manual_seed(mixed_seed(seed, "initial weights", 0))
        model = models.create(experiment.networks[network], train.n_labels, experiment.compute.cpu_passes)
        settings: dict[str, Any] = {"data": experiment.data.determining()}
        shape = experiment.networks[network].determining()
        settings |= {"training": experiment.training.determining(), "network": shape, "seed": seed}
        settings |= {"compute": experiment.compute.determining()}
        key = digest(settings | {"data_sha256": train.sha256})
        resume = ResumeFile(weights, key)
        engine = resumed_engine(resume, experiment.compute, model, train)
        model = model.to(engine.device).train()
        forward = _forward(resume, experiment.compute, model, engine, experiment.training.batch_size)
        loop = training_loop(model, forward, experiment.training, train, validation, engine, resume, seed)
        loop.description = f"train {network} seed {seed}"
        facts = {
            "name": network,
            "seed": seed,
            "dataset": train.name,
            "dataset_sha256": train.sha256,
            "data": experiment.data.determining(),
            "training": experiment.training.determining(),
            "precision": engine.precision,
            "device": engine.name,
        }
        trained = experiment.networks[network].trained
        if trained and experiment.training.checkpoints == "log" and parallel.is_first():
            _keep_checkpoints(loop, model, weights, facts)
        rows = loop.run() if trained else [_untrained(loop)]
        if parallel.is_first():
            write_history(history, rows)
            models.save(weights, model, **facts, validation_accuracy=rows[-1]["validation_accuracy"])
            resume.remove()


def _forward(
    resume: ResumeFile, compute: Compute, model: models.Trunk, engine: Engine, batch_size: int
) -> Callable[[Tensor], Tensor]:
    """The network's forward pass as it is trained: shared by processes, or compiled if that is faster.

    A resumed run keeps what the killed run had chosen.
    """
    if parallel.count() > 1:
        return parallel.share(model)
    wish = resume.known_facts().get("compiled", compute.compile)
    side = model.network.image_size
    forward = compiled_or_not(model, engine, wish, (batch_size, 3, side, side))
    resume.facts["compiled"] = forward is not model
    return forward


def training_loop(
    model: models.Trunk,
    forward: Callable[[Tensor], Tensor],
    training: Training,
    train: ImageSet,
    validation: ImageSet,
    engine: Engine,
    resume: ResumeFile,
    seed: int,
) -> Loop:
    """The whole training of a network by the `training` section, ready to run.

    Parameters
    ----------
    model : Trunk
        Network in training mode, on the device of the engine.
    forward : callable
        Its forward pass: itself, or the same shared by processes or compiled.
    training : Training
    train, validation : ImageSet
    engine : Engine
    resume : ResumeFile
        Where a killed run left its state.
    seed : int
        Of the order of images, the augmentation and dropout.
    """

    def validate() -> dict[str, float]:
        numbers = evaluate(model, validation, engine, training)
        model.train()
        return numbers

    return Loop(
        model=model,
        optimizer=build_optimizer(model, training),
        schedule=training_schedule(training),
        images=train,
        engine=engine,
        augment=Augmentation.from_settings(training, train),
        loss=classification_loss(forward, engine, training.label_smoothing),
        metric_names=METRICS,
        validate=validate,
        resume=resume,
        epochs=training.epochs,
        batch_size=training.batch_size,
        seed=seed,
        validate_every=training.validate_every,
        checkpoint_seconds=training.checkpoint_seconds,
        gradient_clip=training.gradient_clip,
    )


def _keep_checkpoints(loop: Loop, model: models.Trunk, weights: Path, facts: dict[str, Any]) -> None:
    """Let a loop keep the weights of some epochs, with the header of the trained network."""

    def save(path: Path, epoch: int) -> None:
        known = loop.history[-1].get("validation_accuracy") if epoch else None
        models.save(path, model, **facts, epoch=epoch, validation_accuracy=known)

    loop.after_epoch = keep_checkpoints(weights, loop.epochs, loop.resume.path.exists(), save)


def _untrained(loop: Loop) -> dict[str, float]:
    """History of a network that keeps its initial weights: one row, before the first epoch."""
    unknown = dict.fromkeys(("learning_rate", "train_loss", "train_accuracy"), float("nan"))
    return {"epoch": 0, **unknown, **loop.validate(), "seconds": 0.0}


def training_schedule(training: Training) -> Schedule:
    """Learning-rate schedule of the `training` section."""
    return Schedule(
        epochs=training.epochs,
        peak=training.learning_rate,
        kind=training.schedule,
        final=training.learning_rate_final,
        factor=training.step_factor,
        interval=training.step_epochs,
        warmup=training.warmup_epochs,
        cooldown=training.cooldown_epochs,
        decay=training.weight_decay,
        decay_final=training.weight_decay_final,
        whole_epochs=training.schedule_update == "epoch",
    )


def build_optimizer(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    """AdamW (fused) or SGD with Nesterov momentum 0.9, as `training.optimizer` says."""
    groups = parameter_groups(model)
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=training.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=training.learning_rate, fused=True)


@torch.no_grad()
def evaluate(model: models.Trunk, images: ImageSet, engine: Engine, training: Training) -> dict[str, float]:
    """Cross entropy and accuracy of a network on images that are not augmented."""
    model.eval()

    def run(batch_size: int) -> Tensor:
        sums = torch.zeros(2, dtype=torch.float64, device=engine.device)
        for pixels, labels in normalised_batches(images, engine, batch_size, training):
            with engine.autocast():
                fields = model(pixels).float()
            cost = functional.cross_entropy(fields, labels, reduction="sum")
            sums += torch.stack([cost, correct(fields, labels)]).double()
        return sums

    sums = with_smaller_batches(run, 500, "validate")
    loss, accuracy = (parallel.over_processes(sums) / len(images)).tolist()
    return {"validation_loss": loss, "validation_accuracy": accuracy}


def resumed_engine(resume: ResumeFile, compute: Compute, model: models.Trunk, images: ImageSet) -> Engine:
    """Choose an engine; a resumed run keeps the precision that the killed run had chosen."""
    known = resume.known_facts()
    if known:
        compute = compute.model_copy(update={"precision": known["precision"]})
    side = model.network.image_size
    pixels = torch.rand(32, 3, side, side)

    def trial(engine: Engine) -> None:
        with engine.autocast():
            cost = model(pixels).float().square().mean()
        cost.backward()
        model.zero_grad(set_to_none=True)

    untouched = {name: buffer.clone() for name, buffer in model.named_buffers()}
    engine = choose_engine(compute, trial)
    engine = replace(engine, precision=parallel.said_by_first(engine.precision))
    for name, buffer in model.named_buffers():  # the trial's pixels must not enter a BatchNorm's averages
        buffer.copy_(untouched[name])
    resume.facts = {"precision": engine.precision}
    return engine


def require_side(images: ImageSet, side: int) -> None:
    """Refuse images whose side is not the network's.

    Raises
    ------
    SymbreakError
        If the sides differ.
    """
    actual = tuple(images.images.shape[-2:])
    if actual != (side, side):
        raise SymbreakError(
            f"The images of {images.name} are {actual[0]} x {actual[1]} pixels, and `image_size` is {side}; "
            "set it to theirs."
        )
