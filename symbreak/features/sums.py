"""Sums over pooled features of inputs, from which a moments file follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from symbreak.features.given import measured_folds


class MomentSums:
    """Label means within folds and accuracies of all blocks at one tap, float64.

    Blocks may differ in their nodes and heads; in the dataset the missing ones are NaN.

    Parameters
    ----------
    readouts : sequence of (labels, nodes) array of float
        Readout of every block.
    heads : sequence of int
        Number of heads of every block, which divides its nodes; empty where nodes belong to no head.
    folds : int
        Parts that the inputs are dealt to.
    """

    def __init__(self, readouts: Sequence[NDArray], heads: Sequence[int], folds: int) -> None:
        self.readouts, self.heads, self.folds = list(readouts), tuple(heads), folds
        blocks, self.labels = len(self.readouts), len(self.readouts[0])
        self.widths = [readout.shape[1] for readout in self.readouts]
        self.sums = np.zeros((blocks, folds * self.labels, max(self.widths)))
        self.hits = np.zeros((blocks, self.labels))
        self.head_hits = np.full((blocks, max(self.heads, default=0), self.labels), np.nan)
        for block, number in enumerate(self.heads):
            self.head_hits[block, :number] = 0
        self.count = np.zeros((folds, self.labels), dtype=np.int64)

    def deal(self, labels: NDArray) -> NDArray:
        """Folds of the next inputs: those of each label are dealt in turn. Call once for each batch."""
        seen, folds = self.count.sum(0), np.empty(len(labels), dtype=np.int64)
        for row, label in enumerate(labels):
            folds[row] = seen[label] % self.folds
            seen[label] += 1
        np.add.at(self.count, (folds, labels), 1)
        return folds

    def add(self, block: int, features: NDArray, labels: NDArray, folds: NDArray) -> None:
        """Add pooled features, (inputs, nodes), of a block, from 0."""
        features = np.asarray(features, dtype=np.float64)
        rows, cells = np.arange(len(labels)), folds * self.labels + labels
        onehot = sparse.csr_array((np.ones(len(labels)), (cells, rows)), (self.sums.shape[1], len(labels)))
        self.sums[block, :, : self.widths[block]] += onehot @ features
        readout = self.readouts[block]
        right = np.argmax(features @ readout.T, axis=1) == labels
        np.add.at(self.hits[block], labels, right)
        if self.heads:
            number = self.heads[block]
            by_head = np.einsum(
                "bhd,lhd->bhl",
                features.reshape(len(features), number, -1),
                readout.reshape(self.labels, number, -1),
                optimize=True,
            )
            for head, winner in enumerate(by_head.argmax(2).T):
                np.add.at(self.head_hits[block, head], labels, winner == labels)

    def dataset(self, label_names: Sequence[str], superclass: Sequence[str] | None = None) -> xr.Dataset:
        """Label means, readouts and accuracies as in a moments file.

        Where a label has fewer inputs than there are folds, as many folds are made of them.

        Parameters
        ----------
        label_names : sequence of str
            One for each label.
        superclass : sequence of str, optional
            Name of the superclass of each label.

        Raises
        ------
        SymbreakError
            If a label has fewer than two inputs.
        """
        blocks, nodes, total = len(self.readouts), max(self.widths), self.count.sum(0)
        folds = measured_folds(total, label_names, self.folds)
        sums = np.zeros((blocks, folds, self.labels, nodes))
        count = np.zeros((folds, self.labels), dtype=np.int32)
        for fold, part in enumerate(self.sums.reshape(blocks, self.folds, self.labels, nodes).swapaxes(0, 1)):
            sums[:, fold % folds] += part
            count[fold % folds] += self.count[fold].astype(np.int32)
        means = sums / count[None, :, :, None]
        readout = np.full((blocks, self.labels, nodes), np.nan)
        head_of_node = np.zeros((blocks, nodes), dtype=np.int32)
        for block, width in enumerate(self.widths):
            means[block, :, :, width:] = np.nan
            readout[block, :, :width] = self.readouts[block]
            if self.heads:
                number = self.heads[block]
                head_of_node[block, :width] = np.repeat(np.arange(1, number + 1), width // number)
        accuracy, differ = self.hits.sum(1) / total.sum(), len(set(self.widths)) > 1
        dataset = xr.Dataset(
            {
                "feature_mean": (("block", "fold", "label", "node"), means),
                "count": (("fold", "label"), count),
                "readout": (("block", "output", "node"), readout),
                "accuracy": (("block",), accuracy),
                "accuracy_stderr": (("block",), np.sqrt(accuracy * (1 - accuracy) / total.sum())),
                "label_accuracy": (("block", "label"), self.hits / total),
            },
            coords={
                "block": np.arange(1, blocks + 1),
                "node": np.arange(1, nodes + 1),
                "fold": np.arange(1, folds + 1),
                "output": np.arange(self.labels),
                "label": np.arange(self.labels),
                "label_name": ("label", np.array(label_names, dtype=str)),
            },
        )
        if differ:
            dataset = dataset.assign_coords(width=("block", np.array(self.widths, dtype=np.int32)))
        if self.heads:
            dataset["head_label_accuracy"] = (("block", "head", "label"), self.head_hits / total)
            same = (head_of_node == head_of_node[0]).all()
            dataset = dataset.assign_coords(
                head=np.arange(1, max(self.heads) + 1),
                head_of_node=("node", head_of_node[0]) if same else (("block", "node"), head_of_node),
            )
        return dataset if superclass is None else _with_superclasses(dataset, superclass)


def _with_superclasses(dataset: xr.Dataset, superclass: Sequence[str]) -> xr.Dataset:
    names, numbers = np.unique(np.array(superclass, dtype=str), return_inverse=True)
    return dataset.assign_coords(
        superclass_of_label=("label", numbers.astype(np.int32)),
        superclass=np.arange(len(names)),
        superclass_name=("superclass", names),
    )
