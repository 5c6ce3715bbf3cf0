"""Cost of the analysis against the size of the experiment, and a measured run at the size of ViT-B.

    python -m benchmarks.scaling [--figure docs/images/scaling.png]

One size is varied at a time, the others are those of the papers' network: 100 labels, 256 nodes, 99
thresholds. Exponents are slopes of straight lines through the last three points on logarithmic axes.
ViT-B on ImageNet-1k: 12 blocks of 768 nodes, 1000 labels, 99 thresholds; the verb `scan` analyses a moments
file of that size with synthetic numbers in a process of its own, whose peak memory is measured.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import interleaved, run_measured
from symbreak.clusters import scan
from symbreak.config import Statistics, dump, parse
from symbreak.matrices import label_means
from symbreak.observables import block_tables
from symbreak.planted import linear_gaussian, moments_example
from symbreak.store import provenance, write_dataset
from symbreak.store.joining import join_seeds

LABELS, NODES, THRESHOLDS = 100, 256, 99
VIT_B = {"blocks": 12, "nodes": 768, "labels": 1000, "folds": 5, "heads": 12}
LIMIT = 2.0  # GB


def scan_call(labels=LABELS, nodes=NODES, thresholds=THRESHOLDS, path="rank_one"):
    """A scan of one block of a linear-Gaussian world, by the rule of the papers."""
    world = linear_gaussian(labels, nodes, seed=0, images_per_label=5)
    cuts = np.arange(1, thresholds + 1) / (thresholds + 1)
    return lambda: scan(world.true_mean, world.readout, cuts, path=path, threads=1)


def means_call(images):
    """Label means of the features of one block."""
    generator = np.random.default_rng(0)
    features = generator.normal(size=(images, NODES)).astype(np.float32)
    labels = generator.integers(0, LABELS, images)
    return lambda: label_means(features, labels, LABELS, threads=1)


def seeds_call(count):
    """Tables of one block of every seed, joined."""
    examples = [moments_example(1, 50, 64, seed=seed) for seed in range(count)]
    settings, seeds = Statistics(thresholds=33), list(range(count))
    return lambda: join_seeds([block_tables(part, settings, 1)[0] for part in examples], seeds)


def calls(quick):
    """What is varied -> size -> call."""
    labels = (10, 32, 100, 320) if quick else (10, 32, 100, 320, 1000)
    nodes = (64, 256, 1024) if quick else (64, 256, 1024, 4096)
    return {
        "labels, nodes (rank one)": {n: scan_call(labels=n) for n in labels},
        "labels, heads (bit rows)": {n: scan_call(labels=n, nodes=32, path="bit_rows") for n in labels},
        "nodes": {n: scan_call(nodes=n) for n in nodes},
        "thresholds": {n: scan_call(thresholds=n) for n in (9, 33, 99, 333)},
        "images": {n: means_call(n) for n in (1000, 4000, 16000, 64000)},
        "seeds": {n: seeds_call(n) for n in (1, 2, 4, 8)},
    }


def exponent(seconds):
    """Slope of the last three points on logarithmic axes."""
    sizes = np.log(list(seconds))[-3:]
    return float(np.polyfit(sizes, np.log(list(seconds.values()))[-3:], 1)[0])


def measure(quick=False):
    """Seconds of every call: what is varied -> size -> seconds."""
    repetitions = 2 if quick else 3
    return {name: interleaved(works, repetitions, time.process_time) for name, works in calls(quick).items()}


def extrapolated(seconds):
    """Seconds that ViT-B should take, from the scan of 1000 labels (or the largest) and the two slopes."""
    by_labels = seconds["labels, nodes (rank one)"]
    largest = max(by_labels)
    labels = (VIT_B["labels"] / largest) ** exponent(by_labels)
    nodes = (VIT_B["nodes"] / NODES) ** exponent(seconds["nodes"])
    # The statistics scan the means over all images and, for the jackknife, those without each fold;
    # the verb then scans once more for the table of nodes.
    return by_labels[largest] * labels * nodes * VIT_B["blocks"] * (VIT_B["folds"] + 2)


def vit_b():
    """Wall time (s) and peak memory (GB) of `symbreak scan` on a moments file of the size of ViT-B."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        settings = {"name": "vit", "networks": {"vit": {}}, "probes": {"taps": ["block"]}}
        (path / "vit.yaml").write_text(dump(settings))
        example = moments_example(**VIT_B)
        known = {"seed": 0, "dataset": "none", "dataset_sha256": "", "precision": "fp32", "device": "cpu"}
        facts = provenance(parse(settings), title="label means at block", source="synthetic", **known)
        write_dataset(path / "moments" / "block.nc", example, "moments", facts)
        del example
        arguments = ("scan", "--config", str(path / "vit.yaml"), "--folder", folder, "--threads", "1")
        return run_measured("-m", "symbreak", *arguments)


def draw(seconds, path):
    """One panel for everything that is varied."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 3, figsize=(9, 5), layout="constrained")
    for axis, (name, taken) in zip(axes.flat, seconds.items()):
        axis.loglog(list(taken), list(taken.values()), "o-", color="C0")
        axis.set_xticks(list(taken), [f"{size:,}" for size in taken])
        axis.xaxis.minorticks_off()
        axis.set_xlabel(name)
        axis.set_ylabel("seconds")
        axis.set_title(f"exponent {exponent(taken):.2f}", fontsize="medium")
        axis.grid(True, which="major", alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def section(seconds, measured, figure):
    """The part of the page, as lines of Markdown."""
    lines = [
        "## Cost against size",
        "",
        f"One block of {NODES} nodes, {LABELS} labels, {THRESHOLDS} thresholds; one size varied at a time, "
        "one thread (`python -m benchmarks.scaling`). The exponent is that of the last three sizes. Heads: "
        "32 matrices as rows of bits. Seeds: tables of a block of 64 nodes and 50 labels, joined.",
        "",
        "| varied | from … to | seconds | exponent |",
        "|---|---|---|---|",
    ]
    for name, taken in seconds.items():
        low, high = min(taken), max(taken)
        lines.append(
            f"| {name} | {low} … {high} | {taken[low]:.2g} … {taken[high]:.2g} | {exponent(taken):.2f} |"
        )
    if figure:
        lines += ["", f"![Seconds against size]({figure})"]
    wall, memory = measured
    lines += [
        "",
        f"ImageNet-1k, ViT-B: {VIT_B['blocks']} blocks of {VIT_B['nodes']} nodes, {VIT_B['labels']} labels, "
        f"{THRESHOLDS} thresholds, {VIT_B['folds']} folds. From the slopes: {extrapolated(seconds):.0f} s on "
        f"one thread. Measured, `symbreak scan` on synthetic label means of that size, reading and writing "
        f"included: {wall:.0f} s, peak memory {memory:.2f} GB.",
        "",
    ]
    return lines


def main():
    """Measure and draw; exit with 1 if the run of the size of ViT-B takes too much memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", type=Path, default=Path("docs/images/scaling.png"), help="(%(default)s)")
    options = parser.parse_args()
    seconds, measured = measure(), vit_b()
    draw(seconds, options.figure)
    print("\n".join(section(seconds, measured, options.figure)))
    return int(measured[1] > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
