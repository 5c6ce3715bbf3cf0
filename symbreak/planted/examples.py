"""A small moments file without any network, for examples and tests."""

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
