"""Networks that can be trained and opened at any tap."""

from symbreak.models.cct import CCT
from symbreak.models.files import load, save
from symbreak.models.official import load_official
from symbreak.models.probe import Probe, ProbeSet, tap_widths
from symbreak.models.registry import build, count_parameters

__all__ = [
    "CCT",
    "Probe",
    "ProbeSet",
    "build",
    "count_parameters",
    "load",
    "load_official",
    "save",
    "tap_widths",
]
