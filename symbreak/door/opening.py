"""Who stands for which label in a trained network: one call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import nn

from symbreak.config import Heads, Statistics
from symbreak.config.taps import HEADED_TAPS
from symbreak.door.answers import Study
from symbreak.door.inputs import Pooling, batches, names_of, on_device, superclasses_of
from symbreak.door.passes import Fitting, Kept, Measuring, run_through
from symbreak.door.preparing import loaders_of
from symbreak.errors import SymbreakError
from symbreak.features import Origin
from symbreak.features.fitting import described_moments
from symbreak.features.given import every_second, superclass_names
from symbreak.models.foreign import RANDOM, Resolved, resolve
from symbreak.taps import Anatomy, find, plain, require_proved


def study(
    model: nn.Module | str,
    validation: Iterable[Any] | str | Path,
    train: Iterable[Any] | None = None,
    *,
    weights: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    taps: Sequence[str] | None = None,
    anatomy: Anatomy | None = None,
    solver: str = "ridge",
    pooling: str = "mean",
    folds: int = 5,
    label_names: Sequence[str] | None = None,
    superclass: Mapping[str, str] | Sequence[str] | None = None,
    statistics: Statistics | None = None,
    heads: Heads | None = None,
    name: str | None = None,
    dataset: str | None = None,
    seed: int = 0,
    features: bool = False,
) -> Study:
    """Measure which labels the nodes and heads of a trained network stand for.

    The frozen network runs once over the training inputs, from which a readout of every block and tap
    follows, and once over the validation inputs, on which everything is measured.

    Parameters
    ----------
    model : Module or str
        Any trained network, which is left as it was, or its name, see `symbreak.models.foreign.resolve`.
    validation : iterable, str or path
        Yields (inputs, labels) or mappings with a key ``labels``; inputs are a tensor or the keywords of the
        network's forward, labels integers from 0. Or a source of images, see `symbreak.data.given.open_sets`.
    train : iterable, optional
        The same for the readouts. Left out: of each label every second validation input trains them, and only
        the others are measured.
    weights, options
        Of a network that is named: a file, ``"pretrained"`` or ``"random"``, and keywords to build it.
    taps : sequence of str, optional
        Taps to open, see `symbreak.taps.find`; default: attention, its rotations and block.
    anatomy : Anatomy, optional
        Where they lie; default: found.
    solver : {"ridge", "lbfgs", "adamw"}
        How readouts are fitted; the last is the recipe of the papers on pooled features.
    pooling : {"mean", "cls"}
        Over the tokens.
    folds : int
        Parts of the measured inputs, for error bars.
    label_names, superclass : sequence of str, or mapping of label to superclass, optional
        Default: what the data set of the loader tells as ``classes`` and ``superclasses``.
    statistics, heads : Statistics, Heads, optional
        Thresholds; ownership ratio and null draws.
    name, dataset : str
        Of the network and the data, for the provenance.
    seed : int
        Seed of the network, by which several are joined.
    features : bool
        Whether pooled features of every measured input are kept; they are held in memory.

    Returns
    -------
    Study

    Raises
    ------
    SymbreakError
        If the network has no such taps, its heads are not proved, or inputs and labels do not fit.

    Examples
    --------
    >>> from symbreak.models import build
    >>> network = build("cct_2_3x1", labels=4, dim=16, heads=2, image_size=8)
    >>> images = torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> labels = torch.arange(64) % 4
    >>> found = study(network, [(images, labels)], taps=["attention"], heads=Heads(n_shuffles=99))
    >>> found.heads("attention").owner.dims
    ('block', 'label')
    """
    network = _network(model, weights, options)
    model = plain(network.model)
    name, dataset = name or network.name, dataset or _data_name(validation)
    if isinstance(validation, (str, Path)):
        train, validation = loaders_of(network, validation)
    anatomy = anatomy or find(model)
    places = anatomy.places(_default_taps(anatomy) if taps is None else taps)
    if pooling == "cls" and not (anatomy.prefix or "BERT" in anatomy.found["blocks"]):
        raise SymbreakError(f"{name} has no class token; choose pooling mean.")
    pool = Pooling(pooling, anatomy.prefix)
    if any(tap in HEADED_TAPS or anatomy.heads_at(tap) for _, tap in places):
        first, _ = next(batches(validation, "validation"))
        require_proved(model, _few(on_device(first, model)), anatomy)
    fitting, kept = Fitting(solver), Kept()
    if train is not None:
        run_through(model, anatomy, places, pool, train, "training", fitting.take)
    else:
        seen = np.zeros(0, dtype=np.int64)

        def divide(pooled: dict, labels: np.ndarray, output: Any) -> None:
            nonlocal seen
            seen = np.pad(seen, (0, max(0, int(labels.max()) + 1 - len(seen))))
            training = every_second(labels, seen)
            fitting.take({place: part[training] for place, part in pooled.items()}, labels[training])
            rest = {place: part[~training] for place, part in pooled.items()}
            kept.take(
                rest, labels[~training], None if output is None else output[torch.from_numpy(~training)]
            )

        run_through(model, anatomy, places, pool, validation, "validation", divide)
    names = _names(label_names or names_of(validation), fitting.labels())
    solved = fitting.readouts(names)
    measuring = Measuring(anatomy, {p: readout for p, (readout, _) in solved.items()}, names, folds)
    digest = hashlib.sha256()
    store = Kept()

    def measure(pooled: dict, labels: np.ndarray, output: Any) -> None:
        digest.update(labels.tobytes())
        for place in places:
            digest.update(np.ascontiguousarray(pooled[place]).tobytes())
        measuring.take(pooled, labels, output)
        if features:
            store.take(pooled, labels, None)

    if train is not None:
        run_through(model, anatomy, places, pool, validation, "validation", measure)
    else:
        for number, labels in enumerate(kept.labels):
            if len(labels):
                own = {place: parts[number] for place, parts in kept.features.items()}
                measure(own, labels, kept.fields[number] if kept.fields else None)
    parameter = next(model.parameters(), torch.zeros(0))
    precision, device = str(parameter.dtype).removeprefix("torch."), parameter.device.type
    origin = Origin(name, dataset, digest.hexdigest(), seed, precision, device)
    facts = {
        "solver": solver,
        "pooling": pooling,
        "trained_on": "every second input of a label" if train is None else "training inputs",
        "inputs": measuring.inputs,
    }
    above = superclass_names(superclass or superclasses_of(validation), names)
    moments = _datasets(measuring, above, origin, facts, solved)
    return Study(moments, statistics, heads, _kept_features(store, measuring.taps) if features else None)


def _network(
    model: nn.Module | str, weights: str | Path | None, options: Mapping[str, Any] | None
) -> Resolved:
    if isinstance(model, str) and weights is None:
        raise SymbreakError('Say which weights the network has: a file, "pretrained" or "random".')
    return resolve(model, RANDOM if weights is None else weights, options)


def _data_name(data: Any) -> str:
    """Name of the data for the provenance."""
    if isinstance(data, (str, Path)):
        return Path(data).name or str(data)
    return type(getattr(data, "dataset", data)).__name__


def _datasets(
    measuring: Measuring, superclass: list[str] | None, origin: Origin, facts: dict[str, Any], solved: dict
) -> dict[str, xr.Dataset]:
    """Moments of every tap with their provenance."""
    found, accuracy = {}, measuring.accuracy()
    for tap, sums in measuring.sums.items():
        table = sums.dataset(measuring.names, superclass)
        if accuracy is not None:
            error = float(np.sqrt(accuracy * (1 - accuracy) / measuring.inputs))
            table = table.assign(network_accuracy=((), accuracy), network_accuracy_stderr=((), error))
        strengths = [strength for (_, own), (_, strength) in solved.items() if own == tap]
        table.attrs = origin.attributes(tap, facts | {"strengths": strengths, "heads": list(sums.heads)})
        found[tap] = described_moments(table)
    return found


def _kept_features(kept: Kept, taps: list[str]) -> dict[str, xr.Dataset]:
    """Pooled features of every tap; nodes that a block does not have are NaN."""
    found = {}
    for tap in taps:
        blocks = [kept.of(place) for place in kept.features if place[1] == tap]
        nodes = max(block.shape[1] for block in blocks)
        whole = np.full((len(blocks), len(kept.truth), nodes), np.nan, dtype=np.float32)
        for row, block in zip(whole, blocks):
            row[:, : block.shape[1]] = block
        found[tap] = xr.Dataset(
            {
                "pooled_feature": (("block", "sample", "node"), whole),
                "truth": (("sample",), kept.truth.astype(np.int32)),
            },
            coords={
                "block": np.arange(1, len(blocks) + 1),
                "sample": np.arange(len(kept.truth)),
                "node": np.arange(1, nodes + 1),
            },
        )
    return found


def _default_taps(anatomy: Anatomy) -> list[str]:
    wanted = ("attention", "attention_rotated", "attention_rotated_within", "block", "filters")
    return [tap for tap in wanted if tap in anatomy.taps] or list(anatomy.taps)


def _few(inputs: Any) -> Any:
    """First four of a batch."""
    if isinstance(inputs, Mapping):
        return {k: v[:4] if isinstance(v, torch.Tensor) and v.ndim else v for k, v in inputs.items()}
    return inputs[:4]


def _names(names: Sequence[str] | None, labels: int) -> list[str]:
    """Names of the labels, numbers where nothing tells them."""
    if labels < 2:
        raise SymbreakError("There is one label only; give inputs of two labels or more.")
    if names is None:
        return [str(label) for label in range(labels)]
    if len(names) < labels:
        raise SymbreakError(f"There are {labels} labels and {len(names)} names; give one for each.")
    return list(names)
