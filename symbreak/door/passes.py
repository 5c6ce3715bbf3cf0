"""One pass over training inputs that fits readouts, one over the others that measures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from symbreak.config.taps import RESIDUAL_TAPS
from symbreak.door.inputs import Pooling, batches, on_device, output_fields
from symbreak.errors import SymbreakError
from symbreak.features import MomentSums
from symbreak.features.given import require_labels
from symbreak.features.solving import Fitter
from symbreak.models.probe import Place
from symbreak.progress import Progress
from symbreak.taps import Anatomy, opened

#: Takes pooled features of every place, labels and the network's output fields of a batch.
Take = Callable[[dict[Place, NDArray], NDArray, Tensor | None], None]


def run_through(
    model: nn.Module,
    anatomy: Anatomy,
    places: list[Place],
    pooling: Pooling,
    loader: Iterable[Any],
    what: str,
    take: Take,
) -> None:
    """Run a network over all inputs of a loader; one tap at a time is in memory besides pooled features."""
    pooled: dict[Place, NDArray] = {}
    inputs: Any = None

    def receive(place: Place, tokens: Tensor) -> None:
        pooled[place] = pooling(tokens, inputs, place[1] in RESIDUAL_TAPS).cpu().numpy()

    total = _length(loader)
    bar = Progress(desc=what, unit="input", total=total, disable=total is None)
    with bar, opened(model, places, receive, anatomy) as run:
        for given, labels in batches(loader, what):
            inputs = on_device(given, model)
            output = output_fields(run(inputs))
            for place, features in pooled.items():
                _check(place, features, len(labels))
            take(pooled, labels, output)
            bar.update(len(labels))
    if total is not None and bar.n < total:
        print(f"{total - bar.n} of {total} inputs could not be read and were left out.", file=sys.stderr)


def _length(loader: Any) -> int | None:
    """Number of inputs of a loader, where it tells it."""
    data: Any = getattr(loader, "dataset", None)
    return len(data) if hasattr(data, "__len__") else None


def _check(place: Place, features: NDArray, inputs: int) -> None:
    if len(features) != inputs:
        raise SymbreakError(
            f"The tap {place[1]} of block {place[0]} has {len(features)} rows for {inputs} inputs; name its "
            "`layout` by patterns."
        )
    if not np.isfinite(features).all():
        raise SymbreakError(
            f"The tap {place[1]} of block {place[0]} is not finite; look at the weights or run in float32."
        )


@dataclass
class Kept:
    """Pooled features of inputs, kept in memory.

    Attributes
    ----------
    features : dict of (block, tap) to list of (inputs, nodes) array
        One for each batch.
    labels : list of (inputs,) array of int
        As long.
    fields : list of Tensor
        The network's own output, empty where it has none.
    """

    features: dict[Place, list[NDArray]] = field(default_factory=dict)
    labels: list[NDArray] = field(default_factory=list)
    fields: list[Tensor] = field(default_factory=list)

    def take(self, pooled: dict[Place, NDArray], labels: NDArray, output: Tensor | None) -> None:
        """Keep a batch."""
        for place, features in pooled.items():
            self.features.setdefault(place, []).append(features)
        self.labels.append(labels)
        if output is not None:
            self.fields.append(output.float().cpu())

    def of(self, place: Place) -> NDArray:
        """Pooled features of all inputs at a place, (inputs, nodes)."""
        return np.concatenate(self.features[place])

    @property
    def truth(self) -> NDArray:
        """Labels of all inputs."""
        return np.concatenate(self.labels)


class Fitting:
    """Readouts of every place.

    Parameters
    ----------
    solver : {"ridge", "lbfgs", "adamw"}
        See `symbreak.features.solving`.
    """

    def __init__(self, solver: str) -> None:
        Fitter(solver)  # refuses a name that is none
        self.solver = solver
        self._fitters: dict[Place, Fitter] = {}
        self._count = np.zeros(0, dtype=np.int64)

    def take(self, pooled: dict[Place, NDArray], labels: NDArray, output: Tensor | None = None) -> None:
        """Add a batch."""
        if not len(labels):
            return
        size = max(len(self._count), int(labels.max()) + 1)
        self._count = np.pad(self._count, (0, size - len(self._count)))
        self._count += np.bincount(labels, minlength=size)
        for place, features in pooled.items():
            self._fitters.setdefault(place, Fitter(self.solver)).add(features, labels)

    def labels(self) -> int:
        """Number of labels of the inputs so far."""
        return len(self._count)

    def readouts(self, names: list[str]) -> dict[Place, tuple[NDArray, float]]:
        """Readout and regularisation of every place; what they came from is let go.

        Raises
        ------
        SymbreakError
            If a label has no input.
        """
        require_labels(np.repeat(np.arange(len(self._count)), self._count), names)
        return {place: self._fitters.pop(place).solve(len(names)) for place in list(self._fitters)}


class Measuring:
    """Moments of every tap, from readouts and batches.

    Parameters
    ----------
    anatomy : Anatomy
        Heads of the taps.
    readouts : dict of (block, tap) to (labels, nodes) array
        Of every place.
    names : list of str
        Of the labels.
    folds : int
        Parts of the inputs.
    """

    def __init__(
        self, anatomy: Anatomy, readouts: dict[Place, NDArray], names: list[str], folds: int
    ) -> None:
        self.names, self.taps = names, list(dict.fromkeys(tap for _, tap in readouts))
        by_tap = {tap: [r for (_, own), r in readouts.items() if own == tap] for tap in self.taps}
        self.sums = {tap: MomentSums(own, anatomy.heads_at(tap), folds) for tap, own in by_tap.items()}
        self.hits, self.inputs, self.units = 0, 0, 0

    def take(self, pooled: dict[Place, NDArray], labels: NDArray, output: Tensor | None) -> None:
        """Add a batch.

        Raises
        ------
        SymbreakError
            If it has labels that the training inputs lack, or the network too few outputs.
        """
        if int(labels.max()) >= len(self.names):
            raise SymbreakError(
                f"Label {int(labels.max())} of the validation inputs has no training input; the labels are 0 "
                f"to {len(self.names) - 1}."
            )
        for tap, sums in self.sums.items():
            dealt = sums.deal(labels)
            for block in range(len(sums.readouts)):
                sums.add(block, pooled[block + 1, tap], labels, dealt)
        self.inputs += len(labels)
        if output is not None:
            self.units = output.shape[1]
            self.hits += int((output.argmax(1).cpu().numpy() == labels).sum())

    def accuracy(self) -> float | None:
        """Accuracy of the network itself; None where its outputs are not those of the labels.

        Raises
        ------
        SymbreakError
            If it has fewer outputs than there are labels.
        """
        if 0 < self.units < len(self.names):
            raise SymbreakError(
                f"The network has {self.units} outputs and the data {len(self.names)} labels; give data of "
                "its labels, or the network without its classifier."
            )
        return self.hits / self.inputs if self.units == len(self.names) else None
