"""Rules between sections: what no key alone can tell, refused before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from pathlib import PurePath
from typing import TYPE_CHECKING

from symbreak.config.pruning import READOUT, Study

if TYPE_CHECKING:
    from symbreak.config.experiment import Experiment
    from symbreak.config.network import Network

#: Folders next to those of the networks, and how files there end.
FOLDERS = ("benchmarks", "figures", "logs", "tables")
ENDINGS = ("csv", "html", "json", "log", "md", "nc", "pdf", "png", "safetensors", "svg", "tsv", "txt", "yaml")

#: File next to the studies of a network.
SILENCING = "silencing"

#: Where a key lies, and what is wrong with it.
Problem = tuple[str, str]
Rule = Callable[["Experiment"], Iterator[Problem]]


def first_problem(experiment: Experiment) -> Problem | None:
    """Return the first rule that an experiment breaks, as key and sentence; None if it is possible."""
    return next((problem for rule in RULES for problem in rule(experiment)), None)


def _names(experiment: Experiment) -> Iterator[Problem]:
    """Names of networks, studies and committees are those of files, of patterns and of rows of tables."""
    for name in experiment.networks:
        if name.lower() in FOLDERS or name.lower().endswith(tuple(f".{ending}" for ending in ENDINGS)):
            what = "a folder of results" if name.lower() in FOLDERS else "as files of results are"
            yield "networks", f"no network can be called {name}, {what}; call it otherwise"
    for name in experiment.pruning.studies:
        if name.lower() == SILENCING:
            yield "pruning.studies", f"no study can be called {name}, a file of results; call it otherwise"
    groups = experiment.committee.groups if experiment.committee else {}
    for key, names in (
        ("networks", experiment.networks),
        ("pruning.studies", experiment.pruning.studies),
        ("committee.groups", groups),
    ):
        for one, other in combinations(names, 2):
            if _alike(one, other):
                yield key, f"the names {one} and {other} are too alike for files and patterns; rename one"
    for name in groups:
        if name in experiment.networks:
            yield "committee.groups", f"{name} is the name of a network as well; call the group otherwise"


def _alike(one: str, other: str) -> bool:
    """Whether one name, as a pattern without case, fits the other."""
    one, other = one.lower(), other.lower()
    if not re.fullmatch(r"[a-z0-9_.-]+", one + other):
        return one == other
    return bool(re.fullmatch(one, other) or re.fullmatch(other, one))


def _epochs(experiment: Experiment) -> Iterator[Problem]:
    """A network's own number of epochs leaves room for warm-up and cool-down."""
    training = experiment.training
    slow = training.warmup_epochs + training.cooldown_epochs
    for name, network in experiment.networks.items():
        if network.epochs and slow >= network.epochs:
            yield (
                "training",
                f"warmup_epochs + cooldown_epochs = {slow:g} leave nothing of networks.{name}.epochs = "
                f"{network.epochs}; shorten them",
            )


def _images(experiment: Experiment) -> Iterator[Problem]:
    """There are as many images as are asked for, of the size that the networks take."""
    data = experiment.data
    for split, wished in (("train", data.train_per_label), ("validation", data.validation_per_label)):
        most = data.most_per_label(split)
        if wished and most and wished > most:
            yield f"data.{split}_per_label", f"{data.name} has {most} of each label, not {wished}; lower it"
    for name, network in experiment.networks.items():
        if network.image_size != data.side:
            yield (
                f"networks.{name}.image_size",
                f"images of {data.name} have {data.side} pixels a side, not {network.image_size}; set it so",
            )
    if experiment.measurement.inputs == "training" and data.per_label("train") == 1:
        yield (
            "measurement.inputs",
            "one training image of each label gives no error bar; raise data.train_per_label to 2 or more",
        )


