"""Register the xarray accessor as soon as xarray is there, without importing xarray.

Importing xarray takes half a second, which ``symbreak --help`` need not pay.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType


class _AfterXarray(importlib.abc.MetaPathFinder):
    """Finds xarray as usual, once, and imports the accessor after it."""

    def __init__(self, accessor: str) -> None:
        self.accessor = accessor

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "xarray":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        execute, accessor = spec.loader.exec_module, self.accessor

        def execute_then_register(module: ModuleType) -> None:
            execute(module)
            importlib.import_module(accessor)

        spec.loader.exec_module = execute_then_register  # type: ignore[method-assign]
        return spec


def with_xarray(accessor: str) -> None:
    """Import the module `accessor` now if xarray is imported, else right after it."""
    if "xarray" in sys.modules:
        importlib.import_module(accessor)
    else:
        sys.meta_path.insert(0, _AfterXarray(accessor))
