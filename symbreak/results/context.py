"""What the maker of a result is given: the experiment, where the result belongs, and its files, read once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from symbreak.config import Experiment, parse
from symbreak.config.taps import TAPS
from symbreak.errors import SymbreakError
from symbreak.results.files import CONTENTS, FILES
from symbreak.results.layout import EVERYWHERE, Layout, Place
from symbreak.results.registry import Entry
from symbreak.store import open_dataset, read_values
from symbreak.store.joining import join_seeds
from symbreak.store.tables import require_history


@dataclass
class Context:
    """Experiment, place and files of the results that are made together.

    Attributes
    ----------
    given : Layout, optional
        Files of the experiment; without it, the experiment is the one kept in the first file of `files`.
    place : Place
    folder : Path, optional
        Folder of the experiment, in which its files lie.
    files : mapping of str to list of Path
        Files by kind, in place of those in the folder.
    choices : mapping of str to object
        What was asked for in place of the default: ``threshold``, ``block``, ``node``, ``head``, ``filter``.
    """

    given: Layout | None = None
    place: Place = EVERYWHERE
    folder: Path = Path()
    files: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    choices: Mapping[str, Any] = field(default_factory=dict)
    _read: dict[Path, xr.Dataset] = field(default_factory=dict, repr=False)

    @cached_property
    def experiment(self) -> Experiment:
        """The experiment."""
        if self.given:
            return self.given.experiment
        kind = next(kind for kind in self.files if self.files[kind])
        first = self.load(self.files[kind][0], kind)
        return parse(json.loads(first.attrs["config"]), "the experiment in the data file")

    @cached_property
    def layout(self) -> Layout:
        """Files of the experiment."""
        return self.given or Layout(self.experiment)

    @property
    def threshold(self) -> float:
        """Fraction of the largest field above which elements count."""
        asked = self.choices.get("threshold")
        if asked is None:
            return self.experiment.statistics.reference_threshold
        if not 0 < asked < 1:
            raise SymbreakError(f"--threshold is {asked:g}; give a fraction between 0 and 1.")
        return float(asked)

    @property
    def tap(self) -> str:
        """Tap of the place, or of the file that was given."""
        return self.place.tap or next(paths[0].stem for paths in self.files.values() if paths)

    @property
    def source(self) -> str:
        """Network and data in words, as the first file that was read has it."""
        return str(next(iter(self._read.values())).attrs["source"]) if self._read else ""

    def paths(self, kind: str) -> list[Path]:
        """Files of a kind at the place.

        Raises
        ------
        SymbreakError
            If there are none.
        """
        if self.files:
            found = list(self.files.get(kind) or [])
        else:
            found = [self.folder / path for path in self.layout.files(kind, self.place)]
        if not found:
            raise SymbreakError(f"This result is made of {kind}; give --{kind} with {FILES[kind]}.")
        return found

    def complete(self, entry: Entry) -> bool:
        """Whether the files that a result needs are there, and any of those that it uses.

        Of what compares networks those that are there are enough.
        """
        enough = any if entry.scope == "experiment" else all
        needed = all(enough(path.is_file() for path in self.paths(kind)) for kind in entry.required)
        return needed and any(self.present(kind) for kind in entry.required + entry.optional)

    def present(self, kind: str) -> list[Path]:
        """Files of a kind at the place, as far as they are there."""
        try:
            return [path for path in self.paths(kind) if path.is_file()]
        except SymbreakError:
            return []

    def each(self, kind: str) -> list[xr.Dataset]:
        """The files of one tap, one by one."""
        paths = self.paths(kind)
        if len({path.stem for path in paths}) > 1:
            raise SymbreakError("The files are of several taps; give those of one.")
        return [self.load(path, kind) for path in paths]

    def first(self, kind: str) -> xr.Dataset:
        """The file of the first seed."""
        return self.load(self.paths(kind)[0], kind)

    def one(self, kind: str) -> xr.Dataset:
        """The files of one tap, joined over seeds."""
        datasets = self.by_name(kind)
        if len(datasets) > 1:
            raise SymbreakError(f"The files are of several taps ({', '.join(datasets)}); give those of one.")
        return next(iter(datasets.values()))

    def by_name(self, kind: str) -> dict[str, xr.Dataset]:
        """Files by tap, in the order of the data flow, or by study; those of one name joined over seeds."""
        found: dict[str, list[xr.Dataset]] = {}
        for path in self.paths(kind):
            found.setdefault(path.stem, []).append(self.load(path, kind))
        known = list(TAPS)
        order = sorted(found, key=lambda name: known.index(name) if name in known else len(known))
        return {name: _joined(found[name], name) for name in order}

    def by_network(self, kind: str) -> dict[tuple[str, str], xr.Dataset]:
        """Files by network and tap, as far as they are there; a file of a whole network has its own name."""
        depth = FILES[kind].count("/") - 1  # folders between that of the network and the file
        return {
            (path.absolute().parents[depth].name, path.stem): self.load(path, kind)
            for path in self.present(kind)
        }

    def null_models(self) -> dict[str, xr.Dataset]:
        """Heads of rotated features and of the untrained network, where they are there."""
        return {
            kind: self.one(kind) for kind in ("rotated", "rotated_within", "untrained") if self.present(kind)
        }

    def histories(self) -> dict[int, pd.DataFrame]:
        """Histories of the trainings by seed; the seed is in the name of the folder."""
        found = {}
        for number, path in enumerate(self.paths("histories"), 1):
            named = re.fullmatch(r"seed(\d+)", path.absolute().parent.name)
            require_history(path)
            found[int(named[1]) if named else number] = pd.read_csv(path)
        return found

    def block_of(self, dataset: xr.Dataset) -> int:
        """The block that was asked for, or the last.

        Raises
        ------
        SymbreakError
            If the dataset has no such block.
        """
        known, block = [int(number) for number in dataset.block.values], self.choices.get("block")
        if block is None:
            return max(known)
        if block not in known:
            raise SymbreakError(f"There is no block {block}; choose one of {', '.join(map(str, known))}.")
        return int(block)

    def load(self, path: Path, kind: str) -> xr.Dataset:
        """One file of ours as a whole, read once.

        Raises
        ------
        SymbreakError
            If it is missing, damaged, or of another kind.
        """
        if path not in self._read:
            self._read[path] = load(path, CONTENTS.get(kind, kind))
        elif self._read[path].attrs["symbreak_kind"] != CONTENTS.get(kind, kind):
            open_dataset(path, CONTENTS.get(kind, kind))  # refuses it
        return self._read[path]


def load(path: Path, kind: str) -> xr.Dataset:
    """One file of ours as a whole.

    Raises
    ------
    SymbreakError
        If it is missing, damaged, or of another kind.
    """
    with open_dataset(path, kind) as dataset:
        for variable in dataset.variables:
            read_values(dataset[variable], str(path))
        return dataset.load()


def _joined(datasets: list[xr.Dataset], tap: str) -> xr.Dataset:
    if len(datasets) == 1:
        return datasets[0]
    if any("seed" in dataset.dims for dataset in datasets):
        raise SymbreakError(
            f"Several files of tap {tap}, and one is joined over seeds already; give that one only."
        )
    seeds = [int(dataset.attrs["seed"]) for dataset in datasets]
    if len(set(seeds)) < len(seeds):
        raise SymbreakError(f"A seed comes twice among {seeds} at tap {tap}; give each file once.")
    return join_seeds(datasets, seeds)