def _batches(experiment: Experiment) -> Iterator[Problem]:
    """Every batch has enough images, and enough for all processes."""
    asked: list[tuple[str, int, int | None]] = [("training", experiment.training.batch_size, None)]
    asked += [("probes", experiment.probes.batch_size, experiment.probes.train_per_label)]
    if experiment.pruning.studies:
        asked += [("pruning", experiment.pruning.batch_size, experiment.pruning.train_per_label)]
    processes = experiment.compute.processes
    for section, batch, limit in asked:
        per_label = experiment.data.per_label("train")
        images = experiment.data.n_labels * min(per_label or batch, limit or per_label or batch)
        if batch > images:
            yield f"{section}.batch_size", f"there are {images} training images, fewer than {batch}; lower it"
        if processes > batch:
            yield (
                "compute.processes",
                f"{section}.batch_size = {batch} is fewer than {processes}; lower it",
            )


def _taps(experiment: Experiment) -> Iterator[Problem]:
    """Every tap is one of a network, and every network has one."""
    networks, taps = experiment.networks, experiment.probes.taps
    for tap in taps:
        if not any(tap in network.taps for network in networks.values()):
            name, network = next(iter(networks.items()))
            known = f"{name} ({network.architecture}) has {', '.join(network.taps)}"
            yield "probes", f"no network has the tap {tap}; {known}"
    for name, network in networks.items():
        if not set(taps) & set(network.taps):
            lost = f"taps = {', '.join(taps)} leaves {name} ({network.architecture}) without any"
            yield "probes", f"{lost}; it has {', '.join(network.taps)}"


def _members(experiment: Experiment) -> Iterator[Problem]:
    """Committees consist of trained networks of this experiment, or of those in `others`."""
    if experiment.committee is None:
        return
    trained = [name for name, network in experiment.networks.items() if network.trained]
    others = [PurePath(place) for place in experiment.committee.others]
    folders = {place.name for place in others}
    for place in others:
        if place == PurePath("results", experiment.name):
            yield "committee.others", f"{place} is this experiment itself; remove it"
    for group, names in experiment.committee.groups.items():
        for name in names:
            elsewhere = name.partition("/")[0] in folders or any(place.suffix == ".nc" for place in others)
            if name not in trained and not ("/" in name and elsewhere):
                yield (
                    "committee",
                    f"groups.{group} names {name}, which is no trained network here; choose among "
                    f"{', '.join(trained)} or experiment/network, of an experiment in others",
                )


def _studies(experiment: Experiment) -> Iterator[Problem]:
    """Every study prunes a network, keeps at least one weight, and uses what it sets."""
    for name, study in experiment.pruning.studies.items():
        key = f"pruning.studies.{name}"
        pruned = [network for network in experiment.networks.values() if study.prunes(network)]
        if not pruned:
            yield (
                "pruning",
                f"no trained network has the layers and blocks of the study {name}; only encoders (CCT) "
                "have layers besides readout, and blocks count from 1",
            )
        for fraction in study.kept:
            fewest = min((_weights(study, n, experiment.data.n_labels) for n in pruned), default=1)
            if fraction * fewest < 1:
                yield f"{key}.kept", f"{fraction:g} of {fewest} weights is less than one; raise it"
        unused = [tap for tap in study.thresholds if tap not in study.places]
        if unused:
            used = ", ".join(study.places)
            yield f"{key}.thresholds", f"no layer of the study has nodes at {unused[0]}; name some of {used}"


def _weights(study: Study, network: Network, labels: int) -> int:
    """Weights of the layers that a study prunes."""
    if network.convolutional:
        return network.filter_maps[-1].filters * labels
    dim, hidden = network.dim, network.hidden
    sizes = {"qkv": 3 * dim * dim, "projection": dim * dim, "linear1": dim * hidden, "linear2": hidden * dim}
    blocks = len(study.blocks_of(network.blocks))
    inner = sum(sizes[layer] for layer in study.layers if layer != READOUT)
    return blocks * inner + (READOUT in study.layers) * dim * labels


RULES: Iterable[Rule] = (_names, _epochs, _taps, _images, _batches, _members, _studies)
