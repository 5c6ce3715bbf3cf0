"""Learning rate and weight decay as functions of the training time in epochs."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

#: Where the linear warm-up of the official recipe starts.
WARMUP_START = 1e-6


class Rates(NamedTuple):
    """Learning rate and weight decay at one moment."""

    learning_rate: float
    weight_decay: float


class Schedule(NamedTuple):
    r"""Warm-up, then cosine or step decay, then cool-down.

    .. math::
        \eta(t) = \eta_f + \tfrac12(\eta_0-\eta_f)\,(1 + \cos \pi t/T) \quad\text{or}\quad
        \eta(t) = \eta_0\, q^{\lfloor t/\Delta t \rfloor}

    with t in epochs. Sources: official CCT recipe and P2 (cosine), P1 appendix
    (step, ``q`` and ``Δt``).

    Examples
    --------
    >>> Schedule(kind="step", epochs=30, peak=1e-3, factor=0.5, interval=10).at(25).learning_rate
    0.00025
    """

    epochs: int
    peak: float
    kind: Literal["cosine", "step"] = "cosine"
    final: float = 0.0
    factor: float = 0.8
    interval: int = 10
    warmup: float = 0.0
    cooldown: float = 0.0
    decay: float = 0.0
    decay_final: float | None = None
    whole_epochs: bool = False

    def at(self, epoch: float) -> Rates:
        """Rates after `epoch` epochs, a fractional number that starts at 0."""
        if self.whole_epochs:
            epoch = math.floor(epoch)
        length = max(self.epochs - self.cooldown, 1e-9)
        if epoch < self.warmup:
            rate = WARMUP_START + (self.peak - WARMUP_START) * epoch / self.warmup
        elif self.kind == "step":
            rate = self.peak * self.factor ** (epoch // self.interval)
        else:
            rate = _cosine(self.peak, self.final, epoch / length)
        decay = (
            self.decay if self.decay_final is None else _cosine(self.decay, self.decay_final, epoch / length)
        )
        return Rates(rate, decay)


def _cosine(start: float, end: float, progress: float) -> float:
    return end + 0.5 * (start - end) * (1 + math.cos(math.pi * min(progress, 1.0)))
