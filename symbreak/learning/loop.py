"""One resumable optimisation over images held in memory.

Training a network and training its probes are the same loop with another loss.
Every random number is drawn from a seed, a purpose and a step, so the state at
any step is the model, the optimiser and that step: a killed run goes on bit for
bit, wherever it was killed.
"""

from __future__ import annotations

import hashlib
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.data import ImageSet
from symbreak.errors import SymbreakError
from symbreak.learning.batches import correct
from symbreak.learning.engine import parallel
from symbreak.learning.engine.device import Engine
from symbreak.learning.engine.memory import is_out_of_memory
from symbreak.learning.resume import ResumeFile
from symbreak.learning.schedule import Schedule
from symbreak.progress import Progress

#: (images, targets) of a batch -> (scalar loss to minimise, vector of metrics summed over the batch).
BatchLoss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


#: Names of the metrics of `classification_loss`.
METRICS = ["train_loss", "train_accuracy"]


def classification_loss(forward: Callable[[Tensor], Tensor], engine: Engine, smoothing: float) -> BatchLoss:
    """Cross entropy of the output fields; its metrics are the loss and the recognised images."""

    def loss(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        with engine.autocast():
            fields = forward(images)
        cost = functional.cross_entropy(fields.float(), targets, label_smoothing=smoothing)
        return cost, torch.stack([cost.detach() * len(images), correct(fields, targets)])

    return loss


def mixed_seed(seed: int, purpose: str, step: int) -> int:
    """Seed of one purpose at one step, independent for all others.

    Examples
    --------
    >>> mixed_seed(1, "dropout", 0) == mixed_seed(1, "dropout", 1)
    False
    """
    return int.from_bytes(hashlib.blake2b(f"{seed}/{purpose}/{step}".encode(), digest_size=7).digest())


@dataclass
class Loop:
    """Train `model` on `images`.

    Attributes
    ----------
    augment : callable
        (uint8 images, labels, generator) -> (normalised images, targets).
    loss : callable
        See `BatchLoss`; its metrics are named by `metric_names`.
    validate : callable
        Returns named numbers for the history; called after chosen epochs.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    images: ImageSet
    engine: Engine
    augment: Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
    loss: BatchLoss
    metric_names: list[str]
    validate: Callable[[], dict[str, float]]
    resume: ResumeFile
    epochs: int
    batch_size: int
    seed: int
    description: str = "train"
    validate_every: int = 1
    checkpoint_seconds: float = 60.0
    gradient_clip: float | None = None
    after_epoch: Callable[[int], None] = lambda epoch: None
    history: list[dict[str, float]] = field(default_factory=list)

    def run(self) -> list[dict[str, float]]:
        """Train to the end, from the resume file if there is one; return one row for each epoch."""
        self.start()
        start = self._restore()
        total = self.epochs * self.steps_per_epoch
        with (
            _stop_request() as stop,
            Progress(total=total, initial=start, desc=self.description, unit="step") as bar,
        ):
            for step in range(start, total):
                clock = time.perf_counter()
                self._try_step(step)
                epoch_ends = (step + 1) % self.steps_per_epoch == 0
                if epoch_ends:
                    self._finish_epoch((step + 1) // self.steps_per_epoch, bar)
                self._seconds += time.perf_counter() - clock
                self._save_if_due(step + 1, bool(stop))
                bar.update()
        return self.history

    def start(self) -> None:
        """Put images and counters where the steps need them."""
        self._pixels = self.images.images.to(self.engine.device)
        self._labels = self.images.labels.to(self.engine.device)
        self._generator = torch.Generator(self.engine.device)
        self._sums = torch.zeros(len(self.metric_names), dtype=torch.float64, device=self.engine.device)
        self._seconds, self._saved = 0.0, time.monotonic()

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in the images; the rest of an epoch's permutation is dropped."""
        return max(1, len(self.images.labels) // self.batch_size)

    def _try_step(self, step: int) -> None:
        try:
            self._step(step)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise self._refusal(
                f"There is not enough memory for batches of {self.batch_size} images in '{self.description}'",
                "go on with a device that has more, or set a smaller `batch_size`",
            ) from error

    def _step(self, step: int) -> None:
        epoch, batch = divmod(step, self.steps_per_epoch)
        if batch == 0 or not hasattr(self, "_order"):
            shuffle = torch.Generator().manual_seed(mixed_seed(self.seed, "order", epoch))
            self._order = torch.randperm(len(self.images.labels), generator=shuffle).to(self.engine.device)
        chosen = self._order[batch * self.batch_size : (batch + 1) * self.batch_size]
        self._generator.manual_seed(mixed_seed(self.seed, "augmentation", step))
        torch.manual_seed(mixed_seed(self.seed, "dropout", step))
        if not parallel.is_first():  # neurons are dropped independently in every image
            torch.manual_seed(mixed_seed(self.seed, f"dropout {parallel.rank()}", step))
        images, targets = self.augment(self._pixels[chosen], self._labels[chosen], self._generator)
        images, targets = parallel.own_slice(images), parallel.own_slice(targets)
        rates = self.schedule.at(epoch + batch / self.steps_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rates.learning_rate
            group["weight_decay"] = rates.weight_decay if group["decays"] else 0.0
        loss, metrics = self.loss(images, targets)
        loss = parallel.weighed(loss, len(images), len(chosen))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.gradient_clip)
        self.optimizer.step()
        self._sums += parallel.over_processes(metrics.detach().double())

    def _finish_epoch(self, epoch: int, bar: Progress) -> None:
        self._require_finite(epoch)
        count = self.steps_per_epoch * min(self.batch_size, len(self.images.labels))
        row: dict[str, float] = {"epoch": epoch, "learning_rate": self.schedule.at(epoch - 1).learning_rate}
        row |= dict(zip(self.metric_names, (self._sums / count).tolist()))
        if epoch % self.validate_every == 0 or epoch == self.epochs:
            row |= self.validate()
        self._sums.zero_()
        self.history.append(row | {"seconds": round(self._seconds, 3)})
        if parallel.is_first():
            self.after_epoch(epoch)
        shown = {_SHOWN[k]: f"{v:.3f}" for k, v in row.items() if k in _SHOWN}
        bar.set_postfix(epoch=f"{epoch}/{self.epochs}", **shown, refresh=False)

    def _require_finite(self, epoch: int) -> None:
        numbers = [self._sums, *(p.detach() for p in self.model.parameters() if p.requires_grad)]
        if not math.isfinite(sum(float(tensor.sum()) for tensor in numbers)):
            raise self._refusal(
                f"The loss of '{self.description}' is no longer finite in epoch {epoch}",
                "lower the learning rate or set `gradient_clip`",
            )

    def _refusal(self, problem: str, cure: str) -> SymbreakError:
        """A refusal to go on that says where the state is; other settings need it gone."""
        if self.resume.path.exists():
            kept = f"the last good state is kept in {self.resume.path}"
            return SymbreakError(f"{problem}; {kept}; {cure} (and delete that file).")
        return SymbreakError(f"{problem}; no state was saved yet; {cure}.")

    def _save_if_due(self, done: int, stop: bool) -> None:
        due, stop = parallel.agreed(time.monotonic() - self._saved >= self.checkpoint_seconds, stop)
        if not (due or stop):
            return
        self._require_finite(done // self.steps_per_epoch + 1)
        progress = {
            "step": done,
            "sums": self._sums.tolist(),
            "history": self.history,
            "seconds": self._seconds,
        }
        if parallel.is_first():
            self.resume.save(self.model, self.optimizer, progress)
        self._saved = time.monotonic()
        if stop:
            parallel.wait_for_all()  # the first may still be writing
            raise SymbreakError(
                f"Stopped '{self.description}' on request after step {done}; run again to go on."
            )

    def _restore(self) -> int:
        progress = self.resume.load(self.model, self.optimizer)
        parallel.require_same_step(0 if progress is None else int(progress["step"]))
        if progress is None:
            return 0
        self._sums += torch.tensor(progress["sums"], dtype=torch.float64, device=self.engine.device)
        self._seconds, self.history = progress["seconds"], progress["history"]
        return int(progress["step"])


#: Columns of the history that are worth a place in the progress bar.
_SHOWN = {"train_loss": "loss", "validation_accuracy": "accuracy", "validation_accuracy_mean": "accuracy"}


@contextmanager
def _stop_request() -> Iterator[list[int]]:
    """Turn SIGTERM (a time limit of a batch system) into a request; the list fills when it came."""
    came: list[int] = []
    try:
        previous = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    except ValueError:  # only the main thread can handle signals
        yield came
        return
    try:
        yield came
    finally:
        signal.signal(signal.SIGTERM, previous)


def parameter_groups(model: nn.Module) -> list[dict]:
    """Split parameters into those that decay and those that do not (biases, norms, embeddings)."""
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[decays(name, parameter)].append(parameter)
    return [{"params": params, "decays": own} for own, params in groups.items() if params]


def decays(name: str, parameter: nn.Parameter) -> bool:
    """Whether weight decay acts on a parameter: not on biases, norms and embeddings."""
    return parameter.ndim > 1 and "positional_embedding" not in name


def write_history(path: str | Path, history: list[dict[str, float]]) -> None:
    """Write one row for each epoch as CSV, atomically; a column that an epoch lacks stays empty."""
    import csv

    from symbreak.store import replacing

    columns = list(dict.fromkeys(name for row in history for name in row))
    with replacing(path) as temporary, open(temporary, "w", newline="") as handle:
        writer = csv.DictWriter(handle, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
