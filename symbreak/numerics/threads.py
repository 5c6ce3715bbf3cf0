"""Threads around serial kernels that release the interpreter lock."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def thread_count(threads: int | None = None) -> int:
    """Return the number of threads asked for, else ``OMP_NUM_THREADS``, else the processors at hand.

    Examples
    --------
    >>> thread_count(2)
    2
    """
    if threads is None:
        asked = os.environ.get("OMP_NUM_THREADS", "")
        threads = int(asked) if asked.isdigit() else processors()
    return max(1, threads)


def processors() -> int:
    """Processors that this process may use, which `taskset` and batch systems limit.

    Examples
    --------
    >>> 1 <= processors() <= (os.cpu_count() or 1)
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(work: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None) -> list[Result]:
    """Apply `work` to every item, in threads where there is more than one; results keep the order.

    Examples
    --------
    >>> spread(abs, [-1, 2, -3], threads=2)
    [1, 2, 3]
    """
    listed = list(items)
    count = min(thread_count(threads), len(listed))
    if count <= 1:
        return [work(item) for item in listed]
    return list(_pool(count, os.getpid()).map(work, listed))


@lru_cache
def _pool(count: int, process: int) -> ThreadPoolExecutor:
    """Threads that wait for work between calls; those of a process are gone in one forked from it."""
    return ThreadPoolExecutor(count)
