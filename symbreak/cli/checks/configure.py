"""Check settings and write them out in full."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.verb import Verb


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `configure`."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--settings", help="settings as JSON")
    source.add_argument("--config", type=Path, help="experiment file")
    parser.add_argument("--output", type=Path, help="file to write (default: standard output)")


def run(options: Namespace) -> None:
    """Write settings out in full."""
    from symbreak.config import dump, parse, read, strict

    if options.config:
        experiment = read(options.config)
    else:
        experiment = parse(strict.load(options.settings, "--settings", "JSON"), "--settings")
    text = dump(experiment.model_dump(mode="json"))
    if options.output is None:
        sys.stdout.write(text)
        return
    from symbreak.store.atomic import replacing_text, require_other

    require_other(options.output, [options.config] if options.config else [])
    replacing_text(options.output, text)


VERB = Verb(
    "configure",
    "check settings and write them out in full, defaults included",
    """--settings '{"name": "mine", "networks": {"small": {"dim": 64}}}' --output mine.yaml""",
    arguments,
    run,
)
