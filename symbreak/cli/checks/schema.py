"""Print what an experiment file or a result file holds, or what the verbs do."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.verb import Verb
from symbreak.errors import SymbreakError


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `schema`."""
    parser.add_argument(
        "--of",
        choices=("experiment", "files", "config", "results", "commands"),
        default="experiment",
        help="(default: %(default)s)",
    )
    parser.add_argument(
        "--format", choices=("json", "markdown"), default="markdown", help="(default: %(default)s)"
    )


def run(options: Namespace) -> None:
    """Print the keys of an experiment file, the shipped experiments, what result files hold, or the verbs."""
    from symbreak.cli import documentation as commands
    from symbreak.config import documentation as experiment
    from symbreak.config.catalogue import catalogue
    from symbreak.results import documentation as results
    from symbreak.store import documentation as files

    if options.of == "experiment" and options.format == "json":
        sys.stdout.write(experiment.json_schema())
    elif options.format == "json":
        raise SymbreakError(f"`schema --of {options.of}` is a page for readers; leave `--format json` out.")
    elif options.of == "config":
        sys.stdout.write(catalogue(Path("config")))
    else:
        pages = {"files": files, "results": results, "experiment": experiment, "commands": commands}
        sys.stdout.write(pages[options.of].markdown())


VERB = Verb(
    "schema",
    "print the keys of an experiment file, experiments in config/, what result files hold, results, or verbs",
    "--format markdown > docs/configuration.md",
    arguments,
    run,
)
