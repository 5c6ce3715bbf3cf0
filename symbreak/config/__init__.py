"""The typed description of an experiment: one source for schema, defaults and docs."""

from symbreak.config.experiment import (
    Compute,
    Data,
    Experiment,
    Heads,
    Measurement,
    Network,
    Probes,
    Statistics,
    Training,
)
from symbreak.config.reading import dump, parse, read
from symbreak.config.taps import HEADED_TAPS, RESIDUAL_TAPS, TAPS

__all__ = [
    "HEADED_TAPS",
    "RESIDUAL_TAPS",
    "TAPS",
    "Compute",
    "Data",
    "Experiment",
    "Heads",
    "Measurement",
    "Network",
    "Probes",
    "Statistics",
    "Training",
    "dump",
    "parse",
    "read",
]
