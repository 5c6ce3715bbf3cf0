"""An experiment that trains in a second, for tests."""

from symbreak.config import parse

SETTINGS = {
    "name": "tiny",
    "seeds": [1, 2],
    "data": {"name": "diacritics", "train_per_label": 4, "validation_per_label": 5},
    "networks": {"small": {"architecture": "cct_2_3x2", "dim": 16, "heads": [2, 4], "inner_channels": 8}},
    "training": {
        "epochs": 3,
        "batch_size": 50,
        "warmup_epochs": 1,
        "cooldown_epochs": 0,
        "schedule_update": "step",
        "random_resized_crop": 0.8,
        "checkpoint_seconds": 0,
    },
    "probes": {
        "taps": ["attention", "block", "linear1"],
        "epochs": 2,
        "batch_size": 50,
        "checkpoint_seconds": 0,
    },
    "measurement": {"batch_size": 64},
    "statistics": {"thresholds": 9},
    "compute": {"device": "cpu", "precision": "fp32"},
}


def experiment(**changes):
    """Settings with some sections changed."""
    return parse(SETTINGS | {key: SETTINGS.get(key, {}) | value for key, value in changes.items()})
