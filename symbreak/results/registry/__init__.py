"""Every table, figure and page, each declared once in the YAML files of this folder; strings only.

The rules of the workflow, captions and labels of the report, ``symbreak results`` and ``docs/results.md``
read this list. A new result is an entry in a file and the function that the entry names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from symbreak.errors import SymbreakError
from symbreak.packaged import read_packaged

#: Files of entries, in the order of the documentation.
SUBJECTS = ("networks", "nodes", "heads", "pruning", "committees")
#: Scope -> folder of its results below ``tables/`` or ``figures/``; in braces what there is one of for each.
SCOPES = {
    "experiment": "",
    "network": "{network}/",
    "tap": "{network}/{tap}/",
    "study": "{network}/pruning/{study}/",
    "seed": "{network}/seed{seed}/",
}
#: Kind of a result -> folder, endings of its files (last the one in the report), subcategory of the report.
KINDS = {
    "table": ("tables/", ("csv", "html"), "Tables"),
    "page": ("tables/", ("html",), "Tables"),
    "figure": ("figures/", ("png",), "Figures"),
}
#: Symbols with a subscript in captions.
SUBSCRIPT = re.compile(r"\b(N|C|SNR|noise)_(\w+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One table, figure or page.

    Attributes
    ----------
    name : str
        Its file, without ending, in the folder of its scope; unique among the results of its kind.
    kind : str
        ``table`` (CSV and HTML), ``figure`` or ``page`` (HTML).
    scope : str
        One for each experiment, network, tap, study of pruning, or seed.
    inputs : str
        Kinds of files that it is made of (:data:`symbreak.results.files.FILES`), separated by spaces. It
        exists where all of them do; those that end in ``?`` are used where they are.
    category, subcategory : str
        Of the report; the subcategory is by default the plural of the kind.
    shows : str
        What it shows: its label in the report, the heading of a table, its line in the documentation.
    caption : str
        Sentences below it. ``{tap}`` is filled in.
    maker : str
        Function that makes it of a :class:`symbreak.results.context.Context`, as ``package.module.name``.
    condition : str
        Property of the place (a method of :class:`symbreak.results.layout.Layout`) that it needs.
    folder : str, optional
        In place of the folder of its kind.
    detail : bool
        Whether the report shows it only where the experiment asks for every detail.
    """

    name: str
    kind: str
    scope: str
    inputs: str
    category: str
    shows: str
    caption: str
    maker: str
    subcategory: str
    condition: str = ""
    folder: str | None = None
    detail: bool = False

    @property
    def required(self) -> list[str]:
        """Kinds of files without which it does not exist."""
        return [kind for kind in self.inputs.split() if not kind.endswith("?")]

    @property
    def optional(self) -> list[str]:
        """Kinds of files that are used where they are."""
        return [kind[:-1] for kind in self.inputs.split() if kind.endswith("?")]

    @property
    def wildcards(self) -> list[str]:
        """What there is one of for each: names of the fields of a place."""
        return re.findall(r"{(\w+)}", SCOPES[self.scope])

    @property
    def files(self) -> list[str]:
        """Its files below the folder of the experiment, with their wildcards.

        Examples
        --------
        >>> find("snr", "table").files
        ['tables/{network}/{tap}/snr.csv', 'tables/{network}/{tap}/snr.html']
        """
        folder, endings, _ = KINDS[self.kind]
        place = (folder if self.folder is None else self.folder) + SCOPES[self.scope]
        return [f"{place}{self.name}.{ending}" for ending in endings]


def _read(subject: str) -> list[Entry]:
    entries = []
    for fields in read_packaged(__name__, f"{subject}.yaml"):
        kind = next(iter(fields))
        fields = {"subcategory": KINDS[kind][2]} | fields
        entries.append(Entry(kind=kind, name=fields.pop(kind), **fields))
    return entries


ENTRIES = tuple(entry for subject in SUBJECTS for entry in _read(subject))


def find(name: str, kind: str) -> Entry:
    """The entry of a name; a hyphen stands for an underscore.

    Raises
    ------
    SymbreakError
        If there is none.

    Examples
    --------
    >>> find("head-networks", "table").shows
    'heads of the last blocks of all networks (P2 Table 2)'
    """
    known = {entry.name: entry for entry in ENTRIES if entry.kind == kind}
    name = name.replace("-", "_")
    require([name], known, kind)
    return known[name]


def require(names: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse names that are not known.

    Raises
    ------
    SymbreakError
        Naming the first of them.
    """
    known = list(dict.fromkeys(known))
    for name in names:
        if name not in known:
            raise SymbreakError(f"There is no {what} {name!r}; choose among {', '.join(known) or 'none'}.")
