"""Sums over images at one tap, from which every matrix follows."""

from __future__ import annotations

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional

from symbreak.config import FILTER_TAPS, HEADED_TAPS
from symbreak.data import ImageSet
from symbreak.learning.engine.parallel import over_processes
from symbreak.models.probe import ProbeSet


class TapAccumulator:
    """Accumulates label means, accuracies and output fields of all blocks at one tap.

    Blocks of a convolutional network differ in their number of nodes; the dimension
    is that of the widest, NaN where a block has no such node.

    Sums are float64. ``feature_mean`` is the mean, not the sum, over the images of
    a label: classes may be unbalanced.

    Parameters
    ----------
    tap : str
        Name of the tap.
    probes : ProbeSet
        Probes of the network, on the device of the pass.
    samples, folds : int
        Number of images, and of parts that they are dealt to.
    head_silencing : {"readout", "both"}
        `both`: fields of single heads are accumulated as well, the others silenced at the probe's input.
    """

    def __init__(
        self, tap: str, probes: ProbeSet, samples: int, folds: int, head_silencing: str = "readout"
    ) -> None:
        self.tap, self.probes, self.folds = tap, probes, folds
        blocks, labels = probes.network.blocks, probes.labels
        self.heads = probes.network.heads_per_block if tap in HEADED_TAPS else None
        readout = probes[1, tap].readout.weight
        self.widths = [probes[b, tap].readout.weight.shape[1] for b in range(1, blocks + 1)]
        self.nodes = max(self.widths)

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(*shape, dtype=torch.float64, device=readout.device)

        self.feature_sum = zeros(blocks, folds * labels, self.nodes)
        self.hits = zeros(blocks, labels)
        self.head_hits = zeros(blocks, max(self.heads), labels) if self.heads else None
        self.fields = torch.zeros(blocks, samples, labels)
        self.head_fields = None
        if self.heads and head_silencing == "both":
            self.head_fields = zeros(blocks, max(self.heads), folds * labels, labels)

    def add(self, block: int, tokens: Tensor, truth: Tensor, cell: Tensor, rows: slice) -> None:
        """Add a batch: tokens (images, tokens, nodes), true labels, cell = fold * labels + label."""
        probe = self.probes[block, self.tap]
        features = probe.features(tokens)
        fields = probe.readout(features)
        own = self.feature_sum[block - 1, :, : features.shape[1]]
        own.index_add_(0, cell, features.double())
        self.hits[block - 1].index_add_(0, truth, (fields.argmax(1) == truth).double())
        self.fields[block - 1, rows] = fields.cpu()
        if self.heads is None or self.head_hits is None:
            return
        heads = self.heads[block - 1]
        weight = probe.readout.weight.view(self.probes.labels, heads, -1)
        by_head = torch.einsum("bhd,lhd->bhl", features.view(len(features), heads, -1), weight)
        right = (by_head.argmax(2) == truth[:, None]).double()
        self.head_hits[block - 1, :heads].index_add_(1, truth, right.T)
        if self.head_fields is not None:
            for number, sums in enumerate(self.head_fields[block - 1, :heads]):
                sums.index_add_(0, cell, probe(only_head(tokens, number, heads)).double())

    def join_processes(self) -> None:
        """Add up what each process has accumulated; fields of images that it has not seen are zero."""
        for sums in (self.feature_sum, self.hits, self.head_hits, self.fields, self.head_fields):
            if sums is not None:
                over_processes(sums)

    def moments(self, images: ImageSet) -> xr.Dataset:
        """Label means, readouts and accuracies as a labelled dataset."""
        labels, blocks = self.probes.labels, self.probes.network.blocks
        truth = images.labels
        count = torch.bincount(
            fold_of_images(truth, self.folds) * labels + truth, minlength=self.folds * labels
        )
        count = count.view(self.folds, labels).double()
        total = count.sum(0).clamp(min=1)
        sums = self.feature_sum.cpu().view(blocks, self.folds, labels, self.nodes)
        means = sums / count.clamp(min=1)[None, :, :, None]
        for block, width in enumerate(self.widths):  # nodes that this block does not have
            means[block, :, :, width:] = torch.nan
        readout = self._readout()
        accuracy = (self.hits.sum(1).cpu() / total.sum()).numpy()
        dataset = xr.Dataset(
            {
                "feature_mean": (("block", "fold", "label", "node"), means.numpy()),
                "count": (("fold", "label"), count.numpy().astype("int32")),
                "readout": (("block", "output", "node"), readout.numpy()),
                "accuracy": (("block",), accuracy),
                "accuracy_stderr": (("block",), binomial_error(accuracy, float(total.sum()))),
                "label_accuracy": (("block", "label"), (self.hits.cpu() / total).numpy()),
            },
            coords=self._coordinates(images),
        )
        if self.probes.settings.bias:
            bias = torch.stack([self.probes[b, self.tap].readout.bias for b in range(1, blocks + 1)])
            dataset["readout_bias"] = (("block", "output"), bias.detach().double().cpu().numpy())
        if self.head_hits is not None:
            dataset["head_label_accuracy"] = (
                ("block", "head", "label"),
                (self.head_hits.cpu() / total).numpy(),
            )
            dataset = dataset.assign_coords(head=np.arange(1, self.head_hits.shape[1] + 1))
            dataset = dataset.assign_coords(head_of_node=self._head_of_node())
        if self.head_fields is not None:
            dataset["head_field_input"] = self._head_field_input(count)
        if self.tap in FILTER_TAPS:
            dataset = dataset.assign_coords(filter_of_node=self._filter_of_node())
        return dataset

    def logits(self, images: ImageSet) -> xr.Dataset:
        """Output fields of the probes of all blocks."""
        blocks = {"block": np.arange(1, self.probes.network.blocks + 1)}
        return logits_dataset(("block", "sample", "output"), self.fields, images, blocks)

    def _coordinates(self, images: ImageSet) -> dict:
        return {
            "block": np.arange(1, self.probes.network.blocks + 1),
            "node": np.arange(1, self.nodes + 1),
            "fold": np.arange(1, self.folds + 1),
            "output": np.arange(images.n_labels),
            **label_coordinates(images),
        }

    def _readout(self) -> Tensor:
        """Readout weights (block, output, node), NaN at nodes that a block does not have."""
        weights = [self.probes[b, self.tap].readout.weight for b in range(1, len(self.widths) + 1)]
        padded = [
            functional.pad(w.detach().double(), (0, self.nodes - w.shape[1]), value=torch.nan)
            for w in weights
        ]
        return torch.stack(padded).cpu()

    def _head_field_input(self, count: Tensor) -> tuple:
        """Mean fields of single heads within folds, NaN for heads that a block does not have."""
        assert self.heads is not None and self.head_fields is not None
        blocks, heads = self.head_fields.shape[:2]
        sums = self.head_fields.cpu().view(blocks, heads, self.folds, self.probes.labels, -1)
        means = (sums / count.clamp(min=1)[None, None, :, :, None]).float()
        for block, number in enumerate(self.heads):
            means[block, number:] = torch.nan
        return ("block", "head", "fold", "label", "output"), means.numpy()

    def _filter_of_node(self) -> tuple:
        """Filter of each node of each block; 0 where the block does not have the node."""
        table = np.zeros((len(self.widths), self.nodes), dtype="int32")
        for row, width, maps in zip(table, self.widths, self.probes.network.filter_maps):
            row[:width] = np.repeat(np.arange(1, maps.filters + 1), width // maps.filters)
        return ("block", "node"), table

    def _head_of_node(self) -> tuple:
        """Head of each node; by block only where blocks differ."""
        assert self.heads is not None
        table = np.stack([np.repeat(np.arange(1, h + 1), self.nodes // h) for h in self.heads]).astype(
            "int32"
        )
        return ("node", table[0]) if len(set(self.heads)) == 1 else (("block", "node"), table)


def only_head(tokens: Tensor, head: int, heads: int) -> Tensor:
    """Tokens with the nodes of all heads but one (from 0) set to zero.

    P2 (arXiv:2506.23832) section 2: "silencing all input nodes to the trained classifier head except those
    belonging to the examined head". Unlike silenced readout weights, silenced inputs change the weights of
    the sequence pooling, and the LayerNorm where the probe has one.

    Examples
    --------
    >>> only_head(torch.ones(1, 1, 4), head=1, heads=2).tolist()
    [[[0.0, 0.0, 1.0, 1.0]]]
    """
    size = tokens.shape[-1] // heads
    kept = torch.zeros_like(tokens)
    kept[..., head * size : (head + 1) * size] = tokens[..., head * size : (head + 1) * size]
    return kept


def label_coordinates(images: ImageSet) -> dict:
    """Coordinates of labels and superclasses."""
    coordinates: dict = {
        "label": np.arange(images.n_labels),
        "label_name": ("label", np.array(images.label_names, dtype=str)),
    }
    if images.superclass_names:
        coordinates["superclass_of_label"] = ("label", np.array(images.superclass, dtype="int32"))
        coordinates["superclass"] = np.arange(len(images.superclass_names))
        coordinates["superclass_name"] = ("superclass", np.array(images.superclass_names, dtype=str))
    return coordinates


def logits_dataset(dims: tuple[str, ...], fields: Tensor, images: ImageSet, coordinates: dict) -> xr.Dataset:
    """Output fields with the true labels."""
    return xr.Dataset(
        {"logits": (dims, fields.numpy()), "truth": (("sample",), images.labels.numpy().astype("int32"))},
        coords={"sample": np.arange(len(images)), "output": np.arange(images.n_labels), **coordinates},
    )


def binomial_error(accuracy: float | np.ndarray, images: float) -> np.ndarray:
    """Standard error of a share of independent images.

    Examples
    --------
    >>> float(binomial_error(0.5, 100))
    0.05
    """
    return np.sqrt(np.multiply(accuracy, np.subtract(1.0, accuracy)) / images)


def fold_of_images(labels: Tensor, folds: int) -> Tensor:
    """Deal the images of each label to the folds in turn, so that folds are balanced.

    Examples
    --------
    >>> fold_of_images(torch.tensor([0, 0, 1, 0, 1]), folds=2).tolist()
    [0, 1, 0, 0, 1]
    """
    fold = torch.empty_like(labels)
    for label in labels.unique():
        members = (labels == label).nonzero().squeeze(1)
        fold[members] = torch.arange(len(members)) % folds
    return fold
