"""`results` makes tables, figures and pages of an experiment; `table` and `figure` make one from files."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.errors import SymbreakError
from symbreak.results.files import FILES

if TYPE_CHECKING:
    from symbreak.results.layout import Layout, Place
    from symbreak.results.registry import Entry

AddVerb = Callable[..., argparse.ArgumentParser]

#: Verbs that make a part of what `results` makes: name -> properties of the entries, and what is said of it.
PARTS = {
    "tables": ({"kind": ("table", "page")}, "all tables"),
    "figures": ({"kind": ("figure",)}, "all figures"),
    "head-results": ({"category": ("Heads",)}, "tables and figures of heads"),
    "prune-results": ({"category": ("Pruning",)}, "tables and figures of pruning"),
    "committee-results": ({"category": ("Committees",)}, "tables and figures of committees"),
    "evolution-results": ({"name": ("heads_evolution",)}, "order of the heads against training epoch"),
    "scorecard": ({"name": ("scorecard",)}, "claims of the papers tested on an experiment"),
}
#: What a figure or table may be asked for in place of its default.
CHOICES = ("threshold", "block", "node", "head", "filter")


def add_results_verbs(commands, add_verb: AddVerb) -> None:
    """Add `results`, the verbs that make parts of it, and `table` and `figure`."""
    example = "--folder results/demo/cct --names snr clusters"
    summary = "make tables, figures and pages of an experiment or of one of its networks"
    for name, (properties, what) in {"results": ({}, summary), **PARTS}.items():
        words = summary if name == "results" else f"make {what}; the same as `results` with a choice of names"
        parser = add_verb(
            commands, name, results, words, example if name == "results" else "--folder results/demo"
        )
        parser.set_defaults(properties=properties)
        _results_arguments(parser)
    _one(commands, add_verb, "table", "snr --statistics results/demo/cct/statistics/block.nc --html snr.html")
    _one(
        commands,
        add_verb,
        "figure",
        "matrix --moments results/demo/cct/seed1/moments/block.nc --output m.png",
    )


def _results_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, required=True, help="folder of the experiment or of a network")
    parser.add_argument(
        "--config", type=Path, help="experiment file (default: experiment.yaml of the experiment's folder)"
    )
    parser.add_argument("--names", nargs="+", help="names of results (default: all that the files allow)")
    parser.add_argument("--scope", help="only those of one scope: experiment, network, tap, study or seed")
    for part in ("taps", "studies", "seeds"):
        parser.add_argument(f"--{part}", nargs="+", help=f"only those of some {part} (default: all)")
    parser.add_argument(
        "--output", type=Path, help="tables/ and figures/ go there (default: the experiment's)"
    )
    parser.add_argument(
        "--formats",
        nargs="+",
        choices=("png", "pdf", "svg"),
        default=["png"],
        help="of figures (default: png)",
    )


def results(options: argparse.Namespace) -> None:
    """Make results of an experiment, a network, or parts of them; without names what the files allow."""
    from symbreak.results.making import make_all

    layout, folder, network = _experiment(options)
    wanted = list(_wanted(options, layout, network))
    skip = options.names is None
    if not make_all(layout, folder, wanted, options.output, options.formats, skip):
        raise SymbreakError(
            f"There are no files in {folder} to make results of; run the workflow up to them."
        )


def _experiment(options: argparse.Namespace) -> tuple[Layout, Path, str]:
    """Experiment, its folder, and the network if the folder asked for is that of a network."""
    from symbreak.config import read
    from symbreak.results.layout import Layout

    folder = options.folder
    places = (
        [options.config]
        if options.config
        else [folder / "experiment.yaml", folder.parent / "experiment.yaml"]
    )
    path = next((place for place in places if place.is_file()), places[-1])
    experiment = read(path)
    own = folder.absolute().name in experiment.networks and not (folder / "experiment.yaml").is_file()
    return Layout(experiment), folder.parent if own else folder, folder.absolute().name if own else ""


def _wanted(options: argparse.Namespace, layout: Layout, network: str) -> Iterator[tuple[Place, list[Entry]]]:
    """Places with the results to make there."""
    from symbreak.results.registry import ENTRIES, SCOPES, require

    require([options.scope] if options.scope else [], SCOPES, "scope")
    possible = [
        entry
        for entry in ENTRIES
        if all(getattr(entry, name) in values for name, values in options.properties.items())
    ]
    require(options.names or [], [entry.name for entry in possible], "result")
    names = {entry.name for entry in possible if entry.name in (options.names or [entry.name])}
    scopes = (
        [options.scope]
        if options.scope
        else [scope for scope in SCOPES if scope != "experiment" or not network]
    )
    places = [place for scope in scopes for place in layout.places(scope, network)]
    for part, asked in (("tap", options.taps), ("study", options.studies), ("seed", options.seeds)):
        require(asked or [], [getattr(place, part) for place in places if getattr(place, part)], part)
        places = [place for place in places if not asked or getattr(place, part) in ("", *asked)]
    found = set()
    for place in places:
        entries = [entry for entry in layout.entries(place) if entry in possible and entry.name in names]
        found |= {entry.name for entry in entries}
        yield place, entries
    missing = sorted(set(options.names or []) - found)
    if missing:
        raise SymbreakError(f"{layout.experiment.name} has no {missing[0]} here; leave that name out.")


def _one(commands, add_verb: AddVerb, kind: str, example: str) -> None:
    parser = add_verb(commands, kind, one, f"make one {kind} of results from files of any place", example)
    parser.add_argument("name", metavar="NAME", help=f"which {kind}: see docs/results.md")
    parser.set_defaults(kind=kind)
    for name in FILES:
        parser.add_argument(f"--{name}", type=Path, nargs="+", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument(
        "--config", type=Path, help="experiment file (default: the experiment kept in the data file)"
    )
    parser.add_argument(
        "--threshold", type=float, help="fraction of the largest field (default: the experiment's)"
    )
    parser.add_argument("--block", type=int, help="block, from 1 (default: the last)")
    if kind == "table":
        parser.add_argument("--output", type=Path, help="CSV file (default: print the table)")
        parser.add_argument("--html", type=Path, help="HTML file, to be looked at")
        return
    parser.add_argument("--output", type=Path, required=True, help="file to write: .png, .pdf or .svg")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--node", type=int, help="of `matrix`: node, from 1 (default: a typical one)")
    which.add_argument("--head", type=int, help="of `matrix`: attention head, from 1, in place of a node")
    which.add_argument("--filter", type=int, help="of `matrix`: filter of a convolution, from 1")


def one(options: argparse.Namespace) -> None:
    """Make one table or figure, from the files that are named."""
    from symbreak.config import read
    from symbreak.results.context import Context
    from symbreak.results.layout import Layout
    from symbreak.results.making import FORMATS, Table, make, write
    from symbreak.results.registry import find

    entry = find(options.name, options.kind)
    files = {kind: getattr(options, kind) for kind in FILES if getattr(options, kind)}
    wrong = [kind for kind in files if kind not in entry.required + entry.optional]
    if wrong:
        raise SymbreakError(
            f"{entry.name} is not made of {wrong[0]} but of {entry.inputs}; leave --{wrong[0]} out."
        )
    missing = [kind for kind in entry.required if kind not in files]
    if missing or not files:
        raise SymbreakError(
            f"{entry.name} is made of {entry.inputs}: give files of each by its option, or use results."
        )
    layout = Layout(read(options.config)) if options.config else None
    choices = {name: getattr(options, name, None) for name in CHOICES}
    context = Context(layout, files=files, choices=choices)
    paths = [path for path in (options.output, getattr(options, "html", None)) if path]
    if options.kind == "figure" and paths[0].suffix[1:] not in FORMATS:
        raise SymbreakError(f"{paths[0]} does not end in .png, .pdf or .svg; choose one of them.")
    made = make(entry, context)
    for path in paths:
        write(made, path, entry, context)
    if isinstance(made, Table) and not paths:
        print(made.frame.to_string(index=False))
