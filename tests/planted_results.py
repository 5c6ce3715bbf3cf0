"""The folder of a network, planted: moments, nodes, statistics and histories of two seeds."""

from pathlib import Path

import numpy as np
import pandas as pd
from tiny import SETTINGS, experiment

from symbreak.config import dump
from symbreak.observables import block_tables
from symbreak.planted import moments_example
from symbreak.store import provenance, write_dataset
from symbreak.store.joining import join_seeds

TAPS = ("attention", "linear1", "block")
SEEDS = (1, 2)
EXPERIMENT = experiment()


def moments(seed=1, **sizes):
    """Planted moments of two blocks."""
    return moments_example(**({"blocks": 2, "labels": 12, "nodes": 16} | sizes), seed=seed)


def filters(seed=1):
    """Moments whose nodes are the four positions of four filters; the second block has two only."""
    found = moments(seed).drop_vars("head_of_node")
    of_node = np.repeat(np.arange(1, 5), 4)
    return found.assign_coords(
        filter_of_node=(("block", "node"), [of_node, np.where(of_node < 3, of_node, 0)])
    )


def facts(seed, tap):
    """Global attributes."""
    given = {"seed": seed, "dataset": "none", "dataset_sha256": "0", "precision": "fp32", "device": "cpu"}
    return provenance(EXPERIMENT, title=f"at {tap}", source="planted (none), no images", **given)


def joined(make=moments):
    """Statistics and nodes, joined over seeds."""
    pairs = [block_tables(make(seed), EXPERIMENT.statistics) for seed in SEEDS]
    return tuple(join_seeds(datasets, SEEDS) for datasets in zip(*pairs, strict=True))


def network_folder(folder: Path, taps=TAPS) -> Path:
    """Write everything that tables and figures of an experiment are made of; return the experiment file."""
    network = folder / "small"
    for tap in taps:
        tables = []
        for seed in SEEDS:
            own = network / f"seed{seed}"
            found = moments(10 * seed + len(tap))
            statistics, nodes = block_tables(found, EXPERIMENT.statistics)
            write_dataset(own / "moments" / f"{tap}.nc", found, "moments", facts(seed, tap))
            write_dataset(own / "nodes" / f"{tap}.nc", nodes, "nodes", facts(seed, tap))
            write_dataset(own / "statistics" / f"{tap}.nc", statistics, "statistics", facts(seed, tap))
            history(seed).to_csv(own / "history.csv", index=False)
            tables.append(statistics)
        everything = facts(1, tap) | {"seed": list(SEEDS)}
        write_dataset(
            network / "statistics" / f"{tap}.nc", join_seeds(tables, SEEDS), "statistics", everything
        )
    config = folder / "experiment.yaml"
    config.write_text(
        dump(SETTINGS | {"published": "P1", "probes": SETTINGS["probes"] | {"taps": list(taps)}})
    )
    return config


def history(seed):
    """Training history in which every second epoch was validated."""
    epoch = np.arange(1, 7)
    falling = np.exp(-epoch / (3 + seed))
    validated = np.where(epoch % 2 == 0, 1.0, np.nan)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "train_loss": 3 * falling,
            "validation_loss": 2.5 * falling * validated,
            "train_accuracy": 1 - falling,
            "validation_accuracy": (1 - falling) * validated,
        }
    )
