"""Train every classifier head of a network from one frozen pass of its trunk."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from symbreak import models
from symbreak.config import Experiment, Training
from symbreak.data import ImageSet
from symbreak.data.configured import load_configured
from symbreak.learning.augmentation.pipeline import Augmentation
from symbreak.learning.batches import correct, normalised_batches
from symbreak.learning.cached_taps import source_of_taps
from symbreak.learning.engine import parallel
from symbreak.learning.engine.device import Engine, engine_of
from symbreak.learning.engine.memory import with_smaller_batches
from symbreak.learning.loop import Loop, mixed_seed, parameter_groups, write_history
from symbreak.learning.resume import ResumeFile, digest
from symbreak.learning.schedule import Schedule
from symbreak.learning.solved_probes import solve_probes
from symbreak.models.probe import Place, ProbeSet
from symbreak.store.provenance import require_trained_by
from symbreak.taps import capture


@parallel.in_processes
def train_probes(experiment: Experiment, weights: Path, output: Path, history: Path) -> None:
    """Train the probes of all taps and blocks together and write them to one file.

    The trunk is frozen and runs once for each batch, without gradients; the losses
    of the probes are summed, which leaves each probe's gradient its own (P1 section 2).

    Parameters
    ----------
    experiment : Experiment
        Data and probes.
    weights : Path
        The trained network, written by `train_network`.
    output, history : Path
        Files to write: safetensors and CSV.

    Raises
    ------
    SymbreakError
        If the weights are missing or damaged, or the data cannot be read.
    """
    network, header = models.load_network(weights, experiment.compute.cpu_passes)
    require_trained_by(experiment, header, weights)
    with parallel.alone_together(output):
        training = probe_training(experiment)
        train = load_configured(experiment.data, "train", experiment.probes.train_per_label)
        validation = load_configured(experiment.data, "validation")
        seed = header["seed"]
        torch.manual_seed(mixed_seed(seed, "initial probes", 0))
        probes = ProbeSet(network.network, network.labels, experiment.probes)
        engine = engine_of(experiment.compute, header)
        key = digest([experiment.probes.determining(), header, train.sha256, engine.precision])
        resume = ResumeFile(output, key)
        network, probes = network.to(engine.device).eval(), probes.to(engine.device).train()
        if experiment.probes.solver == "adamw":
            loop = _loop(network, probes, experiment, training, train, validation, engine, resume, seed)
            loop.description = f"probes of {header['name']} seed {seed}"
            rows = loop.run()
        else:
            strengths = solve_probes(network, probes.eval(), train, engine, training)
            found = evaluate_probes(network, probes, validation, engine, training)
            rows = [_solved(strengths, found)]
        if parallel.is_first():
            write_history(history, rows)
            models.save(output, probes, **{k: v for k, v in header.items() if k not in {"network", "labels"}})
            resume.remove()


def _solved(strengths: dict[Place, float], accuracy: dict[Place, float]) -> dict[str, float]:
    """The one row of the history of readouts that were solved for."""
    named = {f"validation_accuracy_{_label(place)}": value for place, value in accuracy.items()}
    named |= {f"regularisation_{_label(place)}": value for place, value in strengths.items()}
    return {"epoch": 1, "validation_accuracy_mean": sum(accuracy.values()) / len(accuracy)} | named


def probe_training(experiment: Experiment) -> Training:
    """`training` section with only what the probes' images undergo: crop, flip and normalisation."""
    probes = experiment.probes
    return experiment.training.model_copy(
        update={
            "random_crop": probes.random_crop,
            "horizontal_flip": probes.horizontal_flip,
            "random_resized_crop": 1.0,
            "randaugment": 0.0,
            "mixup": 0.0,
            "cutmix": 0.0,
            "erasing": 0.0,
        }
    )


def _loop(
    network: models.Trunk,
    probes: ProbeSet,
    experiment: Experiment,
    training: Training,
    train: ImageSet,
    validation: ImageSet,
    engine: Engine,
    resume: ResumeFile,
    seed: int,
) -> Loop:
    settings = experiment.probes
    shared = parallel.share(probes)
    augment = Augmentation.from_settings(training, train)
    source = source_of_taps(network, probes.places, train, augment, engine, settings, training)

    def loss(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        outputs = shared({place: tensor.float() for place, tensor in source.taps(images).items()})
        costs = [
            functional.cross_entropy(f, targets, label_smoothing=settings.label_smoothing)
            for f in outputs.values()
        ]
        hits = [correct(fields, targets) for fields in outputs.values()]
        return torch.stack(costs).sum(), torch.stack([c.detach() * len(images) for c in costs] + hits)

    def validate() -> dict[str, float]:
        accuracy = evaluate_probes(network, probes, validation, engine, training)
        named = {f"validation_accuracy_{_label(place)}": value for place, value in accuracy.items()}
        return {"validation_accuracy_mean": sum(named.values()) / len(named)} | named

    names = [_label(place) for place in probes.places]
    return Loop(
        model=probes,
        optimizer=torch.optim.AdamW(parameter_groups(probes), lr=settings.learning_rate, fused=True),
        schedule=Schedule(
            epochs=settings.epochs,
            peak=settings.learning_rate,
            kind=settings.schedule,
            factor=settings.step_factor,
            interval=settings.step_epochs,
            decay=settings.weight_decay,
        ),
        images=source.images,
        engine=engine,
        augment=source.augment,
        loss=loss,
        metric_names=[f"train_loss_{n}" for n in names] + [f"train_accuracy_{n}" for n in names],
        validate=validate,
        resume=resume,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        seed=seed,
        validate_every=settings.epochs,
        checkpoint_seconds=settings.checkpoint_seconds,
    )


@torch.no_grad()
def evaluate_probes(
    network: models.Trunk, probes: ProbeSet, images: ImageSet, engine: Engine, training: Training
) -> dict[Place, float]:
    """Accuracy of every probe on images that are not augmented."""

    def run(batch_size: int) -> Tensor:
        hits = torch.zeros(len(probes.places), dtype=torch.float64, device=engine.device)
        for pixels, labels in normalised_batches(images, engine, batch_size, training):
            with engine.autocast():
                tokens, _ = capture(network, pixels, probes.places)
            outputs = probes({place: tensor.float() for place, tensor in tokens.items()})
            hits += torch.stack([correct(fields, labels) for fields in outputs.values()]).double()
        return hits

    hits = parallel.over_processes(with_smaller_batches(run, 500, "validate probes"))
    return dict(zip(probes.places, (hits / len(images)).tolist()))


def _label(place: Place) -> str:
    return f"{place[1]}_{place[0]}"
