"""Several processes share one training, one probing or one measuring pass (`compute.processes`).

Every process holds all images, draws the same batch with the same augmentation, and works on its slice;
gradients, sums and decisions are joined. With one process every function here leaves things as they are.
"""

from __future__ import annotations

import datetime
import functools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from symbreak.config import Experiment
from symbreak.errors import Partners, SymbreakError
from symbreak.learning.engine.processes import Place, launched_place, run_processes
from symbreak.learning.engine.shared_norm import share_norms
from symbreak.store.locking import alone

Number = TypeVar("Number", int, float)


def count() -> int:
    """Processes that share the work."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Number of this process, from 0; the first alone writes files."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Whether this process is the one that writes files."""
    return rank() == 0


def in_processes(work: Callable[..., None]) -> Callable[..., None]:
    """Let ``work(experiment, ...)`` run in as many processes as ``compute.processes`` says.

    Processes that torchrun or srun has started join each other; else this process starts them on this
    machine, waits for them, and hands on what they refuse.
    """

    @functools.wraps(work)
    def run(experiment: Experiment, *arguments: Any) -> None:
        wanted = experiment.compute.processes
        if distributed.is_initialized():  # called by work that is itself shared
            return work(experiment, *arguments)
        place = launched_place(wanted, os.environ)
        if place is not None:
            return _join(place, experiment, work, arguments)
        if wanted == 1:
            return work(experiment, *arguments)
        _require_devices(experiment, wanted)
        threads = max(1, torch.get_num_threads() // wanted)
        return run_processes(_join, wanted, experiment, run, arguments, threads)

    return run


def _join(
    place: Place,
    experiment: Experiment,
    work: Callable[..., None],
    arguments: Sequence[Any],
    threads: int | None = None,
) -> None:
    """Do the work as one of several processes."""
    if threads is not None:
        torch.set_num_threads(threads)
    cuda = _uses_cuda(experiment)
    if cuda:
        _require_devices(experiment, place.local_rank + 1)
        torch.cuda.set_device(place.local_rank)
    _meet(place, "cpu:gloo,cuda:nccl" if cuda else "gloo", experiment.compute.partner_seconds)
    os.environ["RANK"] = str(place.rank)  # tells the progress bars who is the first
    try:
        work(experiment, *arguments)
    finally:
        distributed.destroy_process_group()


def _meet(place: Place, backend: str, seconds: float) -> None:
    """Wait for the partners, but not for ever; a process that waits may be ended by SIGTERM.

    Python handles no signal while torch waits, so the system's own handling is put in its place.
    """
    previous = _system_handles(signal.SIGTERM)
    print(f"Process {place.rank + 1} of {place.size} waits for its partners.", file=sys.stderr)
    try:
        distributed.init_process_group(
            backend,
            init_method=place.meeting,
            rank=place.rank,
            world_size=place.size,
            timeout=datetime.timedelta(seconds=seconds),
        )
    except (RuntimeError, ValueError) as error:  # torch has several classes for it
        reason = str(error).split("\n")[0][:120]
        raise Partners(
            f"Process {place.rank + 1} has not met all {place.size} partners within "
            f"compute.partner_seconds = {seconds:g} ({reason}); {Partners.cure}."
        ) from error
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)


def _system_handles(number: signal.Signals) -> Any:
    """Let the system end this process on a signal; return what was done with it before."""
    try:
        return signal.signal(number, signal.SIG_DFL)
    except ValueError:  # only the main thread handles signals
        return None


def _uses_cuda(experiment: Experiment) -> bool:
    return experiment.compute.device != "cpu" and torch.cuda.is_available()


def _require_devices(experiment: Experiment, wanted: int) -> None:
    if _uses_cuda(experiment) and torch.cuda.device_count() < wanted:
        raise SymbreakError(
            f"The key `compute.processes` needs {wanted} GPUs, and this machine shows "
            f"{torch.cuda.device_count()}; set it to that number."
        )


def alone_together(output: Path) -> AbstractContextManager[None]:
    """Hold the right to write `output`, once for all processes."""
    return alone(output) if is_first() else nullcontext()


def share(model: nn.Module) -> Callable[..., Any]:
    """Forward pass of a model whose gradients become means over all processes.

    BatchNorm then takes mean and deviation over the batch of all processes.
    """
    if count() == 1:
        return model
    share_norms(model)
    return nn.parallel.DistributedDataParallel(model)


def own_slice(batch: Tensor) -> Tensor:
    """Rows of a batch that this process works on; processes differ by one row at most.

    Raises
    ------
    SymbreakError
        If there are more processes than rows.
    """
    if len(batch) < count():
        raise SymbreakError(
            f"A batch of {len(batch)} images cannot be shared by {count()} processes; "
            "lower `compute.processes`."
        )
    return batch if count() == 1 else batch.tensor_split(count())[rank()]


def own_of(parts: Sequence[Number]) -> Sequence[Number]:
    """Every n-th part, for n processes, beginning with the own number."""
    return parts[rank() :: count()]


def weighed(loss: Tensor, own: int, batch: int) -> Tensor:
    """Scale the mean loss over `own` images, so that its mean over processes is that over the batch."""
    return loss if count() == 1 else loss * (own * count() / batch)


def over_processes(sums: Tensor) -> Tensor:
    """Sum a tensor over all processes, in place."""
    if count() > 1:
        distributed.all_reduce(sums)
    return sums


def agreed(*wishes: bool) -> tuple[bool, ...]:
    """For each wish, whether any process has it: so all save, or stop, after the same step."""
    if count() == 1:
        return wishes
    voices = torch.tensor(wishes, dtype=torch.int32)
    distributed.all_reduce(voices, op=distributed.ReduceOp.MAX)
    return tuple(bool(voice) for voice in voices)


def wait_for_all() -> None:
    """Wait until every process has come to this point."""
    agreed(True)


def said_by_first(word: str) -> str:
    """What the first process says, in all processes."""
    if count() == 1:
        return word
    words = [word]
    distributed.broadcast_object_list(words)
    return words[0]


def require_same_step(step: int) -> int:
    """Return the step to go on from.

    Raises
    ------
    SymbreakError
        If the processes have read different resume files.
    """
    if count() > 1:
        ends = torch.tensor([step, -step])
        distributed.all_reduce(ends, op=distributed.ReduceOp.MAX)
        if ends[0] != -ends[1]:
            raise SymbreakError(
                f"The processes would go on from different steps, {-int(ends[1])} and {int(ends[0])}; "
                "put the results on a file system that all of them share, and run again."
            )
    return step
