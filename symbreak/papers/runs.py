"""Records of the trainings of an experiment: settings, hardware, time, images per second, accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from symbreak.errors import SymbreakError
from symbreak.store import open_dataset

#: Training images of the whole data sets, and their labels.
TRAIN_IMAGES = {"cifar10": (50_000, 10), "cifar100": (50_000, 100), "diacritics": (50_000, 100)}


def run_table(folder: str | Path, config: dict[str, Any]) -> pd.DataFrame:
    """Say of every training how long it took where, and what came out.

    Parameters
    ----------
    folder : path
        ``results/{experiment}``, or a copy of it that keeps only small files.
    config : dict
        The experiment.

    Returns
    -------
    DataFrame
        One row a network and seed: ``network``, ``seed``, ``epochs``, ``validation accuracy``, ``training
        loss``, ``minutes`` (of the training alone), ``images/s``, ``precision``, ``processor``, ``config``
        (first digits of the SHA-256 of all settings). Seeds without a history are left out.

    Raises
    ------
    SymbreakError
        If no training has left a history.

    Examples
    --------
    >>> run_table("none", {"networks": {"cct": {}}, "seeds": [1]})
    Traceback (most recent call last):
    ...
    symbreak.errors.SymbreakError: There is no history in none; keep history.csv next to the statistics.
    """
    rows = []
    for network in config["networks"]:
        for seed in config["seeds"]:
            path = Path(folder) / network / f"seed{seed}" / "history.csv"
            if path.exists():
                rows.append(_row(path, network, seed, config) | _facts(Path(folder) / network))
    if not rows:
        raise SymbreakError(f"There is no history in {folder}; keep history.csv next to the statistics.")
    return pd.DataFrame(rows)


def _row(path: Path, network: str, seed: int, config: dict[str, Any]) -> dict[str, Any]:
    history = pd.read_csv(path)
    last = history.iloc[-1]
    per_second = "–"
    if last.seconds > 0 and config["data"]["name"] in TRAIN_IMAGES:
        images, labels = TRAIN_IMAGES[config["data"]["name"]]
        chosen = config["data"]["train_per_label"]
        images = images if chosen is None else min(images, labels * chosen)
        per_second = f"{images * last.epoch / last.seconds:.0f}"
    return {
        "network": network,
        "seed": seed,
        "epochs": int(last.epoch),
        "validation accuracy": f"{last.validation_accuracy:.4f}",
        "training loss": "–" if pd.isna(last.train_loss) else f"{last.train_loss:.3f}",
        "minutes": f"{last.seconds / 60:.0f}",
        "images/s": per_second,
    }


def _facts(folder: Path) -> dict[str, str]:
    """Precision, processor and settings, as any statistics or heads of the network know them."""
    for path in [*sorted(folder.glob("statistics/*.nc")), *sorted(folder.glob("heads/*.nc"))]:
        known = open_dataset(path, path.parent.name).attrs
        return {
            "precision": str(known["precision"]),
            "processor": str(known["device"]),
            "config": f"`{known['config_sha256'][:12]}`",
        }
    return dict.fromkeys(("precision", "processor", "config"), "–")
