"""Run verbs of the command line in processes that begin where importing ends.

Importing torch and rendering letters take seconds. A server does both once, runs no verb itself, and is
copied (`os.fork`) for every verb; ``python tests/forks.py`` is that server.
"""

import atexit
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

#: What the server imports.
IMPORTED = [
    "symbreak.cli.parser",
    "symbreak.learning",
    "symbreak.measure.attention",
    "symbreak.measure.evolution",
    "symbreak.pruning",
    "symbreak.observables.nodes.per_block",
    "symbreak.data.images.diacritics",
    "torchvision.datasets",
    "faults_hooks",
]

#: Seconds, more than anything here takes on a busy machine.
PATIENCE = 300.0

_servers: list[subprocess.Popen] = []


@dataclass(frozen=True)
class Answer:
    """How a process ended: exit status (negative: by a signal), what it said, how long it lived."""

    status: int
    said: str
    seconds: float

    @property
    def sentence(self) -> str:
        """Its last line."""
        lines = [line.strip() for line in self.said.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    @property
    def clean(self) -> bool:
        """Whether that is one sentence of ours, with no traceback before it."""
        return "Traceback" not in self.said and self.sentence.startswith("symbreak ")


class Verb:
    """A verb that runs in a process of its own, in a folder, after `hooks` have been called there.

    A hook is the name of a function of `faults_hooks` with its parameters.
    """

    def __init__(self, arguments, folder, *hooks):
        self.log = Path(f"{folder}.{time.monotonic_ns()}.log")
        self.process = _ask(
            start=[str(a) for a in arguments], folder=str(folder), log=str(self.log), hooks=hooks
        )
        self.begin = time.monotonic()
        self.status = None

    def ended(self, within=PATIENCE):
        """Wait for its end, so many seconds at most."""
        if self.status is None:
            self.status = _ask(wait=self.process, within=within)
        return self.status is not None

    def signal(self, number):
        """Send a signal; it may have ended, but not have been forgotten."""
        if self.status is None:
            os.kill(self.process, number)

    def said(self):
        """What it has said so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def answer(self):
        """Let it end by itself."""
        if not self.ended():
            self.signal(signal.SIGKILL)
            raise TimeoutError(f"still running after {PATIENCE:.0f} s: {self.said()}")
        said = self.said()
        self.log.unlink(missing_ok=True)
        return Answer(self.status, said, time.monotonic() - self.begin)


def run(arguments, folder, *hooks):
    """Run a verb to its end."""
    return Verb(arguments, folder, *hooks).answer()


def _ask(**request):
    """Ask the server, which is started for the first question."""
    if not _servers:
        root = Path(__file__).resolve().parents[1]
        # Commits made while the tests run must not enter the provenance of files that are compared.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root), "GIT_DIR": os.devnull}
        command = [sys.executable, str(Path(__file__).resolve())]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        _servers.append(subprocess.Popen(command, env=environment, text=True, bufsize=1, **pipes))
        atexit.register(_servers[0].stdin.close)
    _servers[0].stdin.write(json.dumps(request) + "\n")
    answer = _servers[0].stdout.readline()
    if not answer:
        raise RuntimeError("the server of tests/forks.py has ended")
    return json.loads(answer)


def _serve():
    """Answer requests, one a line, until there are no more."""
    for name in IMPORTED:
        importlib.import_module(name)
    sys.modules["symbreak.data"].load("diacritics", "validation", validation_per_label=5, progress=False)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            process = os.fork()
            if not process:
                answers.close()
                _run(**request)
            answer = process
        else:
            answer = _wait(request["wait"], request["within"])
        print(json.dumps(answer), file=answers)


def _wait(process, within):
    end = time.monotonic() + within
    while True:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= end:
            return None
        time.sleep(min(0.005, max(0.0, end - time.monotonic())))


def _run(start, folder, log, hooks):
    """Run a verb in this process, which has just been forked, and end it."""
    status = 1
    try:
        os.chdir(folder)
        words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for stream, target in ((os.open(os.devnull, os.O_RDONLY), 0), (words, 1), (words, 2)):
            os.dup2(stream, target)
        from symbreak.cli import main

        happening = importlib.import_module("faults_hooks")
        for name, *parameters in hooks:
            getattr(happening, name)(*parameters)
        status = main(start)
        for act in happening.AFTERWARDS:
            act()
    except SystemExit as leaving:
        status = leaving.code or 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
