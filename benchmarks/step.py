"""Our training step against the published one written plainly, and the ways to run it against each other.

CCT-7/3x1, batches of 32, all regularisation on, one thread. Both sides do the whole step: take images from
memory, augment, forward, backward, optimise.
"""

import copy

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.reference_step import Training as PlainTraining
from benchmarks.timing import Worker, interleaved, matmul_rate, workers_in_turn
from symbreak import models
from symbreak.config import parse
from symbreak.data import load
from symbreak.learning.compiled import compiled_or_not
from symbreak.learning.compute import Engine
from symbreak.learning.heap import keep_freed_memory
from symbreak.learning.resume import ResumeFile
from symbreak.learning.together import Stacked
from symbreak.learning.train import training_loop

BATCH, SEEDS = 32, 3
LARGE = {"architecture": "cct_7_3x1", "dim": 256, "heads": 4}
#: The network of config/demo.yaml.
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


def our_step(network, batch_size, precision="fp32", compiled=False):
    """A call that does one step as `symbreak train` does it."""
    settings = {"name": "speed", "networks": {"cct": network}, "training": {"batch_size": batch_size}}
    experiment, images = parse(settings), letters()
    torch.manual_seed(1)
    model = models.create(experiment.networks["cct"], images.n_labels).train()
    keep_freed_memory()
    engine, training = Engine(torch.device("cpu"), precision), experiment.training
    shape = (batch_size, *images.images.shape[1:])
    forward = compiled_or_not(model, engine, compiled, shape)
    loop = training_loop(model, forward, training, images, images, engine, ResumeFile("unused", ""), 1)
    loop.start()
    steps = iter(range(10**9))
    return lambda: loop._step(next(steps))


def plain_step(precision):
    """A call that does one step as it was published."""
    images = letters()
    return PlainTraining(images.images, images.labels, BATCH, precision).step


def against_the_reference(repetitions):
    """Seconds of a step: ours and the plain one, in both precisions, each in a process of its own."""
    workers = {}
    for precision in ("fp32", "bf16"):
        workers[f"ours {precision}"] = Worker(our_step, LARGE, BATCH, precision)
        workers[f"plain {precision}"] = Worker(plain_step, precision)
    return workers_in_turn(workers, repetitions)


def operations(precision):
    """Floating-point operations of our step."""
    step = our_step(LARGE, BATCH, precision)
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def seeds_together(repetitions):
    """Steps of some seeds of the small network one after the other, over one step of all together."""
    images, targets = torch.randn(SEEDS, 64, 3, 32, 32), torch.randint(100, (SEEDS, 64))
    network = parse({"name": "speed", "networks": {"cct": SMALL}}).networks["cct"]
    single = [models.create(network, 100).train() for _ in range(SEEDS)]
    stack = Stacked(copy.deepcopy(single)).train()
    single_optimizers = [torch.optim.AdamW(model.parameters(), fused=True) for model in single]
    optimizer = torch.optim.AdamW(stack.parameters(), fused=True)
    cost = torch.nn.functional.cross_entropy

    def apart():
        for model, own, pixels, labels in zip(single, single_optimizers, images, targets):
            own.zero_grad()
            cost(model(pixels), labels).backward()
            own.step()

    def together():
        optimizer.zero_grad()
        sum(cost(fields, labels) for fields, labels in zip(stack(images), targets)).backward()
        optimizer.step()

    seconds = interleaved({"apart": apart, "together": together}, repetitions)
    return seconds["apart"] / seconds["together"]


def compiling(repetitions):
    """Our step of the small network as it is, over the compiled one."""
    works = {"as it is": our_step(SMALL, 64), "compiled": our_step(SMALL, 64, compiled=True)}
    seconds = interleaved(works, repetitions)
    return seconds["as it is"] / seconds["compiled"]


def measure(quick=False):
    """Ratios with the values to reach, and the numbers behind them."""
    torch.set_num_threads(1)
    repetitions = 2 if quick else 3
    seconds = against_the_reference(repetitions)
    ratios = {
        "plain step fp32 / our step fp32": (seconds["plain fp32"] / seconds["ours fp32"], 1.5),
        "plain step fp32 / our step bf16": (seconds["plain fp32"] / seconds["ours bf16"], 3.0),
    }
    more = {f"{name}, images/s": BATCH / taken for name, taken in seconds.items()}
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        best, count = matmul_rate(dtype), operations(precision)
        more[f"large matrix product {precision}, GFLOP/s"] = best / 1e9
        more[f"our step {precision}, GFLOP/s"] = count / seconds[f"ours {precision}"] / 1e9
        more[f"our step {precision}, share of the matrix product's rate"] = (
            count / seconds[f"ours {precision}"] / best
        )
        more[f"plain step fp32 / a step {precision} at the matrix product's rate"] = (
            seconds["plain fp32"] * best / count
        )
    more[f"{SEEDS} seeds one by one / together, small network"] = seeds_together(2 * repetitions)
    if not quick:
        more["step as it is / compiled, small network"] = compiling(repetitions)
    return ratios, more


if __name__ == "__main__":
    reached, numbers = measure()
    for name, (value, goal) in reached.items():
        print(f"{name:70s} {value:8.2f}  goal {goal}")
    for name, value in numbers.items():
        print(f"{name:70s} {value:8.2f}")
