"""Nodes that stand for no label: the network without them, and with them trained anew (P1 section 5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from symbreak import models
from symbreak.clusters import scan
from symbreak.config import Experiment
from symbreak.data import ImageSet
from symbreak.learning.loop import mixed_seed
from symbreak.measure.accumulator import binomial_error
from symbreak.observables import permutation_p_value
from symbreak.pruning.sets import Nodes

#: Which nodes are silenced.
CRITERIA = {
    "empty_noisy": "no label on the diagonal, and more noise than half of the nodes (P1)",
    "small_field": "smallest maximum field (P1)",
}

#: Retrainings of as many random nodes.
RETRAINED_DRAWS = 10


def choose_nodes(nodes: Nodes, experiment: Experiment) -> dict[str, NDArray[np.int64]]:
    """Nodes of each criterion, numbered from 0, at the reference threshold.

    Parameters
    ----------
    nodes : Nodes
        Of the network's own classifier head.
    experiment : Experiment
        `statistics` and `pruning.silenced_share`.

    Examples
    --------
    >>> from symbreak.config import parse
    >>> rows = np.array([[2.0, 1.0], [0.1, -3.0], [0.1, -0.1]])
    >>> nodes = Nodes(rows, np.array([[1.0, -1.0], [0.1, -1.0], [0.1, 2.0]]))
    >>> choose_nodes(nodes, parse({"name": "mine", "networks": {"small": {}}}))["small_field"].tolist()
    [0]
    """
    settings = experiment.statistics
    table = scan(
        nodes.feature_mean,
        nodes.readout,
        [settings.reference_threshold],
        settings.rule,
        nodes.bias,
        settings.centred,
    ).isel(threshold=0)
    noise, empty = table.noise.values, table.diagonal.values == 0
    count = max(1, round(experiment.pruning.silenced_share * len(noise)))
    weakest = np.argsort(table.field_maximum.values, kind="stable")[:count]
    return {
        "empty_noisy": np.flatnonzero(empty & (noise > np.median(noise))),
        "small_field": np.sort(weakest),
    }


def silencing_study(
    network: models.Trunk,
    nodes: Nodes,
    train: ImageSet,
    validation: ImageSet,
    experiment: Experiment,
    seed: int,
) -> xr.Dataset:
    """Silence chosen nodes before the readout, and as many random ones; train only them anew.

    The output fields are linear in the nodes: silencing node k takes f_k W_jk from field j of every image.

    Parameters
    ----------
    network : CCT or CNN
    nodes : Nodes
        Of its own classifier head.
    train, validation : ImageSet
        What reaches the readout, from :func:`symbreak.pruning.features.inputs_of`.
    experiment : Experiment
    seed : int

    Returns
    -------
    Dataset
        On (criterion): number of nodes, accuracy without them, its mean and deviation over draws of as many
        random nodes, p; the same for nodes whose readout is set to zero and trained anew, all else held.
    """
    weight = network.readout.weight.detach().float().cpu()
    bias = network.readout.bias.detach().float().cpu() if network.readout.bias is not None else 0.0
    fields = validation.images @ weight.T + bias
    generator = np.random.default_rng(mixed_seed(seed, "silenced nodes", 0))
    base = _accuracy(fields, validation.labels)

    def silenced(chosen: NDArray) -> float:
        return _accuracy(fields - _share(validation, weight, chosen), validation.labels)

    def retrained(chosen: NDArray) -> float:
        own = _retrain(train, weight, bias, chosen, experiment, seed)
        kept = fields - _share(validation, weight, chosen)
        return _accuracy(kept + validation.images[:, chosen] @ own.T, validation.labels)

    rows: dict[str, list[float]] = {}
    for chosen in choose_nodes(nodes, experiment).values():

        def draw(count: int = len(chosen)) -> NDArray:
            return np.sort(generator.choice(weight.shape[1], count, replace=False))

        draws = [silenced(draw()) for _ in range(experiment.pruning.silenced)]
        again = [retrained(draw()) for _ in range(RETRAINED_DRAWS)] if len(chosen) else [base]
        observed = silenced(chosen)
        row: dict[str, Any] = {
            "n_silenced": len(chosen),
            "silenced_accuracy": observed,
            "silenced_accuracy_null": np.mean(draws),
            "silenced_accuracy_null_deviation": np.std(draws),
            "silenced_accuracy_p": permutation_p_value(observed, np.array(draws)),
            "retrained_accuracy": retrained(chosen) if len(chosen) else base,
            "retrained_accuracy_null": np.mean(again),
            "retrained_accuracy_null_deviation": np.std(again),
        }
        for name, value in row.items():
            rows.setdefault(name, []).append(float(value))
    return _dataset(rows, base, weight.shape[1], len(validation))


def _share(images: ImageSet, weight: Tensor, chosen: NDArray) -> Tensor:
    return images.images[:, chosen] @ weight[:, chosen].T


def _accuracy(fields: Tensor, labels: Tensor) -> float:
    return float((fields.argmax(1) == labels).double().mean())


def _retrain(
    train: ImageSet, weight: Tensor, bias: Tensor | float, chosen: NDArray, experiment: Experiment, seed: int
) -> Tensor:
    """Readout weights of the chosen nodes, from zero, all others held: a convex problem."""
    settings = experiment.pruning
    own = torch.zeros(len(weight), len(chosen), requires_grad=True)
    optimizer = torch.optim.AdamW([own], lr=0.01, weight_decay=settings.weight_decay)
    rest = train.images @ weight.T + bias - _share(train, weight, chosen)
    features = train.images[:, chosen]
    shuffle = torch.Generator().manual_seed(mixed_seed(seed, "retrained nodes", 0))
    steps = settings.epochs * max(1, len(train) // settings.batch_size)
    for step in range(steps):
        rows = torch.randint(len(train), (settings.batch_size,), generator=shuffle)
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (1 - step / steps)
        cost = functional.cross_entropy(
            rest[rows] + features[rows] @ own.T,
            train.labels[rows],
            label_smoothing=experiment.training.label_smoothing,
        )
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
    return own.detach()


def _dataset(rows: dict[str, list[float]], base: float, nodes: int, images: int) -> xr.Dataset:
    values: dict[str, tuple] = {name: (("criterion",), np.array(row)) for name, row in rows.items()}
    values["n_silenced"] = (("criterion",), np.array(rows["n_silenced"], dtype="int64"))
    values["n_nodes"] = ((), nodes)
    values["base_accuracy"] = ((), base)
    table = xr.Dataset(values, {"criterion": np.array(list(CRITERIA), dtype=str)})
    for name in ("silenced_accuracy", "retrained_accuracy", "base_accuracy"):
        table[f"{name}_stderr"] = (table[name].dims, binomial_error(table[name].values, images))
    return table
