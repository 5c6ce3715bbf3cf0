"""Small files without any network, for examples and tests."""

from __future__ import annotations

import numpy as np
import xarray as xr


def moments_example(
    blocks: int = 2, labels: int = 10, nodes: int = 6, heads: int = 2, folds: int = 5, seed: int = 0
) -> xr.Dataset:
    """Random label means and readouts that agree with each other, in the form of a moments file.

    Parameters
    ----------
    blocks, labels, nodes, heads, folds : int
        Sizes.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Dataset
        As ``moments/{tap}.nc``, without global attributes.

    Examples
    --------
    >>> moments_example().feature_mean.dims
    ('block', 'node', 'label', 'fold')
    """
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(blocks, nodes, labels))
    scatter = 0.1 * generator.normal(size=(blocks, nodes, labels, folds))
    return xr.Dataset(
        {
            "feature_mean": (("block", "node", "label", "fold"), truth[..., None] + scatter),
            "count": (("label", "fold"), np.full((labels, folds), 20, dtype="int32")),
            "readout": (("block", "node", "output"), truth + 0.3 * generator.normal(size=truth.shape)),
            "accuracy": (("block",), np.linspace(0.3, 0.6, blocks)),
            "label_accuracy": (("block", "label"), generator.uniform(size=(blocks, labels))),
            "head_label_accuracy": (
                ("block", "head", "label"),
                generator.uniform(size=(blocks, heads, labels)),
            ),
            "network_accuracy": ((), 0.6),
        },
        coords={
            "block": np.arange(1, blocks + 1),
            "node": np.arange(1, nodes + 1),
            "label": np.arange(labels),
            "label_name": ("label", np.array([f"label {i}" for i in range(labels)])),
            "output": np.arange(labels),
            "fold": np.arange(1, folds + 1),
            "head": np.arange(1, heads + 1),
            "head_of_node": ("node", np.repeat(np.arange(1, heads + 1), nodes // heads).astype("int32")),
        },
    )


def head_tables_example(seeds: int = 0) -> xr.Dataset:
    """Heads of :func:`moments_example` with a superclass for every label, joined over seeds if asked for.

    Parameters
    ----------
    seeds : int
        Number of seeds to join; 0: one seed, without the dimension.

    Returns
    -------
    Dataset
        As ``heads/{tap}.nc``, with few null draws.

    Examples
    --------
    >>> head_tables_example(seeds=2).appearance.dims
    ('seed', 'block', 'head', 'label')
    """
    from symbreak.config import Heads, Statistics
    from symbreak.observables import head_tables
    from symbreak.store.joining import join_seeds

    found = []
    for seed in range(max(seeds, 1)):
        moments = moments_example(nodes=16, seed=seed).assign_coords(
            superclass_of_label=("label", np.repeat(np.arange(5), 2))
        )
        found.append(head_tables(moments, Statistics(thresholds=9), Heads(n_shuffles=99)))
    return join_seeds(found, range(1, seeds + 1)) if seeds else found[0].assign_attrs(seed=1)


def evolution_example(seeds: int = 0) -> xr.Dataset:
    """Heads at four epochs that divide the labels more and more.

    Parameters
    ----------
    seeds : int
        Number of seeds to join; 0: one seed, without the dimension.

    Returns
    -------
    Dataset
        As ``evolution/{tap}.nc``, with few null draws.

    Examples
    --------
    >>> table = evolution_example()
    >>> (table.potts_order.sel(epoch=4) > table.potts_order.sel(epoch=0)).values.tolist()
    [True, True]
    """
    from symbreak.config import Heads, Statistics
    from symbreak.observables import evolution_table, head_tables
    from symbreak.store.joining import join_seeds

    found = []
    for seed in range(max(seeds, 1)):
        tables = {}
        for number, epoch in enumerate((0, 1, 2, 4)):
            moments = moments_example(nodes=16, seed=seed)
            # Odd labels grow in the nodes of one head, even ones in those of the other.
            own = moments.head_of_node == 1 + moments.label % 2
            moments["feature_mean"] = (moments.feature_mean * (1 + 3 * number * own)).transpose(
                "block", "node", "label", "fold"
            )
            tables[epoch] = head_tables(moments, Statistics(thresholds=3), Heads(n_shuffles=99))
        found.append(evolution_table(tables))
    return join_seeds(found, range(1, seeds + 1)) if seeds else found[0].assign_attrs(seed=1)


def pruning_example(seeds: int = 0) -> xr.Dataset:
    """A study of two layers in two settings, in the form of a file of kind ``pruning``.

    ANDC loses 0.05 and 0.01 of an accuracy of 0.8, random pruning three times as much.

    Parameters
    ----------
    seeds : int
        Number of seeds to join; 0: one seed, not joined.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> pruning_example(seeds=2).pruned_accuracy.dims
    ('seed', 'setting', 'chosen_by', 'epoch')
    """
    if seeds:
        return xr.concat(
            [_study(seed) for seed in range(seeds)], xr.Variable("seed", np.arange(1, seeds + 1))
        )
    return _study(0)


def _study(seed: int) -> xr.Dataset:
    generator = np.random.default_rng(seed)
    lost = np.array([[0.05, 0.15], [0.01, 0.03]])[:, :, None] * np.array([4.0, 1.5, 1.0])
    accuracy = 0.8 - lost + 0.002 * generator.normal(size=lost.shape)
    nodes = ("setting", "layer", "side")
    values = {
        "kept_weights": (("setting", "layer"), [[80, 120], [300, 300]]),
        "expected_weights": (("setting", "layer"), [[70.0, 90.0], [280.0, 310.0]]),
        "adjusted_weights": (("setting", "layer"), [[1, 0], [-2, 3]]),
        "layer_weights": (("layer",), [1000, 1000]),
        "threshold": (nodes, np.full((2, 2, 2), 0.4) - 0.1 * np.arange(2)[:, None, None]),
        "n_clusters": (nodes, generator.uniform(1, 3, (2, 2, 2))),
        "cluster_size": (nodes, generator.uniform(1, 2, (2, 2, 2))),
        "diagonal": (nodes, generator.uniform(2, 6, (2, 2, 2))),
        "noise": (nodes, generator.uniform(50, 300, (2, 2, 2))),
        "pruned_accuracy": (("setting", "chosen_by", "epoch"), accuracy),
        "pruned_accuracy_stderr": (("setting", "chosen_by", "epoch"), np.full(accuracy.shape, 0.004)),
        "dense_accuracy": (("epoch",), [0.8, 0.8, 0.801]),
        "dense_accuracy_stderr": (("epoch",), [0.004] * 3),
        "kept_parameters": (("setting",), [3200, 3600]),
        "n_parameters": ((), 5000),
        "file_size": (("form",), [20000.0, 20000.0, 14000.0, 15000.0, np.nan]),
        "latency": (
            ("form", "batch"),
            [[1e-3, 0.02], [1e-3, 0.02], [9e-4, 0.019], [4e-3, 0.06], [9e-4, 0.018]],
        ),
    }
    coords = {
        "setting": ["kept 0.1", "kept 0.3"],
        "layer": ["block 2 linear1", "block 2 linear2"],
        "side": ["input", "output"],
        "chosen_by": ["andc", "random"],
        "epoch": [0, 1, 2],
        "form": ["unpruned", "zeros", "dropped", "csr", "fastest"],
        "batch": [1, 100],
    }
    return xr.Dataset(values, coords, {"seed": seed, "source": "planted (none), no images"})


def silencing_example() -> xr.Dataset:
    """Silenced nodes of one network, in the form of a file of kind ``silencing``.

    Examples
    --------
    >>> silencing_example().criterion.values.tolist()
    ['empty_noisy', 'small_field']
    """
    values = {
        "n_silenced": (("criterion",), [3, 6]),
        "silenced_accuracy": (("criterion",), [0.799, 0.790]),
        "silenced_accuracy_stderr": (("criterion",), [0.004, 0.004]),
        "silenced_accuracy_null": (("criterion",), [0.780, 0.750]),
        "silenced_accuracy_null_deviation": (("criterion",), [0.005, 0.010]),
        "silenced_accuracy_p": (("criterion",), [0.005, 0.005]),
        "retrained_accuracy": (("criterion",), [0.801, 0.800]),
        "retrained_accuracy_stderr": (("criterion",), [0.004, 0.004]),
        "retrained_accuracy_null": (("criterion",), [0.800, 0.799]),
        "retrained_accuracy_null_deviation": (("criterion",), [0.001, 0.001]),
        "n_nodes": ((), 60),
        "base_accuracy": ((), 0.8),
        "base_accuracy_stderr": ((), 0.004),
    }
    coords = {"criterion": ["empty_noisy", "small_field"]}
    return xr.Dataset(values, coords, {"seed": 1, "source": "planted (none), no images"})
