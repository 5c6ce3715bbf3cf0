"""The registry of variables: every variable of every kind of file, declared once in the YAML files here.

`common.yaml` has the dimensions in their order, the coordinates and global attributes that any kind may have,
and the suffixes of variables that belong to another one (`snr_stderr` to `snr`). The other files declare the
kinds: variables by their dimensions, each with what it means. Writers, the validator, `docs/data-format.md`
and the headings of tables read the registry through :data:`KINDS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from symbreak.packaged import read_packaged

SCHEMA_VERSION = "2.0"
P1, P2 = "arXiv:2501.12900", "arXiv:2506.23832"

#: Word for a dtype in the registry -> kinds of NumPy dtypes that hold it.
DTYPES = {"float": "fiu", "integer": "iub", "text": "UOS"}


@dataclass(frozen=True)
class Variable:
    """One variable of a kind of file.

    Attributes
    ----------
    dims, other_dims
        Dimensions in their order, `seed` aside; `other_dims` are allowed in their place.
    long_name, symbol, equation, source, unit, dtype
        Meaning; `source` names the place in P1 or P2, `dtype` is a key of `DTYPES`.
    suffixes
        Suffixes with which it comes too; `alone`: whether it comes without one.
    present, finite
        Whether every file has it, and whether each of its numbers must be finite.
    """

    dims: tuple[str, ...]
    long_name: str
    symbol: str = ""
    equation: str = ""
    source: str = ""
    unit: str = "1"
    dtype: str = "float"
    other_dims: tuple[str, ...] | None = None
    suffixes: tuple[str, ...] = ()
    alone: bool = True
    present: bool = False
    finite: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of the variable in a file, named as CF does."""
        known = {"long_name": self.long_name, "units": self.unit}
        known |= {"symbol": self.symbol, "equation": self.equation}
        return known | ({"references": full_source(self.source)} if self.source else {})


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes
    ----------
    about, folder
        What it holds, and where such a file lies below the folder of its network.
    settings
        Sections of the experiment that determine its numbers.
    per_seed
        Whether its numbers belong to seeds, so that it has the coordinate `seed`.
    declared
        Variables as they are declared; `variables` has those with suffixes as well.
    """

    about: str
    declared: Mapping[str, Variable]
    variables: Mapping[str, Variable]
    folder: str = ""
    settings: tuple[str, ...] = ()
    per_seed: bool = True


def full_source(source: str) -> str:
    """Write P1 and P2 out.

    Examples
    --------
    >>> full_source("P1 Table 1")
    'arXiv:2501.12900 Table 1'
    """
    return source.replace("P1", P1).replace("P2", P2)


def _read(name: str) -> dict[str, Any]:
    return read_packaged(__name__, name)


def _variables(by_dims: Mapping[str, Any]) -> dict[str, Variable]:
    """Variables of a part of the registry, which lists them by their dimensions."""
    return {
        name: _variable(dims, dict(entry))
        for dims, entries in by_dims.items()
        for name, entry in entries.items()
    }


def _variable(dims: str, entry: dict[str, Any]) -> Variable:
    must_be = entry.pop("must_be", "").split()
    other = entry.pop("or_dims", None)
    return Variable(
        dims=_dims(dims),
        other_dims=_dims(other) if other else None,
        suffixes=tuple(entry.pop("with", "").split()),
        present="present" in must_be,
        finite="finite" in must_be,
        **entry,
    )


def _dims(words: str) -> tuple[str, ...]:
    return () if words == "scalar" else tuple(words.split())


_COMMON = _read("common.yaml")

#: Order of the dimensions in every file.
DIMENSIONS: dict[str, Variable] = {
    name: Variable(dims=(name,), **entry) for name, entry in _COMMON["dimensions"].items()
}
#: Coordinates that any kind of file may have besides those of its dimensions.
COORDINATES: dict[str, Variable] = _variables(_COMMON["coordinates"])
#: Suffix of a variable -> words before the meaning of the variable that it belongs to.
SUFFIXES: dict[str, str] = _COMMON["suffixes"]
#: Global attributes of every file.
GLOBALS: dict[str, str] = _COMMON["attributes"]


def _with_suffixes(declared: Mapping[str, Variable]) -> dict[str, Variable]:
    """Variables as files name them: those that come alone, and those with suffixes."""
    found = {name: variable for name, variable in declared.items() if variable.alone}
    for name, variable in declared.items():
        for suffix in variable.suffixes:
            found[f"{name}_{suffix}"] = replace(
                variable,
                long_name=SUFFIXES[suffix] + variable.long_name,
                unit="1" if suffix in ("p", "q") else variable.unit,
                dtype="float",
                suffixes=(),
                present=False,
                finite=False,
            )
    return found


def _kinds() -> Iterator[tuple[str, Kind]]:
    """Kinds of all files of the registry; those without a folder are groups that others include."""
    files = [entry.name for entry in resources.files(__name__).iterdir() if entry.name.endswith(".yaml")]
    parts = {
        name: part for file in sorted(files) if file != "common.yaml" for name, part in _read(file).items()
    }
    own = {name: _variables(part["variables"]) for name, part in parts.items()}
    for name, part in parts.items():
        declared: dict[str, Variable] = {}
        for included in part.get("includes", []):
            declared |= _included(own[included["group"]], included)
        declared |= own[name] | _variables(part.get("coordinates", {}))
        yield (
            name,
            Kind(
                about=part["about"],
                declared=declared,
                variables=_with_suffixes(declared),
                folder=part.get("folder", ""),
                settings=tuple(part.get("settings", "").split()),
                per_seed=part.get("seeds") != "none",
            ),
        )


def _included(group: Mapping[str, Variable], settings: Mapping[str, str]) -> dict[str, Variable]:
    """Variables of a group as another kind has them: with a prefix, words before the meaning, dimensions."""
    prefix, words, dims = (settings.get(name, "") for name in ("prefix", "words", "dims"))
    return {
        prefix + name: replace(
            variable,
            long_name=f"{words}: {variable.long_name}" if words else variable.long_name,
            dims=_dims(dims) if dims else variable.dims,
            # What has a prefix is left out as a whole in some files, and NaN in blocks of fewer heads.
            present=variable.present and not prefix,
            finite=variable.finite and not prefix,
        )
        for name, variable in group.items()
    }


#: Kinds of datasets by name; those without a folder are no files.
KINDS: dict[str, Kind] = dict(_kinds())
#: Kinds of files.
FILES: dict[str, Kind] = {name: kind for name, kind in KINDS.items() if kind.folder}


def meaning_of(name: str) -> str:
    """What a column of that name means in a table, with its equation; nothing where kinds of files differ.

    Averages over matrices come first: tables show them and not the single matrices.

    Examples
    --------
    >>> meaning_of("potts_order")
    'Potts order of the labels: <(H max_h p_hl - 1)/(H - 1)>'
    """
    averages = KINDS["averages"]
    found = {
        f"{variable.long_name}: {variable.equation}" if variable.equation else variable.long_name
        for kind in ([averages] if name in averages.variables else FILES.values())
        if (variable := kind.variables.get(name))
    }
    return found.pop() if len(found) == 1 else ""
