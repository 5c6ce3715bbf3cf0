"""Print the numbers of docs/heads.md and docs/method.md that come from planted worlds.

python -m benchmarks.planted
"""

import numpy as np

from symbreak.clusters import membership, scan
from symbreak.observables import (
    appearance_of_heads,
    benjamini_hochberg,
    block_statistics,
    count_nodes,
    label_p_values,
    ownership,
    pool_folds,
)
from symbreak.planted import head_gain, linear_gaussian

SEEDS, THRESHOLD, LEVEL = 20, 0.3, 0.05
#: A planted owner is clear where its gain is this many times the second largest.
CLEAR = 1.25


def head_gain_row(deviation):
    """Means over seeds of one row of the table of docs/heads.md."""
    rows = []
    for seed in range(SEEDS):
        world = head_gain(deviation, seed=seed)
        member = membership(world.feature_mean, world.readout, THRESHOLD)
        appearance = appearance_of_heads(member, world.head_of_node)
        owner, best = ownership(appearance), world.head_accuracy.argmax(axis=0) + 1
        owned = owner > 0
        p_values = label_p_values(appearance, count_nodes(world.head_of_node))
        evident = owned & (benjamini_hochberg(p_values) < LEVEL)
        shares = [
            (owner == truth)[chosen].mean() if chosen.any() else np.nan
            for chosen in (evident, owned)
            for truth in (world.owner, best)
        ]
        gains = np.sort(world.gain, axis=0)
        clear = owned & (gains[-1] >= CLEAR * gains[-2])
        shares.append((owner == world.owner)[clear].mean() if clear.any() else np.nan)
        shares.append((ideal_observer(world) == world.owner)[owned].mean() if owned.any() else np.nan)
        rows.append([world.accuracy, owned.sum(), evident.sum(), *shares])
    return np.array(rows)


def ideal_observer(world):
    """Head of the largest norm of the noiseless class mean: the best guess of the owner from the features."""
    heads = np.unique(world.head_of_node)
    norms = [(world.feature_mean[:, world.head_of_node == head] ** 2).sum(axis=1) for head in heads]
    return heads[np.argmax(norms, axis=0)]


def main():
    """Print both tables."""
    print(
        "| s | accuracy | owned (seed deviation) | evident | planted | best | all: planted | all: best "
        "| clear: planted | ideal observer: planted |"
    )
    for deviation in (0.0, 0.2, 0.4, 0.5, 0.6):
        rows = head_gain_row(deviation)
        rare = np.isnan(rows).mean(axis=0) > 0.5
        mean = np.where(rare, np.nan, np.nanmean(np.where(rare, 0.0, rows), axis=0))
        shares = " | ".join("–" if np.isnan(share) else f"{share:.2f}" for share in mean[3:])
        spread = rows[:, 1].std(ddof=1)
        print(f"| {deviation:g} | {mean[0]:.2f} | {mean[1]:.1f} ({spread:.1f}) | {mean[2]:.1f} | {shares} |")
    tables = []
    for seed in range(4):
        world = linear_gaussian(seed=seed)
        means = pool_folds(world.feature_mean, world.fold_count)
        table = block_statistics(scan(means, world.readout, [THRESHOLD])).isel(threshold=0)
        names = ("n_clusters", "cluster_size", "diagonal", "noise", "snr")
        tables.append([world.accuracy, *(float(table[name]) for name in names)])
    print(
        "linear-Gaussian null, four worlds: accuracy, N_c, C_s, diag, n, SNR =",
        np.mean(tables, axis=0).round(2),
    )


if __name__ == "__main__":
    main()
