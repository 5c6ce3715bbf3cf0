"""symbreak: how attention heads and nodes of a trained network divide labels among themselves.

Parts and figures (``symbreak.plot_…``, see :mod:`symbreak.results.figures`) are
imported when they are first used, so that the numpy wing never pays for torch:

>>> import symbreak
>>> result = symbreak.observables.signal_to_noise(14.6, 417.2, 2.93, n_matrices=256, n_labels=100)
>>> round(result.snr, 2)
3.28

Importing the package registers the accessor ``dataset.symbreak`` with xarray. Only the
command line, which has no use for it, does not wait for xarray to be imported.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

try:
    from symbreak._version import version as __version__  # written when the package is built
except ImportError:
    __version__ = "0+checkout"  # used from a checkout that was never installed

_PARTS = (
    "clusters",
    "config",
    "data",
    "door",
    "errors",
    "features",
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


#: Functions that are found in the package itself, and the part that they are of.
_FUNCTIONS = {"moments": "features", "study": "door"}


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f"symbreak.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"symbreak.{_FUNCTIONS[name]}"), name)
    if name.startswith("plot_"):
        figures = importlib.import_module("symbreak.results.figures")
        if name in figures.__all__:
            return getattr(figures, name)
    raise AttributeError(f"module 'symbreak' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PARTS, *_FUNCTIONS])


def _is_command_line() -> bool:
    """Whether the interpreter was started as ``symbreak …`` or ``python -m symbreak …``."""
    words = sys.orig_argv[1:3]
    return words == ["-m", "symbreak"] or os.path.basename(words[0] if words else "") == "symbreak"


def _register_accessor() -> None:
    import xarray

    if hasattr(xarray, "register_dataset_accessor"):  # else xarray itself is just being imported
        importlib.import_module("symbreak.accessor")


if not _is_command_line():
    _register_accessor()
