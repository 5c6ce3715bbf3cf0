"""Read an experiment file and say in one sentence what is wrong with it."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from symbreak.config.experiment import Experiment
from symbreak.errors import SymbreakError


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
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise SymbreakError(f"Cannot read the experiment file {path}: {reason}; check the path.") from error
    try:
        settings = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SymbreakError(f"{path} is not valid YAML{where}; mend the syntax there.") from error
    return parse(settings, source=str(path))


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
        raise SymbreakError(f"{source}: {_sentence(error.errors()[0])}") from None


def dump(settings: dict[str, Any]) -> str:
    """Write settings as YAML, in their order.

    Examples
    --------
    >>> dump({"name": "mine"})
    'name: mine\\n'
    """
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def _sentence(problem: Any) -> str:
    place = [str(part) for part in problem["loc"] if not _is_alternative(part)]
    key = ".".join(place) or "the top level"
    kind = problem["type"]
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], _known_keys(place[:-1]), n=1)
        advice = (
            f"did you mean `{near[0]}`?"
            if near
            else "remove it; known are " + ", ".join(_known_keys(place[:-1]))
        )
        return f"the key `{key}` is unknown; {advice}"
    if kind == "missing":
        return f"the key `{key}` is missing; add it."
    message = problem["msg"].removeprefix("Value error, ")
    value = problem["input"]
    shown = f", got {value!r}" if not isinstance(value, dict | BaseModel) else ""
    return f"the key `{key}` is wrong: {message[:1].lower()}{message[1:]}{shown}; correct it."


def _is_alternative(part: Any) -> bool:
    """Tell pydantic's labels of union members from keys."""
    return isinstance(part, str) and (part in {"int", "bool", "str", "float"} or "[" in part)


def _known_keys(place: list[str]) -> list[str]:
    """Keys of the section at `place`; a name under `networks` stands for any network."""
    section: type[BaseModel] = Experiment
    for part in place:
        field = section.model_fields.get(part)
        if field is not None:
            sections = [t for t in _members(field.annotation) if issubclass(t, BaseModel)]
            section = sections[0] if sections else section
    return sorted(section.model_fields)


def _members(annotation: Any) -> list[type]:
    found = [annotation] if isinstance(annotation, type) else []
    for argument in getattr(annotation, "__args__", ()):
        found += _members(argument)
    return found
