"""YAML read strictly: scalars of YAML 1.2, every key once, and no value that its text does not show.

PyYAML follows YAML 1.1, which takes ``010`` for 8, ``1:30`` for 90, ``on`` for true, ``1e-3`` for text and
the last of two equal keys. Keys of an experiment are names: they are kept as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from symbreak.errors import SymbreakError

#: An experiment file holds fewer keys and values, aliases written out.
MOST_VALUES = 50_000

_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"
_PLAIN = "plain"


def load(text: str, source: str, language: str = "YAML") -> Any:
    """Values of a YAML text.

    Parameters
    ----------
    text : str
        One YAML document.
    source : str
        Where it comes from, for the sentence of a refusal.
    language : str
        What the writer was asked for, in the same sentence: YAML, or JSON, which is a part of it.

    Raises
    ------
    SymbreakError
        If it is not YAML, a key comes twice, or it stands for endless values.

    Examples
    --------
    >>> load("seeds: [010, 1e1]\\nname: no", "here")
    {'seeds': [10, 10.0], 'name': 'no'}
    >>> load("a: 1\\na: 2", "here.yaml")
    Traceback (most recent call last):
    ...
    symbreak.errors.SymbreakError: here.yaml: the key `a` comes twice, in lines 1 and 2; keep one.
    """
    try:
        node = _Loader(text).get_single_node()
        endless = sum(1 for _ in zip(_nodes(node), range(MOST_VALUES + 1))) > MOST_VALUES
    except (yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SymbreakError(f"{source} is not {language}{where}; mend the syntax there.") from error
    if endless:
        raise SymbreakError(f"{source} holds too many values for an experiment file; remove aliases.")
    return None if node is None else _value(node, "", source)


def scalar(text: str) -> Any:
    """Value of a plain scalar in YAML 1.2, of which octal, hexadecimal and endless numbers are left out.

    Examples
    --------
    >>> [scalar(text) for text in ("010", "1e-3", "no", "2024_06", "0x1f", "null", "True")]
    [10, 0.001, 'no', '2024_06', '0x1f', None, True]
    """
    if text in _WORDS or (text.lower() in _WORDS and text in (text.upper(), text.capitalize())):
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return float(text.lower().replace(".", "")) if _ENDLESS.fullmatch(text) else text


class _Loader(yaml.SafeLoader):
    """Leaves what plain scalars mean to `scalar`."""

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        plain = kind is yaml.ScalarNode and implicit[0]
        return _PLAIN if plain else super().resolve(kind, value, implicit)


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


def _value(node: yaml.Node, place: str, source: str) -> Any:
    match node.tag.removeprefix(_TAG), node:
        case "seq", yaml.SequenceNode():
            return [_value(part, f"{place}.{index}", source) for index, part in enumerate(node.value)]
        case "map", yaml.MappingNode():
            return _mapping(node, place, source)
        case "plain", yaml.ScalarNode():
            return scalar(node.value)
        case "str", yaml.ScalarNode():
            return _paired(node.value)
    where = f"{source}, line {node.start_mark.line + 1}"
    raise SymbreakError(f"{where}: the tag of `{printed(place)}` is none of experiment files; remove it.")


def _paired(text: str) -> str:
    """Text whose letters beyond 16 bits were escaped in two halves, as JSON does."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:  # half a letter: refused by whoever wants text
        return text


def _mapping(node: yaml.MappingNode, place: str, source: str) -> dict[str, Any]:
    """Values by key; those that ``<<`` merges give way to the mapping's own."""
    merged: dict[str, Any] = {}
    own: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, part in node.value:
        line, name = key.start_mark.line + 1, key.value
        below = f"{place}.{name}"
        if not isinstance(key, yaml.ScalarNode):
            raise SymbreakError(f"{source}, line {line}: a list or mapping is no key; give a name.")
        if name in lines:
            where = f"lines {lines[name]} and {line}" if line > lines[name] else f"line {line}"
            raise SymbreakError(f"{source}: the key `{printed(below)}` comes twice, in {where}; keep one.")
        lines[name] = line
        if name == "<<" and not key.style:
            for mapping in part.value if isinstance(part, yaml.SequenceNode) else [part]:
                if not isinstance(mapping, yaml.MappingNode):
                    raise SymbreakError(f"{source}, line {line}: `<<` merges mappings only; give one.")
                merged = _mapping(mapping, place, source) | merged
        else:
            own[name] = _value(part, below, source)
    return merged | own


def printed(place: str) -> str:
    """Name of a key as a sentence can hold it, without the point before the first.

    Examples
    --------
    >>> printed(".data.root"), printed("")
    ('data.root', 'the top level')
    """
    name = place.removeprefix(".") or "the top level"
    return (name if name.isprintable() else ascii(name))[:200]
