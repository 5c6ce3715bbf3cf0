"""Read an experiment, from a file or from a command line, and say in one sentence what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from symbreak.config import strict
from symbreak.config.experiment import Experiment
from symbreak.config.sentences import kinds_at, sentence
from symbreak.errors import SymbreakError

#: An experiment file is smaller.
LARGEST_FILE = 256 * 1024


def read(path: str | Path) -> Experiment:
    """Read and validate an experiment file.

    Parameters
    ----------
    path : path
        A YAML file whose keys are those of `Experiment`.

    Raises
    ------
    SymbreakError
        If the file is missing, is not YAML, or a key or value is wrong.

    Examples
    --------
    >>> read("config/demo.yaml").data.name
    'diacritics'
    """
    return parse(_load(path), source=str(path))


def _load(path: str | Path) -> Any:
    """Values of an experiment file."""
    try:
        with Path(path).open(encoding="utf-8-sig") as handle:
            text = handle.read(LARGEST_FILE)
            rest = handle.read(1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise SymbreakError(f"Cannot read the experiment file {path}: {reason}; check the path.") from error
    if rest:
        raise SymbreakError(f"{path} is too large for an experiment file; check the path.")
    return strict.load(text, str(path))


def parse(settings: Any, source: str = "configuration") -> Experiment:
    """Validate settings that were read from `source`.

    Raises
    ------
    SymbreakError
        Naming the first wrong key, its place and the cure.

    Examples
    --------
    >>> parse({"name": "mine", "networks": {"small": {"dim": 64}}}).networks["small"].dim
    64
    """
    if not isinstance(settings, dict):
        raise SymbreakError(f"{source} holds no keys; it must be a mapping such as `name: demo`.")
    try:
        return Experiment.model_validate(settings)
    except ValidationError as error:
        raise SymbreakError(f"{source}: {sentence(_telling(error.errors()), settings)}") from None


def _telling(errors: list[Any]) -> Any:
    """The first error; of a key with several forms, that of the form in which its value was written."""
    first = errors[0]
    same = [error for error in errors if error["loc"][:-1] == first["loc"][:-1]]
    fits = [e for e in same if e["type"] != "literal_error" and not e["type"].endswith("_type")]
    return fits[0] if first["type"] == "literal_error" and fits else first


def combine(
    files: Iterable[str | Path], given: Mapping[str, Any], arguments: Iterable[str] = ()
) -> dict[str, Any]:
    """Settings of experiment files and of ``snakemake --config key=value``, later ones over earlier ones.

    Snakemake reads files by YAML 1.1 and hands over most of what a command line gives as text. Here files
    are read anew, and text becomes what it is in a file, or stays text where the key wants text.

    Parameters
    ----------
    files : iterable of path
        Experiment files.
    given : mapping
        What ``--config`` gave, as Snakemake has parsed it.
    arguments : iterable of str
        The command line, in which ``key=value`` is looked at for keys given twice.

    Raises
    ------
    SymbreakError
        If a file or an argument is not YAML, or gives a key twice.

    Examples
    --------
    >>> combine([], {"data": {"seed": "010"}, "committee": "null", "name": "010"})
    {'data': {'seed': 10}, 'committee': None, 'name': '010'}
    """
    keys = [word.partition("=") for word in arguments if word.partition("=")[0] in Experiment.model_fields]
    for number, (key, _, value) in enumerate(keys):
        strict.load(value, f"--config {key}")
        if key in [earlier for earlier, *_ in keys[:number]]:
            raise SymbreakError(f"--config gives the key `{key}` twice; give it once.")
    empty = [key for key, value in given.items() if value is None]
    if empty:  # the jobs of Snakemake would be told a text in its place
        raise SymbreakError(f"--config {empty[0]}= gives no value; write {empty[0]}=null.")
    settings: dict[str, Any] = {}
    for path in files:
        loaded = _load(path)
        if not isinstance(loaded, dict):
            parse(loaded, str(path))  # says so
        settings = _over(settings, loaded)
    return _over(settings, {key: _resolved(value, [key]) for key, value in given.items()})


def _over(below: Any, above: Any) -> Any:
    """Lay mappings over each other, key by key."""
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _over(below.get(key), part) for key, part in above.items()}
    return above


def _resolved(value: Any, place: list[str]) -> Any:
    """Value of which all parts are text, each as the experiment file would have it."""
    if isinstance(value, Mapping):
        return {key: _resolved(part, [*place, str(key)]) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_resolved(part, place) for part in value]
    if not isinstance(value, str):
        return value
    read, kinds = strict.scalar(value), kinds_at(place)
    return value if str in kinds and not (read is None and type(None) in kinds) else read


def dump(settings: dict[str, Any]) -> str:
    """Write settings as YAML, in their order; texts that YAML 1.1 or 1.2 takes for anything else in quotes.

    Examples
    --------
    >>> dump({"name": "mine", "title": "2024_06"})
    "name: mine\\ntitle: '2024_06'\\n"
    """
    return yaml.dump(settings, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Puts into quotes what one of the two versions of YAML would not read as text."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = isinstance(strict.scalar(text), str)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else "'")


_Dumper.add_representer(str, _text)
