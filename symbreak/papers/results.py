"""What lies in folders of results: which networks, trained how long on what, and which files they have."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr
from pydantic import ValidationError

from symbreak.config import Network
from symbreak.errors import SymbreakError
from symbreak.store import open_dataset


class Run(NamedTuple):
    """One file of results with the budget that it was made with, as the file itself tells.

    Attributes
    ----------
    path, kind
        File and kind of it (statistics, heads, committee, pruning).
    experiment, network
        Their names; a file of committees has no network of its own.
    config
        Experiment as kept in the file.
    networks
        Trained networks of the experiment by name, as far as this version knows their keys.
    epochs
        Of the training, by network.
    seeds
        Of the trainings.
    """

    path: Path
    kind: str
    experiment: str
    network: str
    config: dict[str, Any]
    networks: dict[str, Network]
    epochs: dict[str, int]
    seeds: tuple[int, ...]

    @property
    def tap(self) -> str:
        """Tap of a file of statistics or heads."""
        return self.path.stem

    @property
    def own(self) -> Network | None:
        """Its network, if it is a trained one of known shape."""
        return self.networks.get(self.network)

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return str(self.config["data"]["name"])

    @property
    def whole_data(self) -> bool:
        """Whether all images of the data set were used."""
        data = self.config["data"]
        return data.get("train_per_label") is None and data.get("validation_per_label") is None

    def load(self) -> xr.Dataset:
        """The file as a whole."""
        with open_dataset(self.path, self.kind) as dataset:
            return dataset.load()

    def in_words(self) -> str:
        """Experiment, data and budget in a few words."""
        shapes = [name for name in self.networks if not self.network or name == self.network]
        epochs = sorted({self.epochs[name] for name in shapes})
        budget = "–".join(str(number) for number in dict.fromkeys((epochs[0], epochs[-1]))) if epochs else "?"
        budget += " epoch" if budget == "1" else " epochs"
        names = dict.fromkeys(_short(self.networks[name]) for name in shapes)
        part = "" if self.whole_data else ", part of the images"
        listed = ", ".join(names) if len(names) < 4 else f"{len(shapes)} networks"
        return (
            f"`{self.experiment}`: {listed}; {self.dataset}{part}; {budget}; "
            f"{len(self.seeds)} seed{'s' if len(self.seeds) != 1 else ''}"
        )


def _short(network: Network) -> str:
    if network.convolutional:
        return network.architecture
    blocks, kernel, convolutions = network.shape
    return f"CCT-{blocks}/{kernel}x{convolutions} of dim {network.dim}"


def find_runs(folders: Iterable[str | Path]) -> tuple[list[Run], list[str]]:
    """Read the budgets of all result files in folders of experiments.

    Parameters
    ----------
    folders : iterable of path
        ``results/{experiment}``, or copies of it that keep only small files, as in ``docs/data``.

    Returns
    -------
    runs : list of Run
        Statistics, heads, pruning studies and committees of the networks; files of single seeds do not count.
    refused : list of str
        One sentence for each file that could not be read.

    Raises
    ------
    SymbreakError
        If a folder does not exist.

    Examples
    --------
    >>> runs, refused = find_runs(["docs/data/cifar100_cpu"])
    >>> {"heads", "statistics"} <= {run.kind for run in runs}, refused
    (True, [])
    """
    runs, refused = [], []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise SymbreakError(f"There is no folder {folder}; give folders of experiments, results/….")
        for path, kind, network in _files(folder):
            try:
                runs.append(_run(path, kind, network))
            except SymbreakError as refusal:
                refused.append(str(refusal))
    return runs, refused


def _files(folder: Path) -> list[tuple[Path, str, str]]:
    patterns = {
        "statistics": "*/statistics/*.nc",
        "heads": "*/heads/attention.nc",
        "pruning": "*/pruning/*.nc",
    }
    found = [
        (path, kind, path.parents[1].name)
        for kind, pattern in patterns.items()
        for path in sorted(folder.glob(pattern))
        if path.stem != "silencing" and not path.parents[1].name.startswith("seed")
    ]
    committee = folder / "committee.nc"
    return found + ([(committee, "committee", "")] if committee.is_file() else [])


def _run(path: Path, kind: str, network: str) -> Run:
    with open_dataset(path, kind) as dataset:
        attributes = dict(dataset.attrs)
        seeds = dataset.seed.values.tolist() if "seed" in dataset.dims else attributes["seed"]
    config = json.loads(attributes["config"])
    settings = dict(config["networks"])
    if kind == "committee":  # members of other experiments vote too
        settings = json.loads(attributes.get("networks", "{}"))
    networks, epochs = {}, {}
    for name, keys in settings.items():
        try:
            shape = Network.model_validate(keys)
        except ValidationError:
            continue
        if shape.trained:
            networks[name] = shape
            epochs[name] = int(keys.get("epochs") or config["training"]["epochs"])
    listed = tuple(int(seed) for seed in (seeds if hasattr(seeds, "__iter__") else [seeds]))
    return Run(path, kind, str(config["name"]), network, config, networks, epochs, listed)
