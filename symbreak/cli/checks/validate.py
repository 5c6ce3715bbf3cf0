"""Check files of ours: experiment files, NetCDF results, weights, histories and tables."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.cli.verb import Verb
from symbreak.errors import NotFound, SymbreakError, missing_extra

if TYPE_CHECKING:
    from symbreak.config import Experiment


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `validate`."""
    parser.add_argument("files", type=Path, nargs="+", help="files or folders to check")


def run(options: Namespace) -> None:
    """Check files, and in folders all files that can be checked, also against the experiment they lie in."""
    wrong: list[SymbreakError] = []
    count = 0
    for path in _files(options.files):
        count += 1
        try:
            print(f"{path}: {CHECKS.get(path.suffix, _unknown)(path)}")
        except SymbreakError as error:
            wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    for problem in wrong:
        print(problem, file=sys.stderr)
    if wrong:
        raise SymbreakError(f"{len(wrong)} of {count} files are not found in order; see the sentences above.")


def _files(paths: list[Path]) -> list[Path]:
    """The files that are named, and those below the folders that are named, without hidden ones."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        below = [file for file in sorted(path.rglob("*")) if file.suffix in CHECKS and file.is_file()]
        below = [f for f in below if not any(part.startswith(".") for part in f.relative_to(path).parts)]
        if not below:
            raise SymbreakError(f"The folder {path} holds no file of ours; name one with results.")
        found += below
    return found


def _experiment(path: Path) -> str:
    from symbreak.config import read

    return f"experiment {read(path).name}"


@cache
def _experiment_of(folder: Path) -> Experiment | None:
    """Experiment whose results lie in a folder, or in one above it."""
    from symbreak.config import read

    places = [place / "experiment.yaml" for place in (folder, *folder.parents)]
    return next((read(place) for place in places if place.is_file()), None)


def _weights(path: Path) -> str:
    try:
        from symbreak.models import load
    except ModuleNotFoundError as absent:
        raise missing_extra(f"{path} cannot be checked: {absent.name}", "torch") from absent
    from symbreak.store.provenance import require_trained_by

    model, header = load(path)
    experiment = _experiment_of(path.absolute().parent)
    if experiment and "seed" in header and "pruning" not in path.parts:
        require_trained_by(experiment, header, path)
    kind = "probes of" if "probes" in header else "weights of"
    if not all(tensor.isfinite().all() for tensor in model.state_dict().values()):
        raise SymbreakError(f"The weights {path} are not all finite; train again with a lower learning rate.")
    return f"{kind} {header.get('name', 'a network')}"


def _table(path: Path) -> str:
    from symbreak.store.tables import check_csv

    return check_csv(path)


def _netcdf(path: Path) -> str:
    from symbreak.store import open_dataset, read_values
    from symbreak.store.provenance import require_of

    experiment = _experiment_of(path.absolute().parent)
    with open_dataset(path) as dataset:
        if experiment:
            require_of(experiment, dataset.attrs, path)
        for variable in dataset.variables:
            read_values(dataset[variable], str(path))
        return f"{dataset.attrs['symbreak_kind']}, schema {dataset.attrs['schema_version']}"


def _unknown(path: Path) -> str:
    if not path.exists():
        raise NotFound(f"There is no file {path}; check the path.")
    raise SymbreakError(
        f"{path} is of no kind that can be checked; name files ending in {', '.join(CHECKS)}."
    )


#: How files are checked, by their suffix.
CHECKS = {
    ".csv": _table,
    ".nc": _netcdf,
    ".safetensors": _weights,
    ".yaml": _experiment,
    ".yml": _experiment,
}


VERB = Verb(
    "validate",
    "check files of ours, or all in a folder: experiments, NetCDF results, weights, histories, tables",
    "config/demo.yaml results/demo",
    arguments,
    run,
)
