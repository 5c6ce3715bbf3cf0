"""Moments of the taps whose nodes are needed: those of the seed, or measured here where it has none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import xarray as xr

import symbreak
from symbreak.config import Experiment
from symbreak.learning import train_probes
from symbreak.learning.resume import digest
from symbreak.measure import measure
from symbreak.store import open_dataset


def moments_of(experiment: Experiment, folder: Path, taps: list[str]) -> dict[str, xr.Dataset]:
    """Moments of every tap.

    Taps of `probes.taps` are read from ``moments/`` of the seed. For others classifier heads are trained
    and measured as `symbreak probe` and `symbreak measure` do, with the same settings, on at most
    `pruning.train_per_label` images of a label.

    Parameters
    ----------
    experiment : Experiment
    folder : Path
        Folder of the seed.
    taps : list of str

    Raises
    ------
    SymbreakError
        If a file is missing or damaged.
    """
    missing = [tap for tap in taps if tap not in experiment.probes.taps]
    extra = _measured(experiment, folder, missing) if missing else folder
    found = {}
    for tap in taps:
        path = (extra if tap in missing else folder) / "moments" / f"{tap}.nc"
        with open_dataset(path, "moments") as moments:
            found[tap] = moments.load()
    return found


def _measured(experiment: Experiment, folder: Path, taps: list[str]) -> Path:
    """Train and measure classifier heads at some taps; a finished folder is taken as it is."""
    limits = [experiment.probes.train_per_label, experiment.pruning.train_per_label]
    per_label = min((limit for limit in limits if limit is not None), default=None)
    probes = experiment.probes.model_copy(update={"taps": taps, "train_per_label": per_label})
    plain = experiment.measurement.model_copy(update={"head_silencing": "readout"})
    alone = experiment.compute.model_copy(update={"processes": 1})  # as all of the pruning
    own = experiment.model_copy(update={"probes": probes, "measurement": plain, "compute": alone})
    weights = folder / "network.safetensors"
    settings = own.model_dump(mode="json", include={"data", "probes", "measurement", "compute"})
    content = hashlib.sha256(weights.read_bytes()).hexdigest()
    key = digest([settings, content, symbreak.__version__])[:16]
    work = folder / "pruning" / f".taps-{key}"
    path = work / "probes.safetensors"
    if not path.exists():
        train_probes(own, weights, path, work / "probes.csv")
    if not all((work / "moments" / f"{tap}.nc").exists() for tap in taps):
        measure(own, weights, path, work)
    return work
