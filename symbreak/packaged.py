"""YAML files of the package itself: registries, printed values."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

#: Reads safe types only; the one in C is ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_packaged(package: str, name: str) -> Any:
    """Read a YAML file that lies in a package of ours.

    Examples
    --------
    >>> sorted(read_packaged("symbreak.printed", "published_tables.yaml"))[:2]  # doctest: +ELLIPSIS
    [...]
    """
    return yaml.load(files(package).joinpath(name).read_text(encoding="utf-8"), Loader=_LOADER)
