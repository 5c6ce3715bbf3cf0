"""Files of a study of pruning: what was kept, how the network recovered, what it weighs and costs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from symbreak import models
from symbreak.learning.batches import measured_images, normalised_batches
from symbreak.measure.accumulator import binomial_error, logits_dataset
from symbreak.models.probe import Place
from symbreak.pruning.export import BATCHES, measure_forms
from symbreak.pruning.places import Layer, describe_nodes, kept_pairs, sets_at
from symbreak.pruning.sets import Nodes, expected_fraction
from symbreak.pruning.subject import Subject
from symbreak.store import replacing, write_dataset

Rows = Mapping[tuple[str, str], Mapping[str, Any]]

SIDES = ("input", "output")
NODE_STATISTICS = ("n_clusters", "cluster_size", "diagonal", "noise")


def write_study(
    subject: Subject,
    name: str,
    layers: list[Layer],
    nodes: Mapping[Place, Nodes],
    cuts: Mapping[str, Mapping[Place, float]],
    rows: Rows,
    network: Path,
) -> None:
    """Write ``pruning/{study}.nc`` and the folder of the pruned network of its first setting."""
    folder = subject.folder / "pruning" / name
    pruned, header = models.load_network(network, subject.experiment.compute.cpu_passes)
    study = subject.experiment.pruning.studies[name]
    table = layer_table(study.settings, layers, nodes, cuts, subject.experiment.statistics)
    table = table.assign(_recoveries(study.settings, study.methods, layers, rows, len(subject.validation)))
    table = table.assign(_parameters(subject.network, table)).assign(_forms(subject.network, pruned))
    folder.mkdir(parents=True, exist_ok=True)
    write_logits(subject, pruned, header, folder / "logits" / "network.nc")
    with replacing(folder / "network.safetensors") as temporary:
        shutil.copyfile(network, temporary)
    attributes = subject.attributes(f"pruning study {name}") | {"threads": torch.get_num_threads()}
    write_dataset(subject.folder / "pruning" / f"{name}.nc", table, "pruning", attributes)


def write_silencing(subject: Subject, table: xr.Dataset) -> None:
    """Write ``pruning/silencing.nc``."""
    attributes = subject.attributes("silenced nodes before the readout")
    attributes["threshold"] = subject.experiment.statistics.reference_threshold
    write_dataset(subject.folder / "pruning" / "silencing.nc", table, "silencing", attributes)


def layer_table(
    settings: list[str],
    layers: list[Layer],
    nodes: Mapping[Place, Nodes],
    cuts: Mapping[str, Mapping[Place, float]],
    statistics: Any,
) -> xr.Dataset:
    """Thresholds, clusters and kept weights of every layer in every setting (P1 Table 3)."""
    shape = (len(settings), len(layers))
    kept, expected = np.zeros(shape, dtype="int64"), np.full(shape, np.nan)
    sides = {key: np.full((*shape, 2), np.nan) for key in ("threshold", *NODE_STATISTICS)}
    for row, setting in enumerate(settings):
        sets = sets_at(nodes, cuts[setting], statistics)
        known = {p: describe_nodes(nodes[p], cut, statistics) for p, cut in cuts[setting].items()}
        for column, layer in enumerate(layers):
            mask = kept_pairs(layer, sets)
            kept[row, column] = mask.sum()
            if layer.outputs is not None:
                expected[row, column] = mask.size * expected_fraction(sets[layer.outputs], sets[layer.inputs])
            for side, place in enumerate((layer.inputs, layer.outputs)):
                if place is not None:
                    sides["threshold"][row, column, side] = cuts[setting][place]
                    for key in NODE_STATISTICS:
                        sides[key][row, column, side] = known[place][key]
    sizes = [kept_pairs(layer, sets).size for layer in layers]
    values: dict[str, tuple] = {key: (("setting", "layer", "side"), array) for key, array in sides.items()}
    values |= {
        "kept_weights": (("setting", "layer"), kept),
        "expected_weights": (("setting", "layer"), expected),
        "layer_weights": (("layer",), np.array(sizes)),
    }
    names = np.array([layer.name for layer in layers], dtype=str)
    return xr.Dataset(values, {"setting": np.array(settings, dtype=str), "layer": names, "side": list(SIDES)})


def _recoveries(
    settings: list[str], methods: list[str], layers: list[Layer], rows: Rows, images: int
) -> dict[str, Any]:
    """Accuracies and losses of all retrainings; one from scratch has its last accuracy at the end."""
    dense = np.array(rows["dense", "dense"]["accuracy"])
    shape = (len(settings), len(methods), len(dense))
    accuracy, loss = np.full(shape, np.nan), np.full(shape, np.nan)
    adjusted = np.zeros((len(settings), len(layers)), dtype="int64")
    for i, setting in enumerate(settings):
        for j, method in enumerate(methods):
            row = rows[setting, method]
            if method == "artificial_scratch":
                accuracy[i, j, -1], loss[i, j, -1] = row["accuracy"][-1], row["train_loss"][-1]
            else:
                accuracy[i, j], loss[i, j] = row["accuracy"], row["train_loss"]
            if method == "artificial":
                adjusted[i] = [row["adjusted"][layer.name] for layer in layers]
    dims = ("setting", "chosen_by", "epoch")
    return {
        "pruned_accuracy": (dims, accuracy),
        "pruned_accuracy_stderr": (dims, binomial_error(accuracy, images)),
        "pruned_loss": (dims, loss),
        "dense_accuracy": (("epoch",), dense),
        "dense_accuracy_stderr": (("epoch",), binomial_error(dense, images)),
        "adjusted_weights": (("setting", "layer"), adjusted),
        "chosen_by": ("chosen_by", np.array(methods, dtype=str)),
        "epoch": ("epoch", np.arange(len(dense))),
    }


def _parameters(network: models.Trunk, table: xr.Dataset) -> dict[str, Any]:
    whole = models.count_parameters(network)
    removed = int(table.layer_weights.sum()) - table.kept_weights.sum("layer").values
    return {"n_parameters": ((), whole), "kept_parameters": (("setting",), whole - removed)}


def _forms(network: models.Trunk, pruned: models.Trunk) -> dict[str, Any]:
    """Bytes and latency of the pruned network that is kept, form by form."""
    found = measure_forms(network, pruned)
    latency = [[row[f"latency_{size}"] for size in BATCHES] for row in found.values()]
    return {
        "file_size": (("form",), np.array([row["bytes"] for row in found.values()])),
        "latency": (("form", "batch"), np.array(latency)),
        "form_difference": (("form",), np.array([row["difference"] for row in found.values()])),
        "form": ("form", np.array(list(found), dtype=str)),
        "batch": ("batch", np.array(BATCHES)),
    }


@torch.no_grad()
def write_logits(subject: Subject, pruned: models.Trunk, header: Mapping[str, Any], path: Path) -> None:
    """Write the output fields of a pruned network, on the images of the measuring pass.

    The file is like that of the network before pruning, so that the pruned one can be in a committee.
    """
    experiment, images = subject.experiment, measured_images(subject.experiment)
    pruned = pruned.to(subject.engine.device).eval()
    fields = []
    for pixels, _ in normalised_batches(
        images, subject.engine, experiment.measurement.batch_size, experiment.training
    ):
        with subject.engine.autocast():
            fields.append(pruned(pixels).float().cpu())
    dataset = logits_dataset(("sample", "output"), torch.cat(fields), images, {})
    attributes = subject.attributes(f"output fields of the network pruned by {header['pruned']['study']}")
    write_dataset(path, dataset, "logits", attributes)
