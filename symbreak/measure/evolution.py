"""Follow the heads of one network through its training, checkpoint by checkpoint."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import xarray as xr

import symbreak
from symbreak import models
from symbreak.config import Experiment
from symbreak.errors import SymbreakError
from symbreak.learning import train_probes
from symbreak.learning.checkpoints import require_checkpoints
from symbreak.learning.resume import digest
from symbreak.measure.moments import measure
from symbreak.observables import evolution_table, head_tables
from symbreak.progress import Progress
from symbreak.store import open_dataset, provenance, write_dataset
from symbreak.store.locking import alone
from symbreak.store.provenance import require_trained_by

#: Null draws of different epochs must differ, or chance would move all epochs alike. Blocks are 1000 apart.
SEEDS_OF_EPOCH = 1_000_000


def evolve(experiment: Experiment, folder: Path, threads: int | None = None) -> None:
    """Train probes at every checkpoint, measure its heads, and write ``evolution/{tap}.nc``.

    Each checkpoint is treated as the trained network is: probes on the frozen trunk, one pass for the label
    means, heads compared with their null models. A killed run goes on with the checkpoint where it stopped.

    Parameters
    ----------
    experiment : Experiment
        With `training.checkpoints: log`; `evolution` says which taps, and how long probes are trained.
    folder : Path
        Folder of the seed, with ``network.safetensors`` and ``checkpoints/``.
    threads : int, optional
        Threads of the scans.

    Raises
    ------
    SymbreakError
        If no weights were kept, the network has none of the taps, or a file is missing or damaged.
    """
    weights = folder / "network.safetensors"
    network, header = models.load_network(weights)
    require_trained_by(experiment, header, weights)
    if experiment.training.checkpoints == "none":
        raise SymbreakError(
            f"No weights were kept while {weights} was trained; set `training.checkpoints: log`, train again."
        )
    taps = [tap for tap in experiment.evolution.taps if tap in network.network.taps]
    if not taps:
        wanted = ", ".join(experiment.evolution.taps)
        raise SymbreakError(f"{header['name']} has no tap {wanted}; choose others in `evolution.taps`.")
    checkpoints = require_checkpoints(weights, experiment.training_of(header["name"]).epochs)
    settings = _of_checkpoint(experiment, taps)
    with alone(folder / "evolution"):
        finished, works = {}, []
        for epoch, path in Progress(checkpoints.items(), desc="evolve", unit="checkpoint"):
            works.append(folder / "evolution" / f".epoch{epoch}-{_key(settings, path)}")
            finished[epoch] = _heads_of(settings, path, epoch, works[-1], threads)
        for tap in taps:
            table = evolution_table({epoch: heads[tap] for epoch, heads in finished.items()})
            first = finished[0][tap].attrs
            facts = {k: first[k] for k in ("threshold", "ratio", "level", "n_shuffles")}
            title, source = f"evolution at {tap}", first["source"]
            known = provenance(experiment, header=header, title=title, source=source, **facts)
            write_dataset(folder / "evolution" / f"{tap}.nc", table, "evolution", known)
        for work in (folder / "evolution").glob(".epoch*"):  # those of other settings as well
            shutil.rmtree(work, ignore_errors=True)


def _of_checkpoint(experiment: Experiment, taps: list[str]) -> Experiment:
    """The experiment as it is done with each checkpoint: fewer taps, shorter probes, little else of heads."""
    probes = {"taps": taps, "epochs": experiment.evolution.probe_epochs}
    return experiment.model_copy(
        update={
            "probes": experiment.probes.model_copy(update=probes),
            # Heads are counted at the reference threshold; the scan of all others would be thrown away.
            "statistics": experiment.statistics.model_copy(update={"thresholds": 3}),
            "measurement": experiment.measurement.model_copy(update={"head_silencing": "readout"}),
        }
    )


def _key(experiment: Experiment, checkpoint: Path) -> str:
    """Digest of everything that determines the heads of a checkpoint."""
    names = {"probes", "measurement", "statistics", "heads"}
    settings = experiment.model_dump(mode="json", include=names)
    settings["data"] = experiment.data.determining()
    settings["compute"] = experiment.compute.determining()
    settings["training"] = experiment.training.determining()
    content = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    return digest([settings, content, symbreak.__version__])[:16]


def _heads_of(
    experiment: Experiment, checkpoint: Path, epoch: int, work: Path, threads: int | None
) -> dict[str, xr.Dataset]:
    """Heads of one checkpoint by tap, measured or from what a killed run has left."""
    taps = experiment.probes.taps
    paths = {tap: work / "heads" / f"{tap}.nc" for tap in taps}
    if not all(path.exists() for path in paths.values()):
        probes = work / "probes.safetensors"
        if not probes.exists():
            train_probes(experiment, checkpoint, probes, work / "probes.csv")
        measure(experiment, checkpoint, probes, work)
        seed = experiment.heads.seed + SEEDS_OF_EPOCH * epoch
        heads = experiment.heads.model_copy(update={"seed": seed})
        for tap, path in paths.items():
            with open_dataset(work / "moments" / f"{tap}.nc", "moments") as moments:
                moments.load()
            table = head_tables(moments, experiment.statistics, heads, threads)
            write_dataset(path, table, "heads", moments.attrs | table.attrs)
        for name in ("moments", "logits"):  # large, and all that is followed has been taken from them
            shutil.rmtree(work / name, ignore_errors=True)
    found = {}
    for tap, path in paths.items():
        with open_dataset(path, "heads") as dataset:
            found[tap] = dataset.load()
    return found
