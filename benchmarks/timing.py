"""Time things against each other, so that another job on the machine hits all of them alike."""

import multiprocessing
import platform
import subprocess
import sys
import time
from pathlib import Path

import torch


def interleaved(works, repetitions=3, clock=time.process_time):
    """Smallest time of each of some calls, taken in turn; one round before warms up.

    The default clock counts what this process computes: on one thread that is the time it would take alone.
    """
    times = {name: [] for name in works}
    for turn in range(repetitions + 1):
        for name, work in works.items():
            start = clock()
            work()
            if turn:
                times[name].append(clock() - start)
    return {name: min(taken) for name, taken in times.items()}


class Worker:
    """A process of its own that makes a call when asked and says how long it computed.

    `make` is a function of a module; it is called there with `arguments` and returns what is timed.
    """

    def __init__(self, make, *arguments):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, arguments), daemon=True)
        self.process.start()

    def __call__(self):
        self.pipe.send(True)
        return self.pipe.recv()

    def stop(self):
        self.pipe.send(False)
        self.process.join()


def _serve(pipe, make, arguments):
    torch.set_num_threads(1)
    work = make(*arguments)
    while pipe.recv():
        start = time.process_time()
        work()
        pipe.send(time.process_time() - start)


def workers_in_turn(workers, repetitions):
    """Times of each worker's calls, taken in turn; one round before warms up."""
    times = [{name: worker() for name, worker in workers.items()} for _ in range(repetitions + 1)][1:]
    for worker in workers.values():
        worker.stop()
    return {name: [taken[name] for taken in times] for name in workers}


def matmul_rate(dtype, size=1536, repetitions=5):
    """Operations per second of a large matrix product on one thread: what the machine can do at best."""
    left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
    return 2 * size**3 / interleaved({"product": lambda: left @ right}, repetitions)["product"]


def processor():
    """Model name of the processor, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


#: Program of the small process: wall time and ru_maxrss of another.
_WATCH = """
import os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(time.perf_counter() - start, usage.ru_maxrss)
sys.exit(process.returncode != 0)
"""


def run_measured(*arguments):
    """Run Python with arguments in a process of its own; return its wall time (s) and peak memory (GB).

    A small process starts and watches it: Linux counts the peak of whoever starts a process as its own.
    """
    watcher = subprocess.run(
        [sys.executable, "-c", _WATCH, *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    if watcher.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed.")
    seconds, size = map(float, watcher.stdout.split())
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, size * unit / 1e9
