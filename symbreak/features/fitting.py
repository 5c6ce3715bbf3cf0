"""The middle door: pooled features of a network, from whatever tool, become a moments file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from symbreak.features.given import (
    feature_arrays,
    heads_per_block,
    label_numbers,
    require_labels,
    superclass_names,
    training_inputs,
)
from symbreak.features.solving import Solver, fit
from symbreak.features.sums import MomentSums
from symbreak.store import brought, check, describe
from symbreak.store.schema import DIMENSIONS


def moments(
    features: Mapping[int, ArrayLike] | ArrayLike,
    labels: ArrayLike,
    *,
    heads: int | Sequence[int] | None = None,
    split: ArrayLike | None = None,
    solver: Solver = "ridge",
    folds: int = 5,
    label_names: Sequence[str] | None = None,
    superclass: Mapping[str, str] | Sequence[str] | None = None,
    architecture: str = "unknown network",
    dataset: str = "unknown data",
    tap: str = "attention",
    seed: int = 0,
) -> xr.Dataset:
    """Fit a readout to pooled features and return the moments of the features that it was not fitted to.

    Parameters
    ----------
    features : mapping of int to (inputs, nodes) array of float, or one such array
        Pooled features of each block, numbered from 1; arrays or tensors.
    labels : (inputs,) array of int or str
        Label of every input: integers from 0 without a gap, or names.
    heads : int or sequence of int, optional
        Number of heads whose nodes lie side by side, of all blocks or of each; none: nodes only.
    split : (inputs,) array, optional
        Inputs that train the readout: True, or "train"; the others are measured. Default: of each label every
        second input trains.
    solver : {"ridge", "lbfgs"}
        Closed form, or multinomial logistic regression; see `RidgeSums` and `logistic_readout`.
    folds : int
        Parts of the measured inputs, for error bars by the jackknife; fewer where a label has fewer inputs.
    label_names, superclass : sequence of str, or mapping of label to superclass, optional
        Names of the labels and of the superclass of each.
    architecture, dataset, tap : str
        What the features are of, for the provenance.
    seed : int
        Seed of the network, by which several are joined.

    Returns
    -------
    Dataset
        As ``moments/{tap}.nc``, with all attributes: `symbreak.store.write_dataset` writes it.

    Raises
    ------
    SymbreakError
        If shapes, labels, heads or the split are impossible.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> labels = np.arange(200) % 10
    >>> prototypes = generator.normal(size=(10, 24))
    >>> features = prototypes[labels] + generator.normal(size=(200, 24))
    >>> table = moments(features, labels, heads=4)
    >>> table.feature_mean.dims, table.sizes["head"]
    (('block', 'node', 'label', 'fold'), 4)
    >>> float(table.accuracy[0]) > 0.8
    True
    """
    arrays = feature_arrays(features)
    names, numbers = label_numbers(labels, label_names, len(next(iter(arrays.values()))))
    training = training_inputs(split, numbers)
    per_block = heads_per_block(heads, [array.shape[1] for array in arrays.values()])
    require_labels(numbers[training], names)
    readouts, strengths = zip(
        *(fit(array[training], numbers[training], len(names), solver) for array in arrays.values())
    )
    sums = MomentSums(readouts, per_block, folds)
    dealt = sums.deal(numbers[~training])
    for block, array in enumerate(arrays.values()):
        sums.add(block, array[~training], numbers[~training], dealt)
    found = sums.dataset(names, superclass_names(superclass, names))
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays.values()))
    digest.update(numbers.tobytes())
    facts = {"solver": solver, "strengths": [float(s) for s in strengths], "heads": list(per_block)}
    origin = Origin(architecture, dataset, digest.hexdigest(), seed)
    found.attrs = origin.attributes(tap, facts | {"inputs": int((~training).sum())})
    return described_moments(found)


@dataclass(frozen=True)
class Origin:
    """Where the features of a moments file come from.

    Attributes
    ----------
    architecture, dataset : str
        Names of the network and of the data.
    sha256 : str
        Hex digest of what was measured.
    seed : int
        Seed of the network, by which several are joined.
    precision, device : str
        Of the pass that made the features, where it is known.
    """

    architecture: str
    dataset: str
    sha256: str
    seed: int = 0
    precision: str = "unknown"
    device: str = "unknown"

    def attributes(self, tap: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Global attributes of the file of a tap; `facts` say how the readout was fitted."""
        return brought(
            {"probes": dict(facts)},
            title=f"label means at {tap}",
            network=self.architecture,
            dataset=self.dataset,
            seed=self.seed,
            dataset_sha256=self.sha256,
            precision=self.precision,
            device=self.device,
        )


def described_moments(dataset: xr.Dataset) -> xr.Dataset:
    """Dataset with dimensions in order and its variables described, checked as a moments file.

    Parameters
    ----------
    dataset : Dataset
        With all attributes.

    Returns
    -------
    Dataset
        Which `symbreak.store.write_dataset` takes.
    """
    order = [name for name in DIMENSIONS if name in dataset.dims]
    attributes = dataset.attrs | {"symbreak_kind": "moments"}
    dataset = dataset.transpose(*order).assign_coords(seed=np.int64(attributes["seed"]))
    dataset = describe(dataset, "moments").assign_attrs(attributes)
    check(dataset, "the moments")
    return dataset
