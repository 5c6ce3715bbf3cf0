"""Ratios of the analysis kernels against what they replace, all measured in one run.

    python benchmarks/kernels.py [--threads 2] [--json kernels.json]

The input is the linear-Gaussian world of symbreak.planted with the sizes of the papers' network: 7
blocks of 256 nodes, 100 labels, 99 thresholds. Compilation is left out; every time is the best of
several repetitions.
"""

import argparse
import json
import resource
import sys
import time

import numpy as np
import xarray as xr

from symbreak.clusters import scan, scan_matrices
from symbreak.matrices import by_head, label_means
from symbreak.planted import linear_gaussian

BLOCKS, NODES, LABELS = 7, 256, 100
THRESHOLDS = np.arange(1, 100) / 100


def best_time(work, seconds=2.0):
    """Smallest wall time of the calls that fit into some seconds, after one call that compiles."""
    work()
    times = []
    while sum(times) < seconds or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def whole_square(clipped, group, label):
    """The rule as it is stated: the whole square of the group with the new label stays above."""
    grown = [*group, label]
    return clipped[np.ix_(grown, grown)].all()


def new_elements(clipped, group, label):
    """The same for someone who is careful: only the elements that the label adds, stop at the first miss."""
    return all(clipped[label, other] and clipped[other, label] for other in group)


def plain_first_fit(matrix, threshold, fits, appearance, fields):
    """First fit without compiled code: normalise, clip, seed, admit, count; all that a scan returns."""
    clipped = matrix / matrix.max() > threshold
    free = [label for label in range(len(clipped)) if clipped[label, label]]
    sizes = []
    while free:
        group = [free[0]]
        for label in free[1:]:
            if fits(clipped, group, label):
                group.append(label)
        sizes.append(len(group))
        square = matrix[np.ix_(group, group)]
        appearance[group] += 1
        fields[0, group] += square.diagonal()
        fields[1, group] += square.sum(axis=0)
        free = [label for label in free if label not in group]
    squares = sum(size**2 for size in sizes)
    return len(sizes), sum(sizes), int(clipped.sum()) - squares, squares, max(sizes, default=0)


def compare_scans(threads):
    """Scans of seven blocks by either path and rule, and the plain first fit on a sample."""
    worlds = [linear_gaussian(LABELS, NODES, seed=block, images_per_label=5) for block in range(BLOCKS)]
    matrices = BLOCKS * NODES * THRESHOLDS.size
    # A node is scanned by itself: the blocks may go into one call, side by side.
    means = np.concatenate([world.true_mean for world in worlds], axis=1)
    readouts = np.concatenate([world.readout for world in worlds], axis=1)
    rates = {}
    for rule in ("first_fit", "min_cover", "largest_first"):
        for path in ("rank_one", "bit_rows"):

            def scan_all(rule=rule, path=path):
                scan(means, readouts, THRESHOLDS, rule, path=path, threads=threads)

            rates[f"{rule} {path}"] = matrices / best_time(scan_all)
    heads = np.repeat(np.arange(1, 33), NODES // 32)
    stack = np.concatenate([by_head(world.true_mean, world.readout, heads) for world in worlds])
    seconds = best_time(lambda: scan_matrices(stack, THRESHOLDS, threads=threads))
    rates["first_fit heads"] = len(stack) * THRESHOLDS.size / seconds
    rates["plain numpy, whole square"] = plain_rate(worlds[0], whole_square)
    rates["plain Python, new elements"] = plain_rate(worlds[0], new_elements)
    return rates


def plain_rate(world, fits, nodes=32, every=3):
    """Matrices per second without compiled code, on an even sample that must give the same counts."""
    thresholds = THRESHOLDS[::every]
    found = scan(world.true_mean[:, :nodes], world.readout[:, :nodes], thresholds)
    start = time.perf_counter()
    appearance = np.zeros((thresholds.size, LABELS), int)
    fields = np.zeros((thresholds.size, 2, LABELS))
    counts = [
        plain_first_fit(
            np.outer(world.true_mean[:, node], world.readout[:, node]),
            threshold,
            fits,
            appearance[step],
            fields[step],
        )
        for step, threshold in enumerate(thresholds)
        for node in range(nodes)
    ]
    seconds = time.perf_counter() - start
    np.testing.assert_array_equal(appearance, found.appearance)
    np.testing.assert_allclose(fields[:, 0], found.diagonal_field, atol=1e-12)
    np.testing.assert_allclose(fields[:, 1], found.cluster_field, atol=1e-12)
    for column, name in enumerate(("n_clusters", "diagonal", "noise", "square_sum", "largest")):
        if [row[column] for row in counts] != found[name].values.ravel().tolist():
            raise SystemExit(f"The plain first fit disagrees about {name}.")
    return len(counts) / seconds


def compare_label_means(threads, samples=50_000, nodes=NODES):
    """Label means of one frozen pass by the kernel and by xarray's groupby."""
    generator = np.random.default_rng(0)
    features = generator.normal(size=(samples, nodes)).astype(np.float32)
    labels = generator.integers(0, LABELS, samples)
    array = xr.DataArray(features, dims=("sample", "node"), coords={"label": ("sample", labels)})
    expected = array.astype(float).groupby("label").mean().values
    np.testing.assert_allclose(label_means(features, labels, LABELS)[0], expected, rtol=1e-6, atol=1e-12)
    return {
        "label_means": best_time(lambda: label_means(features, labels, LABELS, threads=threads)),
        "xarray groupby": best_time(lambda: array.groupby("label").mean()),
        "xarray groupby, float64": best_time(lambda: array.astype(float).groupby("label").mean()),
    }


def measure(threads):
    """Run everything; return the measured numbers and the ratios with the values to reach."""
    rates = compare_scans(threads)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    seconds = compare_label_means(threads)
    reached = {
        "rank-one matrices/s": (rates["first_fit rank_one"], 1e6),
        "bit-row matrices/s": (rates["first_fit bit_rows"], 2e5),
        "rank-one / plain numpy": (rates["first_fit rank_one"] / rates["plain numpy, whole square"], 500),
        "xarray groupby, float64 sums as ours / label_means": (
            seconds["xarray groupby, float64"] / seconds["label_means"],
            10,
        ),
        "1 GiB / peak memory of the scans": (1 / peak, 1),
    }
    return {
        "threads": threads,
        "matrices_per_second": rates,
        "seconds": seconds,
        "peak_gib": peak,
        "reached": {name: {"value": value, "goal": goal} for name, (value, goal) in reached.items()},
    }


def main():
    """Print the table; exit 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="threads around the kernels (2)")
    parser.add_argument("--json", help="also write the numbers to this file")
    options = parser.parse_args()
    report = measure(options.threads)
    sizes = f"{BLOCKS} blocks x {NODES} nodes x {THRESHOLDS.size} thresholds, {LABELS} labels"
    print(f"{options.threads} threads, {sizes}")
    for name, rate in report["matrices_per_second"].items():
        print(f"  {name:28s} {rate:14,.0f} matrices/s")
    for name, seconds in report["seconds"].items():
        print(f"  {name:28s} {1e3 * seconds:14.2f} ms (50,000 x {NODES})")
    missed = 0
    for name, row in report["reached"].items():
        missed += row["value"] < row["goal"]
        verdict = "reached" if row["value"] >= row["goal"] else "MISSED"
        print(f"  {name:34s} {row['value']:14,.1f}  goal {row['goal']:,.0f}  {verdict}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
