"""Read an experiment file and say in one sentence what is wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from symbreak.config.experiment import Experiment
from symbreak.errors import SymbreakError

#: An experiment file is smaller, and holds fewer keys and values, aliases written out.
LARGEST_FILE, MOST_VALUES = 256 * 1024, 50_000

#: Whole numbers beyond these fit into no file of ours.
LARGEST_NUMBER = 2**63 - 1


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
        with path.open(encoding="utf-8") as handle:
            text = handle.read(LARGEST_FILE)
            rest = handle.read(1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        raise SymbreakError(f"Cannot read the experiment file {path}: {reason}; check the path.") from error
    if rest:
        raise SymbreakError(f"{path} is too large for an experiment file; check the path.")
    return parse(_load(text, path), source=str(path))


def _load(text: str, path: Path) -> Any:
    """Values of a YAML text; what aliases would blow up is counted before it is built."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if sum(1 for _ in zip(_nodes(node), range(MOST_VALUES + 1))) > MOST_VALUES:
            raise SymbreakError(f"{path} holds too many values for an experiment file; remove aliases.")
        return None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SymbreakError(f"{path} is not valid YAML{where}; mend the syntax there.") from error


def _nodes(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """All nodes of a YAML document, those that aliases repeat as often as they do; perhaps without end."""
    waiting = [] if node is None else [node]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


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
    _require_modest(settings, source)
    try:
        return Experiment.model_validate(settings)
    except ValidationError as error:
        raise SymbreakError(f"{source}: {_sentence(error.errors()[0])}") from None


def _require_modest(settings: Any, source: str) -> None:
    """Refuse what no section could store: endless structures, huge numbers, text that cannot be printed.

    Raises
    ------
    SymbreakError
        Naming the key.
    """
    waiting: list[tuple[str, Any]] = [("", settings)]
    for _ in range(MOST_VALUES):
        if not waiting:
            return
        place, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(_below(place, key), part) for key, part in value.items()]
            waiting += [(_below(place, key), key) for key in value if isinstance(key, str)]
        elif isinstance(value, list | tuple | set):
            waiting += [(_below(place, index), part) for index, part in enumerate(value)]
        elif isinstance(value, int) and abs(value) > LARGEST_NUMBER:
            raise SymbreakError(f"{source}: the key `{place}` is wrong: the number is too large; correct it.")
        elif isinstance(value, str) and not value.strip().isprintable():
            raise SymbreakError(
                f"{source}: the key `{place}` is wrong: it must be one line of printable text, "
                f"got {value[:80]!a}; correct it."
            )
    raise SymbreakError(f"{source} holds too many values for an experiment; remove aliases.")


def _below(place: str, key: Any) -> str:
    """Name of a key below another, in letters that can be printed."""
    name = str(key)[:80]
    return f"{place}.{name if name.isprintable() else ascii(name)}".lstrip(".")


def dump(settings: dict[str, Any]) -> str:
    """Write settings as YAML, in their order.

    Examples
    --------
    >>> dump({"name": "mine"})
    'name: mine\\n'
    """
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def _sentence(problem: Any) -> str:
    kind, where = problem["type"], list(problem["loc"])
    named = where[-1:] if kind in {"extra_forbidden", "missing"} else []  # a key, whatever it looks like
    above = where[: len(where) - len(named)]
    place = [str(part) for part in [*(p for p in above if not _is_alternative(p)), *named]]
    key = ".".join(place)[:200] or "the top level"
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
    message = problem["msg"].removeprefix("Value error, ")[:500]
    value = problem["input"]
    shown = f", got {value!r:.100}" if not isinstance(value, dict | BaseModel) else ""
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
