"""The typed description of an experiment: one source for schema, defaults and docs."""

from symbreak.config.committee import Committee
from symbreak.config.convolutions import FilterMap, filter_maps, halves
from symbreak.config.data import N_LABELS, Data
from symbreak.config.evolution import Evolution
from symbreak.config.experiment import Compute, Experiment, Heads, Measurement, Statistics
from symbreak.config.latency import Latency
from symbreak.config.learning import Probes, Training
from symbreak.config.network import Network
from symbreak.config.pruning import LAYER_TAPS, METHODS, READOUT, Pruning, Study
from symbreak.config.reading import combine, dump, parse, read
from symbreak.config.taps import FILTER_TAPS, HEADED_TAPS, RESIDUAL_TAPS, TAPS

__all__ = [
    "FILTER_TAPS",
    "HEADED_TAPS",
    "LAYER_TAPS",
    "METHODS",
    "N_LABELS",
    "READOUT",
    "RESIDUAL_TAPS",
    "TAPS",
    "Committee",
    "Compute",
    "Data",
    "Evolution",
    "Experiment",
    "FilterMap",
    "Heads",
    "Latency",
    "Measurement",
    "Network",
    "Probes",
    "Pruning",
    "Statistics",
    "Study",
    "Training",
    "combine",
    "dump",
    "filter_maps",
    "halves",
    "parse",
    "read",
]
