"""Networks that can be trained and opened at any tap."""

from symbreak.models.cct import CCT
from symbreak.models.cnn import CNN
from symbreak.models.files import load, load_network, save
from symbreak.models.masks import apply_masks, count_kept, masks_of, without_masks
from symbreak.models.official import load_official, read_official
from symbreak.models.probe import FilterProbe, Probe, ProbeSet, tap_widths
from symbreak.models.registry import Trunk, build, count_parameters, create

__all__ = [
    "CCT",
    "CNN",
    "FilterProbe",
    "Probe",
    "ProbeSet",
    "Trunk",
    "apply_masks",
    "build",
    "count_kept",
    "count_parameters",
    "create",
    "load",
    "load_network",
    "load_official",
    "masks_of",
    "read_official",
    "save",
    "tap_widths",
    "without_masks",
]
