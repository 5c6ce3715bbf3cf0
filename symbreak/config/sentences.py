"""What is wrong with a value of an experiment, in one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from symbreak.config.experiment import Experiment
from symbreak.config.section import LARGEST_NUMBER, PATTERNS
from symbreak.config.strict import printed

#: Kind of a problem -> what mends it.
_CURES = {
    "string_type": "put it in quotes",
    "bool_type": "write true or false",
    "int_type": "write it in digits without quotes",
    "float_type": "write it in digits without quotes",
}


def sentence(problem: Any, settings: Mapping[str, Any]) -> str:
    """Sentence on the first problem that pydantic found in `settings`."""
    kind, place = problem["type"], _place(problem, settings)
    if kind == "rule":  # between keys
        return f"the key `{problem['ctx']['key']}` is wrong: {problem['msg']}."
    key = printed(".".join(place))
    if kind == "missing":
        return f"the key `{key}` is missing; add it."
    if kind == "extra_forbidden":
        known = _known_keys(place[:-1])
        near = difflib.get_close_matches(place[-1], known, n=1)
        advice = f"did you mean `{near[0]}`?" if near else f"remove it; known are {', '.join(known)}"
        return f"the key `{key}` is unknown; {advice}"
    value = problem["input"]
    message = _message(kind, problem, value)
    if kind == "too_short" and problem["ctx"]["min_length"] == 1:
        message = f"give at least one {place[-1].removesuffix('s')}"
    shown = f", got {value!r:.100}" if not isinstance(value, dict | BaseModel) else ""
    return f"the key `{key}` is wrong: {message}{shown}; {_CURES.get(kind, 'correct it')}."


def _message(kind: str, problem: Any, value: Any) -> str:
    if kind == "string_unicode" or (isinstance(value, str) and not value.isprintable()):
        return "it must be one line of printable text"
    if kind == "string_pattern_mismatch":
        return PATTERNS[problem["ctx"]["pattern"]]
    if kind.startswith("less_than") and isinstance(value, int) and value > LARGEST_NUMBER:
        return "the number is too large"
    message = problem["msg"].removeprefix("Value error, ")[:500]
    return message[:1].lower() + message[1:]


def _place(problem: Any, settings: Any) -> list[str]:
    """Keys that lead to a problem, without pydantic's names for the members of unions."""
    place, value = [], settings
    for part in problem["loc"]:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        elif problem["type"] != "missing" or part != problem["loc"][-1]:
            continue
        place.append(str(part))
    return place


def _known_keys(place: list[str]) -> list[str]:
    """Keys of the section at `place`; a name under `networks` stands for any network."""
    return sorted(_section_at(place).model_fields)


def kinds_at(place: list[str]) -> list[type]:
    """Types that the value at `place` may have.

    Examples
    --------
    >>> kinds_at(["networks", "small", "heads"])
    [<class 'int'>, <class 'int'>]
    """
    section = _section_at(place[:-1])
    field = section.model_fields.get(place[-1])
    if field is None and len(place) > 1:  # a name in a mapping
        return kinds_at(place[:-1])
    return _members(field.annotation) if field else []


def _section_at(place: list[str]) -> type[BaseModel]:
    section: type[BaseModel] = Experiment
    for part in place:
        field = section.model_fields.get(part)
        if field is not None:
            sections = [kind for kind in _members(field.annotation) if issubclass(kind, BaseModel)]
            section = sections[0] if sections else section
    return section


def _members(annotation: Any) -> list[type]:
    found = [annotation] if isinstance(annotation, type) else []
    for argument in getattr(annotation, "__args__", ()):
        found += _members(argument)
    return found
