"""Accuracy with bf16 against fp32: the same seeds trained in both precisions.

    python -m benchmarks.parity

The letters of the demo in miniature: 30 images per label, little nuisance, a transformer of two blocks.
"""

import tempfile
from pathlib import Path

import numpy as np

from symbreak.config import parse
from symbreak.learning import train_network
from symbreak.models.weights import read_weights

SEEDS = (1, 2, 3, 4, 5, 6)
SETTINGS = {
    "name": "parity",
    "data": {"name": "diacritics", "train_per_label": 30, "validation_per_label": 20, "nuisance": 0.2},
    "networks": {
        "cct": {
            "architecture": "cct_2_3x2",
            "dim": 64,
            "heads": 4,
            "attention_dropout": 0.0,
            "stochastic_depth": 0.0,
        }
    },
    "training": {
        "epochs": 12,
        "batch_size": 32,
        "learning_rate": 1.0e-3,
        "warmup_epochs": 0.5,
        "cooldown_epochs": 0,
        "schedule_update": "step",
        "random_crop": 2,
        "horizontal_flip": 0.0,
        "random_resized_crop": 1.0,
        "randaugment": 0,
        "mixup": 0,
        "cutmix": 0,
        "erasing": 0,
        "validate_every": 12,
    },
}


def measure(seeds=SEEDS):
    """Validation accuracy: precision -> one number for each seed."""
    found = {}
    for precision in ("fp32", "bf16"):
        experiment = parse(SETTINGS | {"compute": {"device": "cpu", "precision": precision}})
        found[precision] = []
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                weights = Path(folder) / "network.safetensors"
                train_network(experiment, "cct", seed, weights, Path(folder) / "history.csv")
                found[precision].append(read_weights(weights)[1]["validation_accuracy"])
    return found


def section(found, seeds=SEEDS):
    """The part of the page, as lines of Markdown."""
    differences = np.subtract(found["bf16"], found["fp32"])
    error = differences.std(ddof=1) / len(differences) ** 0.5
    spread = np.std(found["fp32"], ddof=1)
    lines = [
        "## Accuracy in bf16",
        "",
        "The demo in miniature (`python -m benchmarks.parity`): "
        f"{SETTINGS['data']['train_per_label']} images per label, nuisance "
        f"{SETTINGS['data']['nuisance']}, {SETTINGS['training']['epochs']} epochs. "
        "Validation accuracy of the same seeds:",
        "",
        "| precision | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean |",
        "|---|" + "---|" * (len(seeds) + 1),
    ]
    for precision, row in found.items():
        cells = " | ".join(f"{value:.3f}" for value in row)
        lines.append(f"| {precision} | {cells} | {np.mean(row):.3f} |")
    return [
        *lines,
        "",
        f"Difference bf16 − fp32: {differences.mean():+.4f} ± {error:.4f} (standard error over seeds); the "
        f"seeds themselves differ by {spread:.4f} (standard deviation).",
        "",
    ]


if __name__ == "__main__":
    print("\n".join(section(measure())))
