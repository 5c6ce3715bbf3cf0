"""What was measured on a network, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
import xarray as xr

from symbreak.config import Heads, Statistics
from symbreak.door.page import write_page
from symbreak.door.units import unit_table
from symbreak.errors import SymbreakError
from symbreak.observables import block_tables, head_tables
from symbreak.store import write_dataset
from symbreak.store.atomic import replacing_text


class Study:
    """What was measured on a network, and what follows from it.

    `study` makes one from a network, `study_files` from moments files.

    Parameters
    ----------
    moments : mapping of str to Dataset
        Moments of every tap, complete with their attributes.
    statistics, heads : Statistics, Heads
        Thresholds, ownership ratio and null draws.
    features : mapping of str to Dataset, optional
        Pooled features of every measured input at every tap.
    """

    def __init__(
        self,
        moments: Mapping[str, xr.Dataset],
        statistics: Statistics | None = None,
        heads: Heads | None = None,
        features: Mapping[str, xr.Dataset] | None = None,
    ) -> None:
        self._moments, self._features = dict(moments), dict(features or {})
        self._settings = statistics or Statistics(), heads or Heads()
        self._found: dict[tuple[str, str], xr.Dataset] = {}

    @property
    def taps(self) -> tuple[str, ...]:
        """Taps that were opened."""
        return tuple(self._moments)

    @property
    def headed_taps(self) -> tuple[str, ...]:
        """Taps at which heads are told apart."""
        return tuple(tap for tap, moments in self._moments.items() if "head_of_node" in moments.coords)

    @property
    def reference_threshold(self) -> float:
        """Threshold of tables and of the labels of units."""
        return self._settings[0].reference_threshold

    @property
    def all_moments(self) -> dict[str, xr.Dataset]:
        """Moments by tap."""
        return dict(self._moments)

    def moments(self, tap: str) -> xr.Dataset:
        """Label means, readout and accuracies at a tap."""
        if tap not in self._moments:
            raise SymbreakError(f"The tap {tap!r} was not opened; choose among {', '.join(self.taps)}.")
        return self._moments[tap]

    def statistics(self, tap: str) -> xr.Dataset:
        """Clusters, cluster size, diagonal, noise and signal-to-noise ratio of every block at a tap."""
        return self._once("statistics", tap)

    def nodes(self, tap: str) -> xr.Dataset:
        """Clusters of every node at a tap."""
        return self._once("nodes", tap)

    def heads(self, tap: str) -> xr.Dataset:
        """Who owns which label at a tap, order parameters and null models."""
        if tap not in self.headed_taps:
            known = ", ".join(self.headed_taps) or "none"
            raise SymbreakError(f"No head is told apart at {tap!r}; taps with heads: {known}.")
        return self._once("heads", tap)

    def units(self, tap: str) -> pd.DataFrame:
        """Plain table of units: block, head or node, label, strength, owned, p and q."""
        heads = self.heads(tap) if tap in self.headed_taps else None
        return unit_table(self.moments(tap), heads, self._settings[0])

    def features(self, tap: str) -> xr.Dataset:
        """Pooled features of every measured input at a tap, where `study` was asked to keep them."""
        if tap not in self._features:
            raise SymbreakError(f"No features of {tap!r} were kept; ask for them by `features=True`.")
        return self._features[tap]

    def page(self, path: str | Path) -> Path:
        """Write the answer as one page of HTML and return its path."""
        return write_page(self, Path(path))

    def explorer(self, path: str | Path, moments: Iterable[Path]) -> Path:
        """Write a page that shows every matrix of some moments files and return its path."""
        from symbreak.explorer import explorer_page

        title = str(self.moments(self.taps[0]).attrs["source"])
        replacing_text(path, explorer_page(title, moments, *self._settings))
        return Path(path)

    def save(self, folder: str | Path) -> Path:
        """Write moments, statistics, nodes, heads and ``units/{tap}.csv`` of every tap, and two pages.

        ``page.html`` is the answer, ``explorer.html`` shows every matrix.
        """
        folder = Path(folder)
        tables = [("moments", tap) for tap in self.taps] + self.tables()
        for kind, tap in tables + [("features", tap) for tap in self._features]:
            attributes = self.moments(tap).attrs | {"title": f"{kind} at {tap}"}
            write_dataset(folder / kind / f"{tap}.nc", self.table(kind, tap), kind, attributes)
        for tap in self.taps:
            replacing_text(folder / "units" / f"{tap}.csv", self.units(tap).to_csv(index=False))
        self.page(folder / "page.html")
        self.explorer(folder / "explorer.html", [folder / "moments" / f"{tap}.nc" for tap in self.taps])
        return folder

    def tables(self) -> list[tuple[str, str]]:
        """Kind and tap of every table that follows from the moments."""
        nodes = [(kind, tap) for tap in self.taps for kind in ("statistics", "nodes")]
        return nodes + [("heads", tap) for tap in self.headed_taps]

    def table(self, kind: str, tap: str) -> xr.Dataset:
        """Table of a kind: moments, features, statistics, nodes or heads."""
        return getattr(self, kind)(tap)

    def replace(self, kind: str, tap: str, table: xr.Dataset) -> None:
        """Put another table in place of one, such as that of several seeds joined."""
        self._found[kind, tap] = table

    def _once(self, kind: str, tap: str) -> xr.Dataset:
        if (kind, tap) not in self._found:
            moments, (statistics, heads) = self.moments(tap), self._settings
            if kind == "heads":
                found = {"heads": head_tables(moments, statistics, heads)}
            else:
                found = dict(zip(("statistics", "nodes"), block_tables(moments, statistics)))
            for name, table in found.items():
                title = {"title": f"{name} at {tap}"}
                self._found[name, tap] = table.assign_attrs(moments.attrs | table.attrs | title)
        return self._found[kind, tap]
