"""Machines that are not as expected: encodings, caches, processors, partners that never come."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from symbreak.numerics import threads

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments, **environment):
    given = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=given | environment, cwd=ROOT, capture_output=True, timeout=300)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-16"])
def test_any_encoding_is_spoken(encoding):
    answer = run("-m", "symbreak", "schema", PYTHONIOENCODING=encoding)
    assert answer.returncode == 0, answer.stderr
    page = answer.stdout.decode(encoding)
    assert "Keys of an experiment file" in page and ("number of heads × head size" in page) == (
        encoding != "ascii"
    )


def test_kernels_are_compiled_without_a_cache_with_one_warning(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    program = (
        "import numba.core.caching as c; "
        "[setattr(l, 'from_function', classmethod(lambda *_: None)) for l in c.CacheImpl._locator_classes]; "
        "from symbreak.numerics.compiling import kernel; import symbreak.clusters.scanning; "
        "print('fine')"
    )
    answer = run("-c", program, NUMBA_CACHE_DIR=str(blocked))
    assert answer.returncode == 0 and answer.stdout.decode().strip() == "fine", answer.stderr.decode()
    assert answer.stderr.decode().count("compiled kernels") == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no processor affinity here")
def test_threads_are_no_more_than_the_processors_of_this_process():
    program = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from symbreak.numerics.threads import thread_count; print(thread_count())"
    )
    assert run("-c", program).stdout.split() == [b"1"]


def test_threads_that_are_asked_for_are_taken(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads.thread_count() == 3 and threads.thread_count(2) == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")  # levels of nested loops
    assert threads.thread_count() == threads.processors()


MEET = """
import sys
from symbreak.errors import SymbreakError
from symbreak.learning.engine.parallel import _meet
from symbreak.learning.engine.processes import Place
try:
    _meet(Place(1, 2, 1, "tcp://127.0.0.1:%d"), "gloo", float(sys.argv[1]))
except SymbreakError as error:
    sys.exit(str(error))
"""
PORT = 20000 + os.getpid() % 10000


def test_partners_are_not_waited_for_for_ever():
    answer = run("-c", MEET % PORT, "1")
    said = answer.stderr.decode().splitlines()
    assert answer.returncode == 1 and "Process 2 of 2 waits for its partners." in said
    assert "compute.partner_seconds = 1" in said[-1] and said[-1].endswith("start all of them.")


def test_a_process_that_waits_for_partners_obeys_sigterm():
    waiting = subprocess.Popen(
        [sys.executable, "-c", MEET % PORT, "300"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    while "waits" not in waiting.stderr.readline():
        assert waiting.poll() is None
    time.sleep(0.5)
    waiting.send_signal(signal.SIGTERM)
    waiting.stderr.close()
    assert waiting.wait(timeout=30) == -signal.SIGTERM
