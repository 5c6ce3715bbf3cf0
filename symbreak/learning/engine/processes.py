"""Start several processes on this machine, or find out that torchrun or srun has started them."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import wait
from typing import Any, NamedTuple

from symbreak.errors import Partners, SymbreakError

#: Variables of the launchers: number of this process, number of all, number on this machine.
LAUNCHERS = {
    "torchrun": ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    "srun": ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
}

#: Seconds that processes get to end after one of them has failed.
PATIENCE = 10.0


class Place(NamedTuple):
    """Which of the processes this is, and where they meet (an address of torch.distributed)."""

    rank: int
    size: int
    local_rank: int
    meeting: str


def launched_place(wanted: int, environment: Mapping[str, str]) -> Place | None:
    """Place that torchrun or srun has given to this process; None if it was started alone.

    Raises
    ------
    SymbreakError
        If their number is not that of the experiment, or a variable is no number.

    Examples
    --------
    >>> launched_place(2, {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"})
    Place(rank=1, size=2, local_rank=1, meeting='env://')
    >>> launched_place(2, {})
    """
    for launcher, names in LAUNCHERS.items():
        given = {name: environment[name].strip() for name in names if environment.get(name, "").strip()}
        if not set(names[:2]) <= set(given):
            continue
        wrong = [name for name, text in given.items() if not re.fullmatch(r"[0-9]{1,9}", text)]
        cure = f"unset {' and '.join(names[:2])} if {launcher} has not started this process"
        if wrong:
            raise Partners(f"The variable {wrong[0]}={given[wrong[0]]!r} is no number; {cure}.")
        rank, size, *local = (int(text) for text in given.values())
        if launcher == "srun" and size == 1:
            continue
        if size != wanted:
            raise Partners(
                f"The launcher {launcher} has started {size} processes ({names[1]}={size}), and "
                f"`compute.processes` is {wanted}; make them equal, or {cure}."
            )
        if rank >= size:
            raise Partners(f"{names[0]}={rank} is no number of one of {size} processes; {cure}.")
        meeting = "env://" if launcher == "torchrun" else _slurm_meeting(environment)
        return Place(rank, size, local[0] if local else rank, meeting) if size > 1 else None
    return None


def _slurm_meeting(environment: Mapping[str, str]) -> str:
    """Address on the first node of a job step, with a port of the job's own.

    Examples
    --------
    >>> _slurm_meeting({"SLURM_STEP_NODELIST": "gpu[07-09,12]", "SLURM_JOB_ID": "3"})
    'tcp://gpu07:20003'
    """
    nodes = environment.get("SLURM_STEP_NODELIST", "localhost")
    first = re.match(r"([^\[,]+)(?:\[(\d+))?", nodes)
    host = "".join(part or "" for part in first.groups()) if first else nodes
    port = 20000 + int(environment.get("SLURM_JOB_ID", 0)) % 10000
    host = environment.get("MASTER_ADDR", host)
    return f"tcp://{host}:{environment.get('MASTER_PORT', port)}"


def run_processes(task: Callable[..., None], count: int, *arguments: Any) -> None:
    """Run ``task(place, *arguments)`` in `count` processes of this machine, to the end or the first failure.

    SIGTERM is handed on, so that a training saves its state before it leaves.

    Raises
    ------
    SymbreakError
        What one of them refuses, or if one is killed.
    RuntimeError
        With the traceback of one that fails otherwise.
    """
    context = multiprocessing.get_context("spawn")
    said = context.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/meeting"
        places = [Place(rank, count, rank, meeting) for rank in range(count)]
        processes = [
            context.Process(target=_child, args=(said, place, task, arguments), daemon=True)
            for place in places
        ]
        previous = _hand_on(signal.SIGTERM, processes)
        try:
            for process in processes:
                process.start()
            failed = _wait(processes)
        finally:
            _end(processes)
            if previous is not None:
                signal.signal(signal.SIGTERM, previous)
    words = []
    while not said.empty():
        words.append(said.get())
    _raise_failure(failed, words)


def _child(said: Any, place: Place, task: Callable[..., None], arguments: tuple) -> None:
    """One of the processes: it says why it fails, and ends when the process that started it ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        task(place, *arguments)
    except SymbreakError as error:
        said.put((True, str(error)))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BaseException:
        said.put((False, traceback.format_exc()))
        sys.exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _hand_on(number: signal.Signals, processes: list) -> Any:
    """Send a signal that comes here to all processes; return what was done with it before."""

    def send(*_: Any) -> None:
        for process in processes:
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, number)

    try:
        return signal.signal(number, send)
    except ValueError:  # not in the main thread: only there signals can be handled
        return None


def _wait(processes: list) -> dict[int, int]:
    """Wait until all have ended, or one has failed; return status by number of those that failed."""
    while True:
        running = [process.sentinel for process in processes if process.is_alive()]
        failed = {number: p.exitcode for number, p in enumerate(processes, start=1) if p.exitcode}
        if failed or not running:
            return failed
        wait(running)


def _end(processes: list) -> None:
    """Let those that still run notice that a partner is gone, then end them."""
    for process in processes:
        if process.pid is None:  # was not started
            continue
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


def _raise_failure(failed: dict[int, int], words: list[tuple[bool, str]]) -> None:
    """Raise what was refused, rather than the broken connections that follow from it."""
    for refused, text in sorted(words, reverse=True):
        raise SymbreakError(text) if refused else RuntimeError(text)
    for number, status in failed.items():
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        raise SymbreakError(f"Process {number} {how}; run again to go on from the last saved state.")
