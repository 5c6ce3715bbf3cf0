"""Make tables, figures and pages of an experiment, or of one of its networks."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.cli.verb import Verb, add_digest, require_digest
from symbreak.errors import NotFound, SymbreakError

if TYPE_CHECKING:
    from symbreak.results.layout import Layout, Place
    from symbreak.results.registry import Entry

#: Verbs that make a part of what `results` makes: name -> properties of the entries, and what is said of it.
PARTS = {
    "tables": ({"kind": ("table", "page")}, "all tables"),
    "figures": ({"kind": ("figure",)}, "all figures"),
    "head-results": ({"category": ("Heads",)}, "tables and figures of heads"),
    "prune-results": ({"category": ("Pruning",)}, "tables and figures of pruning"),
    "committee-results": ({"category": ("Committees",)}, "tables and figures of committees"),
    "evolution-results": ({"name": ("heads_evolution",)}, "the order of heads against training epoch"),
    "scorecard": ({"name": ("scorecard",)}, "the table of the papers' claims, tested on an experiment"),
}


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `results`."""
    parser.add_argument("--folder", type=Path, required=True, help="folder of the experiment or of a network")
    parser.add_argument(
        "--config", type=Path, help="experiment file (default: experiment.yaml of the experiment's folder)"
    )
    add_digest(parser)
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


def run(options: Namespace) -> None:
    """Make results of an experiment, a network, or parts of them; without names what the files allow."""
    from symbreak.results.making import make_all

    layout, folder, network = _experiment(options)
    wanted = list(_wanted(options, layout, network))
    skip = options.names is None
    if not make_all(layout, folder, wanted, options.output, options.formats, skip):
        raise SymbreakError(
            f"There are no files in {folder} to make results of; run the workflow up to them."
        )


def _experiment(options: Namespace) -> tuple[Layout, Path, str]:
    """Experiment, its folder, and the network if the folder asked for is that of a network."""
    from symbreak.config import read
    from symbreak.results.layout import Layout

    folder = options.folder
    if not options.config and not folder.is_dir():
        raise NotFound(
            f"There is no folder {folder}; give the folder of an experiment or of a network of it."
        )
    places = (
        [options.config]
        if options.config
        else [folder / "experiment.yaml", folder.parent / "experiment.yaml"]
    )
    path = next((place for place in places if place.is_file()), places[-1])
    experiment = read(path)
    require_digest(options, experiment, "pages" if options.scope == "experiment" else "results")
    own = folder.absolute().name in experiment.networks and not (folder / "experiment.yaml").is_file()
    return Layout(experiment), folder.parent if own else folder, folder.absolute().name if own else ""


def _wanted(options: Namespace, layout: Layout, network: str) -> Iterator[tuple[Place, list[Entry]]]:
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


_SUMMARY = "make tables, figures and pages of an experiment or of one of its networks"
VERBS = (
    Verb(
        "results",
        _SUMMARY,
        "--folder results/demo/cct --names snr clusters",
        arguments,
        run,
        {"properties": {}},
    ),
    *(
        Verb(
            name,
            f"make {what}: `results` with a choice of names",
            "--folder results/demo",
            arguments,
            run,
            {"properties": properties},
        )
        for name, (properties, what) in PARTS.items()
    ),
)
