"""Train several seeds of one network at once, for devices that one small network does not fill.

The parameters of all seeds are stacked along a first axis and every operation runs on all of them
(torch.func). Each seed has its own initial weights, its own order of images, its own augmentation, its own
loss, as if it were trained alone; only what dropout and stochastic depth draw is drawn for all together.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from symbreak import models
from symbreak.config import Experiment, Training
from symbreak.data import ImageSet
from symbreak.data.configured import load_configured
from symbreak.learning.augmentation.pipeline import Augmentation
from symbreak.learning.batches import normalised_batches
from symbreak.learning.checkpoints import keep_checkpoints
from symbreak.learning.engine.device import Engine
from symbreak.learning.engine.memory import with_smaller_batches
from symbreak.learning.loop import Loop, mixed_seed, write_history
from symbreak.learning.resume import ResumeFile, alone, digest
from symbreak.learning.train import (
    require_side,
    resumed_engine,
    train_network,
    training_schedule,
)


def train_together(experiment: Experiment, network: str, folder: Path) -> None:
    """Train all seeds of a network at once and write the files that `train_network` writes for each.

    Parameters
    ----------
    experiment : Experiment
        Data, networks, training and seeds.
    network : str
        Name of the network in the experiment.
    folder : Path
        Folder of the network; ``seed{n}/network.safetensors`` and ``seed{n}/history.csv`` go there.

    Raises
    ------
    SymbreakError
        If the data cannot be read, a loss diverges, or another process writes these files.
    """
    files = {seed: folder / f"seed{seed}" / "network.safetensors" for seed in experiment.seeds}
    if not experiment.networks[network].trained:
        for seed, path in files.items():
            train_network(experiment, network, seed, path, path.with_name("history.csv"))
        return
    with ExitStack() as stack:
        for path in files.values():
            stack.enter_context(alone(path))
        experiment = experiment.model_copy(update={"training": experiment.training_of(network)})
        train, validation = (load_configured(experiment.data, split) for split in ("train", "validation"))
        require_side(train, experiment.networks[network].image_size)
        single = []
        for seed in files:
            torch.manual_seed(mixed_seed(seed, "initial weights", 0))
            single.append(models.create(experiment.networks[network], train.n_labels))
        facts: dict[str, Any] = {"name": network, "dataset": train.name, "dataset_sha256": train.sha256}
        facts["training"] = experiment.training.determining()
        shape = experiment.networks[network].determining()
        settings = {"data": experiment.data.determining(), "compute": experiment.compute.determining()}
        key = digest(settings | facts | {"network": shape, "seeds": list(files)})
        resume = ResumeFile(folder / "together.safetensors", key)
        engine = resumed_engine(resume, experiment.compute, single[0], train)
        loop = _loop(Stacked(single).to(engine.device), experiment, train, validation, engine, resume)
        loop.description = f"train {network} seeds {', '.join(map(str, files))}"
        _run(loop, files, facts | {"precision": engine.precision, "device": engine.name})


class Stacked(nn.Module):
    """Several networks of one shape, their parameters and buffers stacked along a first axis.

    Parameters
    ----------
    networks : list of Module
        At least one; they are copied.
    """

    def __init__(self, networks: list[Any]) -> None:
        super().__init__()
        parameters, buffers = stack_module_state(networks)
        self.names, self.buffer_names = list(parameters), list(buffers)
        frozen = {name for name, value in networks[0].named_parameters() if not value.requires_grad}
        for name, value in parameters.items():
            held = nn.Parameter(value.detach().clone(), requires_grad=name not in frozen)
            self.register_parameter(_flat(name), held)
        for name, value in buffers.items():
            self.register_buffer(_flat(name), value.detach().clone())
        self.shell = [networks[0]]  # in a list: not a part with parameters of its own

    def forward(self, images: Tensor) -> Tensor:
        """(seeds, images, 3, side, side), or one batch for all seeds -> (seeds, images, labels)."""
        state = {name: getattr(self, _flat(name)) for name in [*self.names, *self.buffer_names]}
        shell = self.shell[0].train(self.training)

        def one(state: dict[str, Tensor], images: Tensor) -> Tensor:
            return functional_call(shell, state, (images,))

        every = vmap(one, in_dims=(0, 0 if images.ndim == 5 else None), randomness="different")
        # The fused operation for CPUs has no rule for a stack of networks and would go through them in turn.
        with sdpa_kernel(SDPBackend.MATH) if images.device.type == "cpu" else ExitStack():
            return every(state, images)

    def network(self, index: int) -> models.Trunk:
        """One of the networks, with a copy of its present state."""
        state = {n: getattr(self, _flat(n))[index].clone() for n in [*self.names, *self.buffer_names]}
        shell = self.shell[0]
        shell.load_state_dict(state)
        return shell

    def groups(self) -> list[dict]:
        """Parameters that decay and those that do not, by their shape within one network."""
        found: dict[bool, list[nn.Parameter]] = {True: [], False: []}
        for name in self.names:
            parameter = getattr(self, _flat(name))
            if parameter.requires_grad:
                found[parameter.ndim > 2 and "positional_embedding" not in name].append(parameter)
        return [{"params": params, "decays": decays} for decays, params in found.items() if params]


def _flat(name: str) -> str:
    return name.replace(".", "/")


@dataclass
class SeedsLoop(Loop):
    """A `Loop` whose batches hold one batch for each seed."""

    seeds: list[int] = field(default_factory=list)

    def _step(self, step: int) -> None:
        epoch, batch = divmod(step, self.steps_per_epoch)
        torch.manual_seed(mixed_seed(self.seeds[0], "dropout", step))
        pairs = [self._augmented(seed, epoch, batch, step) for seed in self.seeds]
        images, targets = (torch.stack(part) for part in zip(*pairs))
        rates = self.schedule.at(epoch + batch / self.steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rates.learning_rate
            group["weight_decay"] = rates.weight_decay if group["decays"] else 0.0
        loss, metrics = self.loss(images, targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.gradient_clip is not None:
            _clip_each(list(self.model.parameters()), self.gradient_clip)
        self.optimizer.step()
        self._sums += metrics.detach().double()

    def _augmented(self, seed: int, epoch: int, batch: int, step: int) -> tuple[Tensor, Tensor]:
        """The batch that this seed has at this step when it is trained alone."""
        shuffle = torch.Generator().manual_seed(mixed_seed(seed, "order", epoch))
        order = torch.randperm(len(self.images.labels), generator=shuffle)
        chosen = order[batch * self.batch_size : (batch + 1) * self.batch_size].to(self.engine.device)
        self._generator.manual_seed(mixed_seed(seed, "augmentation", step))
        return self.augment(self._pixels[chosen], self._labels[chosen], self._generator)


def _clip_each(parameters: list[nn.Parameter], largest: float) -> None:
    """Scale the gradient of each network to a largest norm."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
    scale = (largest / (norms + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale.view(-1, *[1] * (gradient.ndim - 1)))


def _optimizer(model: Stacked, training: Training) -> torch.optim.Optimizer:
    """As `build_optimizer`; both act on every number by itself, so stacking changes nothing."""
    if training.optimizer == "sgd":
        return torch.optim.SGD(model.groups(), lr=training.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(model.groups(), lr=training.learning_rate, fused=True)


def _correct(fields: Tensor, targets: Tensor) -> Tensor:
    """Count of recognised images of each seed; targets are labels or, with one more axis, shares."""
    truth = targets.argmax(-1) if targets.is_floating_point() else targets
    return (fields.argmax(-1) == truth).sum(-1)


def _costs(fields: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Mean cross entropy of each seed."""
    parts = [functional.cross_entropy(f, t, label_smoothing=smoothing) for f, t in zip(fields, targets)]
    return torch.stack(parts)


def _loop(
    model: Stacked,
    experiment: Experiment,
    train: ImageSet,
    validation: ImageSet,
    engine: Engine,
    resume: ResumeFile,
) -> SeedsLoop:
    training, seeds = experiment.training, experiment.seeds

    def loss(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        with engine.autocast():
            fields = model(images)
        costs = _costs(fields.float(), targets, training.label_smoothing)
        return costs.sum(), torch.cat([costs.detach() * images.shape[1], _correct(fields, targets)])

    def validate() -> dict[str, float]:
        rows = _evaluate(model, validation, engine, training).tolist()
        model.train()
        named = (("validation_loss", rows[0]), ("validation_accuracy", rows[1]))
        return {f"{name}/{seed}": value for name, row in named for seed, value in zip(seeds, row)}

    return SeedsLoop(
        model=model.train(),
        optimizer=_optimizer(model, training),
        schedule=training_schedule(training),
        images=train,
        engine=engine,
        augment=Augmentation.from_settings(training, train),
        loss=loss,
        metric_names=[f"{name}/{seed}" for name in ("train_loss", "train_accuracy") for seed in seeds],
        validate=validate,
        resume=resume,
        epochs=training.epochs,
        batch_size=training.batch_size,
        seed=seeds[0],
        validate_every=training.validate_every,
        checkpoint_seconds=training.checkpoint_seconds,
        gradient_clip=training.gradient_clip,
        seeds=seeds,
    )


@torch.no_grad()
def _evaluate(model: Stacked, images: ImageSet, engine: Engine, training: Training) -> Tensor:
    """Cross entropy and accuracy of every seed on images that are not augmented, shape (2, seeds)."""
    model.eval()

    def run(batch_size: int) -> Tensor:
        sums: Any = 0
        for pixels, labels in normalised_batches(images, engine, batch_size, training):
            with engine.autocast():
                fields = model(pixels).float()
            costs = _costs(fields, labels.expand(len(fields), -1), 0.0) * len(labels)
            sums = sums + torch.stack([costs, _correct(fields, labels)]).double()
        return sums

    return with_smaller_batches(run, 500, "validate") / len(images)


def _run(loop: SeedsLoop, files: dict[int, Path], facts: dict[str, Any]) -> None:
    """Train to the end and write the files of every seed."""
    model: Any = loop.model

    def save(seed: int, path: Path, **more: Any) -> None:
        rows = _history_of(loop.history, seed)
        known = rows[-1].get("validation_accuracy") if rows else None
        network = model.network(list(files).index(seed))
        models.save(path, network, **facts, seed=seed, validation_accuracy=known, **more)

    if facts["training"].get("checkpoints") == "log":
        _keep_checkpoints(loop, files, save)
    loop.run()
    for seed, path in files.items():
        write_history(path.with_name("history.csv"), _history_of(loop.history, seed))
        save(seed, path)
    loop.resume.remove()


def _keep_checkpoints(loop: SeedsLoop, files: dict[int, Path], save: Callable[..., None]) -> None:
    """Let a loop keep the weights of some epochs of every seed."""

    def of_seed(seed: int) -> Callable[[Path, int], None]:
        return lambda path, epoch: save(seed, path, epoch=epoch)

    resumes = loop.resume.path.exists()
    keepers = [keep_checkpoints(path, loop.epochs, resumes, of_seed(seed)) for seed, path in files.items()]

    def after_epoch(epoch: int) -> None:
        for keep in keepers:
            keep(epoch)

    loop.after_epoch = after_epoch


def _history_of(history: list[dict[str, float]], seed: int) -> list[dict[str, float]]:
    """Rows as `train_network` writes them: the columns of one seed, seconds shared by all."""
    rows = []
    for row in history:
        own = {
            k.removesuffix(f"/{seed}"): v for k, v in row.items() if "/" not in k or k.endswith(f"/{seed}")
        }
        rows.append(own)
    return rows
