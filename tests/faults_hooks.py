"""What happens to a process: called inside it, before the verb begins."""

import ctypes
import os
import resource
import signal
import sys
import time

#: Called after the verb has ended.
AFTERWARDS = []


def die_at(count):
    """Let the process kill itself, as by kill -9, at its n-th operation on files below its folder."""
    done = [0]

    def act():
        done[0] += 1
        if done[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)

    _at_operations(act)


def count_operations():
    """Say in the end how many such operations there were."""
    done = [0]

    def act():
        done[0] += 1

    _at_operations(act)
    AFTERWARDS.append(lambda: print(f"operations: {done[0]}", file=sys.stderr))


def _at_operations(act):
    here = os.path.join(os.getcwd(), "")

    def below(name):
        return isinstance(name, str | os.PathLike) and (
            os.fspath(name).startswith(here) or not os.fspath(name).startswith("/")
        )

    def watch(event, arguments):
        if event in {"open", "os.rename", "os.remove", "os.mkdir"} and below(arguments[0]):
            act()

    sys.addaudithook(watch)


def slow(seconds):
    """Let every step of a training take longer, and say its number."""
    from symbreak.learning.loop import Loop

    plain = Loop._step

    def step(self, number):
        plain(self, number)
        print(f"step {number}", flush=True)
        time.sleep(seconds)

    Loop._step = step


def slow_pass(seconds):
    """Let every batch of a measuring pass take longer."""
    from symbreak.measure.accumulator import TapAccumulator

    plain = TapAccumulator.add

    def add(self, *arguments):
        print("step", flush=True)
        time.sleep(seconds)
        plain(self, *arguments)

    TapAccumulator.add = add


def small_files(size):
    """Let no file grow beyond a size, as where a quota is spent."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def plain_user():
    """Take from root the right to write what is read-only: the capabilities DAC_OVERRIDE, DAC_READ_SEARCH."""
    if os.geteuid() != 0:
        return
    library = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    rights = (ctypes.c_uint32 * 6)()
    if library.capget(header, rights):
        raise OSError(ctypes.get_errno(), "capget")
    for word in (0, 1):  # effective, permitted
        rights[word] &= ~0b110
    if library.capset(header, rights):
        raise OSError(ctypes.get_errno(), "capset")


def little_memory(size, kind):
    """Let memory end for batches of more than so many images; a training does ten steps first."""
    import torch

    from symbreak.learning.loop import Loop
    from symbreak.measure import moments

    words = {
        "gpu": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        "cpu": RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    }
    plain_step, plain_pass = Loop._step, moments.capture

    def step(self, number):
        if number > 9 and self.batch_size > size:
            raise words[kind]
        plain_step(self, number)

    def capture(network, pixels, places):
        if len(pixels) > size:
            raise words[kind]
        return plain_pass(network, pixels, places)

    Loop._step, moments.capture = step, capture


def no_gpu():
    """Hide every GPU."""
    import torch

    torch.cuda.is_available = lambda: False


def no_network():
    """Let every connection fail."""
    import urllib.request
    from urllib.error import URLError

    def urlopen(*arguments, **options):
        raise URLError("no network")

    urllib.request.urlopen = urlopen
