"""Choose the device and the precision, and say what was chosen."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from symbreak.config import Compute
from symbreak.errors import SymbreakError
from symbreak.learning.engine.heap import keep_freed_memory
from symbreak.models.cpu.processor import cpuinfo, has_bf16

#: bf16 must be at least this much faster on a CPU before `auto` takes it.
WORTHWHILE = 1.2


@dataclass(frozen=True)
class Engine:
    """A device and the precision of its matrix products."""

    device: torch.device
    precision: str

    def autocast(self) -> AbstractContextManager:
        """Context in which matrix products run in the chosen precision."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    @property
    def name(self) -> str:
        """Device as a person names it."""
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else name_processor()


def name_processor() -> str:
    """Processor, its vector instructions as torch uses them, and the threads of this process.

    Examples
    --------
    >>> "thread" in name_processor()
    True
    """
    model = cpuinfo("model name") or platform.processor() or platform.machine() or "cpu"
    threads = torch.get_num_threads()
    return f"{model}, {torch.backends.cpu.get_cpu_capability()}, {threads} thread{'s' * (threads > 1)}"


def choose_engine(compute: Compute, trial: Callable[[Engine], None] | None = None) -> Engine:
    """Turn ``auto`` into a decision.

    Parameters
    ----------
    compute : Compute
        Wished device and precision.
    trial : callable, optional
        One step on an engine; on a CPU ``precision: auto`` times it in both
        precisions and takes bf16 only if that is 1.2 times faster.

    Raises
    ------
    SymbreakError
        If a GPU is asked for and there is none.

    Examples
    --------
    >>> choose_engine(Compute(device="cpu")).precision
    'fp32'
    """
    if compute.device == "cuda" and not torch.cuda.is_available():
        raise SymbreakError(
            "The key `compute.device` asks for cuda and this machine shows no GPU; set it to auto or cpu."
        )
    cuda = compute.device == "cuda" or (compute.device == "auto" and torch.cuda.is_available())
    device = torch.device("cuda" if cuda else "cpu")
    if not cuda and compute.cpu_passes == "auto":
        keep_freed_memory()
    if compute.precision != "auto":
        return Engine(device, compute.precision)
    if cuda:
        return Engine(device, "bf16" if torch.cuda.is_bf16_supported() else "fp32")
    if trial is None or not has_bf16():
        return Engine(device, "fp32")
    seconds = {precision: _time(trial, Engine(device, precision)) for precision in ("fp32", "bf16")}
    return Engine(device, "bf16" if seconds["fp32"] > WORTHWHILE * seconds["bf16"] else "fp32")


def engine_of(compute: Compute, header: Mapping[str, Any]) -> Engine:
    """Engine for a trained network: its device as wished, its precision that of the training.

    Parameters
    ----------
    compute : Compute
        Wished device.
    header : mapping
        Of the file of the network.
    """
    return choose_engine(compute.model_copy(update={"precision": header["precision"]}))


def _time(trial: Callable[[Engine], None], engine: Engine) -> float:
    """Least of three runs after a warm-up: other jobs can only add time."""
    trial(engine)
    runs = []
    for _ in range(3):
        start = time.perf_counter()
        trial(engine)
        runs.append(time.perf_counter() - start)
    return min(runs)
