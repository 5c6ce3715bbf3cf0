"""symbreak: how attention heads and nodes of a trained network divide labels among themselves.

Parts and figures (``symbreak.plot_…``, see :mod:`symbreak.results.figures`) are
imported when they are first used, so that the numpy wing never pays for torch:

>>> import symbreak
>>> result = symbreak.observables.signal_to_noise(14.6, 417.2, 2.93, n_matrices=256, n_labels=100)
>>> round(result.snr, 2)
3.28

Importing the package registers the accessor ``dataset.symbreak`` with xarray.
"""

from __future__ import annotations

import importlib
from typing import Any

from symbreak import _registration

__version__ = "0.1.0"

_PARTS = (
    "clusters",
    "config",
    "data",
    "errors",
    "learning",
    "matrices",
    "measure",
    "models",
    "numerics",
    "observables",
    "papers",
    "planted",
    "printed",
    "pruning",
    "results",
    "store",
    "taps",
)


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f"symbreak.{name}")
    if name.startswith("plot_"):
        figures = importlib.import_module("symbreak.results.figures")
        if name in figures.__all__:
            return getattr(figures, name)
    raise AttributeError(f"module 'symbreak' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PARTS])


_registration.with_xarray("symbreak.matrices.accessor")
