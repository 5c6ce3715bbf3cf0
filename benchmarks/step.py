"""Our training step against the published one written plainly, and what its passes for processors gain.

    python -m benchmarks.step
    python -m benchmarks.step --without attention residual dense memory

CCT-7/3x1, batches of 32, all regularisation on, one thread. Both sides do the whole step: take images from
memory, augment, forward, backward, optimise.
"""

import argparse
import statistics

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import passes
from benchmarks.reference_step import Training as PlainTraining
from benchmarks.timing import Worker, interleaved, matmul_rate, workers_in_turn
from symbreak import models
from symbreak.config import parse
from symbreak.data import load
from symbreak.learning.engine.compiled import compiled_or_not
from symbreak.learning.engine.device import Engine
from symbreak.learning.engine.heap import keep_freed_memory
from symbreak.learning.resume import ResumeFile
from symbreak.learning.train import training_loop
from symbreak.models.cpu.linear import Linear
from symbreak.models.cpu.processor import has_bf16

BATCH = 32
LARGE = {"architecture": "cct_7_3x1", "dim": 256, "heads": 4}
#: The network of config/demo_full.yaml.
SMALL = {
    "architecture": "cct_3_3x2",
    "dim": 64,
    "heads": 4,
    "attention_dropout": 0.0,
    "stochastic_depth": 0.0,
}


def letters():
    """Enough images for some batches."""
    return load("diacritics", "train", train_per_label=2, progress=False)


def our_loop(network, batch_size, precision="fp32", compiled=False):
    """A training as `symbreak train` does it, ready for its first step."""
    settings = {"name": "speed", "networks": {"cct": network}, "training": {"batch_size": batch_size}}
    experiment, images = parse(settings), letters()
    torch.manual_seed(1)
    model = models.create(experiment.networks["cct"], images.n_labels).train()
    engine, training = Engine(torch.device("cpu"), precision), experiment.training
    shape = (batch_size, *images.images.shape[1:])
    forward = compiled_or_not(model, engine, compiled, shape)
    loop = training_loop(model, forward, training, images, images, engine, ResumeFile("unused", ""), 1)
    loop.start()
    return loop


def our_step(network, batch_size, precision="fp32", compiled=False, keeps_memory=True):
    """A call that does one step of it."""
    if keeps_memory:
        keep_freed_memory()
    loop, steps = our_loop(network, batch_size, precision, compiled), iter(range(10**9))
    return lambda: loop._step(next(steps))


def plain_step(precision):
    """A call that does one step as it was published."""
    images = letters()
    return PlainTraining(images.images, images.labels, BATCH, precision).step


def against_the_reference(repetitions):
    """Seconds of steps: ours and the plain one, in both precisions, each in a process of its own."""
    workers = {}
    for precision in ("fp32", "bf16"):
        workers[f"ours {precision}"] = Worker(our_step, LARGE, BATCH, precision)
        workers[f"plain {precision}"] = Worker(plain_step, precision)
    return workers_in_turn(workers, repetitions)


def operations():
    """Floating-point operations of the plain step; ours leaves out images that stochastic depth drops."""
    step = plain_step("fp32")
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def dense_layers(precision, repetitions):
    """The dense layers of a block, forward and backward: those of torch over ours."""
    widths = ((256, 768), (256, 256), (256, 512), (512, 256))
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    tokens = [torch.randn(BATCH, 256, before, dtype=dtype, requires_grad=True) for before, _ in widths]
    outer = [torch.randn(BATCH, 256, after, dtype=dtype) for _, after in widths]
    engine, works = Engine(torch.device("cpu"), precision), {}

    def run(layers):
        with engine.autocast():
            outputs = [layer(x) for layer, x in zip(layers, tokens)]
        torch.autograd.backward(outputs, outer)

    for name, kind in (("torch", torch.nn.Linear), ("ours", Linear)):
        layers = [kind(before, after) for before, after in widths]
        works[name] = lambda layers=layers: run(layers)
    seconds = interleaved(works, repetitions)
    return seconds["torch"] / seconds["ours"]


def without(names, networks=("large", "small"), rounds=15):
    """What passes gain: (network, precision) -> pass -> gains of the rounds."""
    torch.set_num_threads(1)
    shapes = {"large": (LARGE, BATCH), "small": (SMALL, 64)}
    precisions = ("fp32", "bf16") if has_bf16() else ("fp32",)
    found = {}
    for network in networks:
        for precision in precisions:
            arguments = *shapes[network], precision
            row = found[network, precision] = {}
            if set(names) & set(passes.PASSES):
                keep_freed_memory()
                loop = our_loop(*arguments)
            for name in names:
                if name == "memory":
                    row[name] = passes.gains_of_memory(our_step, (*arguments, False), rounds)
                else:
                    row[name] = passes.gains(loop, name, rounds)
    return found


def compiling(repetitions):
    """Our step of the small network as it is, over the compiled one."""
    works = {"as it is": our_step(SMALL, 64), "compiled": our_step(SMALL, 64, compiled=True)}
    seconds = interleaved(works, repetitions)
    return seconds["as it is"] / seconds["compiled"]


def measure(quick=False):
    """Ratios with the values to reach, and the numbers behind them."""
    torch.set_num_threads(1)
    repetitions = 3 if quick else 9
    times = against_the_reference(repetitions)
    seconds = {name: statistics.median(taken) for name, taken in times.items()}
    ratios, more = {}, {}
    for precision in ("fp32", "bf16"):
        pairs = [plain / ours for plain, ours in zip(times["plain fp32"], times[f"ours {precision}"])]
        name = f"plain step fp32 / our step {precision}"
        if precision == "fp32":
            ratios[name] = statistics.median(pairs), 1.5
        else:
            more[name] = statistics.median(pairs)
        more[f"{name}, lower quartile"], _, more[f"{name}, upper quartile"] = statistics.quantiles(pairs)
        more[f"{name}, the fastest of each"] = min(times["plain fp32"]) / min(times[f"ours {precision}"])
    more |= {f"{name}, images/s": BATCH / taken for name, taken in seconds.items()}
    count = operations()
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        best, taken = matmul_rate(dtype), seconds[f"ours {precision}"]
        more[f"large matrix product {precision}, GFLOP/s"] = best / 1e9
        more[f"our step {precision}, GFLOP/s of the plain one"] = count / taken / 1e9
        more[f"our step {precision}, share of the matrix product's rate"] = count / taken / best
        at_best = seconds["plain fp32"] * best / count
        more[f"plain step fp32 / a step {precision} at the matrix product's rate"] = at_best
        more[f"dense layers {precision}: torch / ours"] = dense_layers(precision, repetitions)
    if not quick:
        more["step as it is / compiled, small network"] = compiling(repetitions)
    return ratios, more


def main():
    """Print the ratios, or what passes gain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--without",
        nargs="+",
        choices=passes.NAMES,
        metavar="NAME",
        help="passes to leave out, each by itself",
    )
    options = parser.parse_args()
    if options.without:
        print("\n".join(passes.section(without(options.without))))
        return
    reached, numbers = measure()
    for name, (value, goal) in reached.items():
        print(f"{name:70s} {value:8.2f}  goal {goal}")
    for name, value in numbers.items():
        print(f"{name:70s} {value:8.2f}")


if __name__ == "__main__":
    main()
