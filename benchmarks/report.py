"""The page docs/speed.md, the numbers behind it, and the comparison of new numbers with old ones."""

import json
import platform
from importlib.metadata import version

from benchmarks.timing import processor

PACKAGES = ("torch", "torchvision", "numpy", "numba", "xarray", "snakemake")
#: A ratio that has shrunk by this factor is reported.
REGRESSION = 1.5

#: Images of CIFAR-100, epochs of the papers, and what the estimate for a GPU assumes.
IMAGES, EPOCHS, PEAK, SHARE = 50_000, 300, 989e12, 0.2


def head(threads):
    """Title, machine and versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        "# Speed",
        "",
        "Written by `make bench` and its parts (`python -m benchmarks.step`, `.parity`); both sides of a "
        "ratio measured in one run, in turn, nothing typed by hand.",
        "",
        f"{processor()}, {threads} threads for the kernels and one for torch; "
        f"Python {platform.python_version()}, {versions}.",
        "",
    ]


def goals(ratios, seconds):
    """What is to be reached: ratios from below, seconds from above."""
    lines = ["| what | measured | to reach | |", "|---|---|---|---|"]
    for name, (value, goal) in ratios.items():
        verdict = "reached" if value >= goal else "**missed**"
        lines.append(f"| {name} | {value:,.3g} | {goal:,.3g} | {verdict} |")
    for name, (value, goal) in seconds.items():
        verdict = "reached" if value <= goal else "**missed**"
        lines.append(f"| {name}, seconds | {value:.2f} | at most {goal:g} | {verdict} |")
    return [*lines, ""]


def step_section(more):
    """The training step: rates, roofline, ways to run it."""
    lines = [
        "## The training step",
        "",
        "CCT-7/3x1, batches of 32, one thread, all regularisation on: dropout of attention weights, "
        "stochastic depth, RandAugment, MixUp or CutMix, random erasing. Plain: the published step written "
        "with explicit softmax attention, an optimiser that goes through the parameters one by one, and a "
        "DataLoader that augments with PIL (`benchmarks/reference_step.py`), in a process of its own. Steps "
        "are taken in turn; a ratio is the median over the rounds, with its quartiles below. The plain step "
        "goes through memory more often, so whatever else uses the memory of the machine slows it more: the "
        "ratio of the fastest steps is the least.",
        "",
        "Where the gain comes from: attention goes through the batch in pieces that stay in the cache, with "
        "compiled passes between its products; dense layers run as convolutions of one pixel; in bf16 the "
        "norm, the images that a branch keeps and their precision are one pass; images whose branch "
        "stochastic depth leaves out are not computed (about one in twenty); augmentation works on the whole "
        "batch; one fused optimiser.",
        "",
        "The rate of a large matrix product is what this processor can do at best. "
        "The rows *a step at the matrix product's rate* say what a step would gain that did nothing "
        "but the plain one's products, at that rate.",
        "",
        "| what | measured |",
        "|---|---|",
    ]
    lines += [f"| {name} | {value:,.3g} |" for name, value in more.items()]
    return [
        *lines,
        "",
        "Compiling (`compute.compile`) is for GPUs: a number below 1 says that here it costs time. It is off "
        "by itself on a processor.",
        "",
    ]


def probe_section(kept):
    """What passes are shared."""
    return [
        "## Probes",
        "",
        "One pass of the frozen trunk serves the probes of all taps and blocks. Those of several seeds "
        "cannot share one: each seed has its own trunk. Where no image is augmented "
        "(`probes.random_crop: 0`, `probes.horizontal_flip: 0`), features of up to `probes.cache` gigabytes "
        f"are kept and the trunk runs once: a step with the trunk takes {kept:.1f} times as long as one "
        "with kept features (14 probes of the seven-block network cct_7_3x2).",
        "",
    ]


def gpu_section(count):
    """The estimate for a GPU, from the operations that were counted."""
    total = count * IMAGES * EPOCHS
    minutes = total / (PEAK * SHARE) / 60
    return [
        "## On a GPU: an estimate, nothing measured",
        "",
        f"One image costs {count / 1e9:.2f} GFLOP forward and backward (counted by torch in the plain step), "
        f"{EPOCHS} epochs of {IMAGES:,} images {total / 1e15:.0f} PFLOP. An H200 multiplies bf16 matrices at "
        f"up to {PEAK / 1e12:.0f} TFLOP/s (data sheet, dense). Networks as narrow as this one reach a small "
        f"share of it; assuming {SHARE:.0%}, CCT-7/3x1 would train in {minutes:.0f} minutes, at "
        f"{SHARE / 2:.0%} in {2 * minutes:.0f}. The step against the plain one (to reach: 3) "
        "and compiling as a CUDA graph wait for a GPU as well.",
        "",
    ]


def kernel_section(analysis):
    """Cluster scans and label means."""
    lines = ["## Cluster scans", "", "| rule and path | matrices/s |", "|---|---|"]
    lines += [f"| {name} | {rate:,.0f} |" for name, rate in analysis["matrices_per_second"].items()]
    lines += ["", "## Label means of 50,000 × 256 features", "", "| | ms |", "|---|---|"]
    lines += [f"| {name} | {1e3 * seconds:.1f} |" for name, seconds in analysis["seconds"].items()]
    return [*lines, "", f"Peak memory of the scans: {analysis['peak_gib']:.2f} GiB.", ""]


def save(path, ratios, seconds):
    """Keep ratios and seconds, to be compared with later."""
    known = {
        "processor": processor(),
        "ratios": {name: value for name, (value, _) in ratios.items()},
        "seconds": {name: value for name, (value, _) in seconds.items()},
    }
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def compared(path, ratios, seconds):
    """Lines that say what has become worse by the factor `REGRESSION` since a file was written."""
    known = json.loads(path.read_text(encoding="utf-8"))
    lines = [f"Beside {path}, measured on {known['processor']}:"]
    for kind, found, sign in (("ratios", ratios, 1), ("seconds", seconds, -1)):
        for name, (value, _) in found.items():
            old = known[kind].get(name)
            if old is not None:
                worse = (old / value) ** sign > REGRESSION
                lines.append(f"  {'SLOWER' if worse else 'ok':6s} {name}: {value:,.3g}, was {old:,.3g}")
    return lines
