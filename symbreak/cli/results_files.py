"""Open what tables and figures are made of; write what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from symbreak.config import Experiment

#: Dots per inch of PNG files.
RESOLUTION = 160


def open_by_tap(paths: Sequence[Path], kind: str) -> dict[str, xr.Dataset]:
    """Files of one kind by tap, in the order of the data flow, those of one tap joined over seeds."""
    from symbreak.config.taps import TAPS

    found: dict[str, list[xr.Dataset]] = {}
    for path in paths:
        found.setdefault(path.stem, []).append(load(path, kind))
    order = sorted(found, key=lambda tap: list(TAPS).index(tap) if tap in TAPS else len(TAPS))
    return {tap: _joined(found[tap], tap) for tap in order}


def open_one(paths: Sequence[Path], kind: str) -> tuple[str, xr.Dataset]:
    """The tap and the data of files that belong to one tap."""
    datasets = open_by_tap(paths, kind)
    if len(datasets) > 1:
        raise SymbreakError(f"The files are of several taps ({', '.join(datasets)}); give those of one.")
    return next(iter(datasets.items()))


def open_each(paths: Sequence[Path], kind: str) -> tuple[str, list[xr.Dataset]]:
    """The tap and the files of one tap, one by one."""
    if len({path.stem for path in paths}) > 1:
        raise SymbreakError("The files are of several taps; give those of one.")
    return paths[0].stem, [load(path, kind) for path in paths]


def load(path: Path, kind: str) -> xr.Dataset:
    """Read one file of ours as a whole."""
    from symbreak.store import open_dataset, read_values

    with open_dataset(path, kind) as dataset:
        for variable in dataset.variables:
            read_values(dataset[variable], str(path))
        return dataset.load()


def _joined(datasets: list[xr.Dataset], tap: str) -> xr.Dataset:
    from symbreak.store.joining import join_seeds

    if len(datasets) == 1:
        return datasets[0]
    if any("seed" in dataset.dims for dataset in datasets):
        raise SymbreakError(
            f"Several files of tap {tap}, and one is joined over seeds already; give that one only."
        )
    seeds = [int(dataset.attrs["seed"]) for dataset in datasets]
    if len(set(seeds)) < len(seeds):
        raise SymbreakError(f"A seed comes twice among {seeds} at tap {tap}; give each file once.")
    return join_seeds(datasets, seeds)


def experiment_of(config: Path | None, dataset: xr.Dataset) -> Experiment:
    """The experiment file, or what the data file keeps of it."""
    from symbreak.config import parse, read

    return (
        read(config)
        if config
        else parse(json.loads(dataset.attrs["config"]), "the experiment in the data file")
    )


def histories(paths: Sequence[Path]) -> dict[int, pd.DataFrame]:
    """Training histories by seed; the seed is in the name of the folder."""
    import pandas as pd

    from symbreak.store.tables import require_history

    found = {}
    for number, path in enumerate(paths, 1):
        named = re.fullmatch(r"seed(\d+)", path.absolute().parent.name)
        require_history(path)
        found[int(named[1]) if named else number] = pd.read_csv(path)
    return found


def write_table(table: pd.DataFrame, title: str, csv: Path | None, html: Path | None, note: str = "") -> None:
    """Write a table as CSV and HTML, or print it."""
    from symbreak.results.render import to_html
    from symbreak.store.atomic import replacing_text

    if csv is None and html is None:
        print(table.to_string(index=False))
    if csv is not None:
        replacing_text(csv, table.to_csv(index=False))
    if html is not None:
        replacing_text(html, to_html(table, title, note))


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the name of the file says."""
    from symbreak.store import replacing

    if path.suffix not in {".png", ".pdf", ".svg"}:
        raise SymbreakError(f"{path} does not end in .png, .pdf or .svg; choose one of them.")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=RESOLUTION)
