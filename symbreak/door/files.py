"""Features in files become moments, moments in files become a study."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from symbreak.config import Heads, Statistics
from symbreak.door.answers import Study
from symbreak.errors import SymbreakError
from symbreak.features import moments
from symbreak.features.given import read_npz
from symbreak.features.solving import Solver
from symbreak.store import open_dataset, write_dataset
from symbreak.store.joining import join_seeds


def import_features(
    path: str | Path,
    folder: str | Path,
    *,
    heads: int | Sequence[int] | None = None,
    tap: str = "attention",
    solver: Solver = "ridge",
    folds: int = 5,
    architecture: str | None = None,
    dataset: str = "unknown data",
) -> Path:
    """Make ``moments/{tap}.nc`` in a folder from pooled features in a file of `numpy.savez`.

    Parameters
    ----------
    path : path
        Holds ``labels`` and ``block1``, ``block2``, … (or ``features`` of one block), each (inputs, nodes);
        ``split``, ``label_names`` and ``superclasses`` may be there.
    folder : path
        Of the network, or of one of its seeds, ``seed1``, whose number is taken from the name.
    heads, tap, solver, folds, architecture, dataset
        As for `symbreak.moments`.

    Raises
    ------
    SymbreakError
        If the file is missing or its arrays do not fit.
    """
    arrays = read_npz(path)
    blocks = {int(m[1]): arrays[name] for name in arrays if (m := re.fullmatch(r"block_?(\d+)", name))}
    if "features" in arrays and not blocks:
        blocks = {1: arrays["features"]}
    if not blocks or "labels" not in arrays:
        raise SymbreakError(
            f"{path} holds {', '.join(arrays) or 'nothing'}; it must hold `labels` and `block1`, `block2`, …."
        )
    number = re.fullmatch(r"seed(\d+)", Path(folder).name)
    table = moments(
        blocks,
        arrays["labels"],
        heads=heads,
        split=arrays.get("split"),
        solver=solver,
        folds=folds,
        label_names=[str(name) for name in arrays["label_names"]] if "label_names" in arrays else None,
        superclass=[str(name) for name in arrays["superclasses"]] if "superclasses" in arrays else None,
        architecture=architecture or Path(path).stem,
        dataset=dataset,
        tap=tap,
        seed=int(number[1]) if number else 0,
    )
    target = Path(folder) / "moments" / f"{tap}.nc"
    write_dataset(target, table, "moments", table.attrs)
    return target


def study_files(
    folder: str | Path, statistics: Statistics | None = None, heads: Heads | None = None
) -> list[Path]:
    """Write what follows from the moments files in a folder, or in its folders ``seed1``, ``seed2``, ….

    Statistics, heads and nodes of every tap go next to them, with the explorer of all matrices; those of
    several seeds are joined in the folder.

    Returns
    -------
    list of Path
        Pages that were written.

    Raises
    ------
    SymbreakError
        If there are no moments files, or seeds with different taps.
    """
    folder = Path(folder)
    seeds = sorted(path.parent for path in folder.glob("seed*/moments") if path.is_dir())
    if not seeds:
        return [Study(read_moments(folder), statistics, heads).save(folder) / "page.html"]
    studies = [Study(read_moments(seed), statistics, heads) for seed in seeds]
    if len({study.taps for study in studies}) > 1:
        raise SymbreakError(f"The seeds in {folder} have different taps; open the same in each.")
    pages = [study.save(seed) / "page.html" for study, seed in zip(studies, seeds)]
    if len(studies) > 1:
        joined = Study(studies[0].all_moments, statistics, heads)
        numbers = [int(study.moments(study.taps[0]).attrs["seed"]) for study in studies]
        if len(set(numbers)) < len(numbers):
            raise SymbreakError(f"Two networks in {folder} have one seed ({numbers}); give each its own.")
        for kind, tap in studies[0].tables():
            table = join_seeds([study.table(kind, tap) for study in studies], numbers)
            attributes = studies[0].moments(tap).attrs | {"title": f"{kind} at {tap}", "seed": numbers}
            joined.replace(kind, tap, table.assign_attrs(attributes | table.attrs))
            write_dataset(folder / kind / f"{tap}.nc", table, kind, attributes)
        pages.append(joined.page(folder / "page.html"))
        from symbreak.explorer.choosing import moments_files

        joined.explorer(folder / "explorer.html", moments_files(folder))
    return pages


def read_moments(folder: Path) -> dict[str, xr.Dataset]:
    """Moments of every tap in a folder.

    Raises
    ------
    SymbreakError
        If there are none.
    """
    found = {}
    for path in sorted((folder / "moments").glob("*.nc")):
        with open_dataset(path, "moments") as table:
            found[path.stem] = table.load()
    if not found:
        raise SymbreakError(f"There are no moments files in {folder}/moments; measure or import some first.")
    return found
