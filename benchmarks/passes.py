"""What each pass for processors (`symbreak.models.cpu`) gains of a training step, by leaving it out.

    python -m benchmarks.step --without attention

Steps with all passes and without one are taken in turn, on the same images, so that other jobs on the machine
hit both alike. The clock counts what this process computes, on one thread.
"""

import statistics
import time
from contextlib import ExitStack
from unittest import mock

from benchmarks.timing import Worker
from symbreak.models import cct
from symbreak.models.cpu import linear
from symbreak.models.cpu.block import FusedBlock

#: What to replace by what, to leave a pass out.
PASSES = {
    "attention": (FusedBlock, "attention", staticmethod(cct.attention)),
    "residual": (FusedBlock, "forward", cct.Block.forward),
    "dense": (linear, "_as_convolution", lambda tokens, precision: False),
}
#: Freed memory that is kept is a setting of a process, so it takes two.
NAMES = (*PASSES, "memory")
#: What of the step each pass is.
WORDS = {
    "attention": "attention through the batch in pieces, softmax and dropout in one pass",
    "residual": "norm and sum of the residual stream in one pass (bf16), dropped branches not computed",
    "dense": "dense layers as convolutions of one pixel",
    "memory": "freed memory kept for the next step",
}


def gains(loop, name, rounds):
    """Seconds without a pass over seconds with it, less one, round by round; the first round warms up."""
    found = []
    for turn in range(rounds + 1):
        seconds = {}
        for left_out in ((False, True), (True, False))[turn % 2]:
            with ExitStack() as stack:
                if left_out:
                    stack.enter_context(mock.patch.object(*PASSES[name]))
                start = time.process_time()
                loop._step(turn)
                seconds[left_out] = time.process_time() - start
        found.append(seconds[True] / seconds[False] - 1)
    return found[1:]


def gains_of_memory(make, arguments, rounds):
    """The same for freed memory, of two processes in turn."""
    workers = {keep: Worker(make, *arguments, keep) for keep in (True, False)}
    found = []
    for turn in range(rounds + 1):
        seconds = {keep: workers[keep]() for keep in ((True, False), (False, True))[turn % 2]}
        found.append(seconds[False] / seconds[True] - 1)
    for worker in workers.values():
        worker.stop()
    return found[1:]


def section(found):
    """The part of the page: network, precision, pass -> gains of the rounds."""
    lines = [
        "## What each pass for processors gains",
        "",
        "`python -m benchmarks.step --without NAME`: time of a step without the pass over that with all of "
        "them, less one; median over pairs of steps taken in turn, quartiles in brackets. The large network "
        "is CCT-7/3x1 in batches of 32, the small one that of the demo (no dropped weights or branches) in "
        "batches of 64, one thread. `compute.cpu_passes: off` leaves all of them out. A pass that gains "
        "less than 3% of the large step in both precisions is taken out of the code.",
        "",
        "| pass | " + " | ".join(f"{network}, {precision}" for network, precision in found) + " |",
        "|---|" + "---|" * len(found),
    ]
    names = list(dict.fromkeys(name for row in found.values() for name in row))
    for name in names:
        cells = [_cell(row.get(name)) for row in found.values()]
        lines.append(f"| {WORDS.get(name, name)} (`{name}`) | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _cell(ratios):
    if not ratios:
        return "–"
    low, middle, high = (100 * value for value in statistics.quantiles(ratios))
    return f"{middle:+.1f}% ({low:+.1f} … {high:+.1f})"
