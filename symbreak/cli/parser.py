"""The command line as a whole: every verb in its group."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from importlib import import_module
from typing import Any

from symbreak import __version__
from symbreak.cli.verb import Verb

#: Title of a group -> modules below symbreak.cli, each with its `VERB` or `VERBS`.
GROUPS = {
    "steps of the workflow": (
        "steps.data",
        "steps.train",
        "steps.probe",
        "steps.measure",
        "steps.scan",
        "steps.heads",
        "steps.attention",
        "steps.evolve",
        "steps.prune",
        "steps.join",
        "steps.replicas",
        "steps.null",
        "steps.latency",
        "steps.committee",
    ),
    "results": (
        "results.results",
        "results.one",
        "results.explore",
        "results.papers",
        "results.reproduction",
        "results.where",
    ),
    "networks and data": ("networks.taps", "networks.study", "networks.import_", "networks.describe"),
    "checks": (
        "checks.configure",
        "checks.schema",
        "checks.validate",
        "checks.calibrate",
        "checks.doctor",
        "checks.compile",
        "checks.completion",
    ),
}


def verbs_by_group() -> dict[str, list[Verb]]:
    """Every verb, in the order of the help.

    Examples
    --------
    >>> [verb.name for verb in verbs_by_group()["networks and data"]]
    ['taps', 'study', 'import', 'describe']
    """
    found: dict[str, list[Verb]] = {}
    for title, names in GROUPS.items():
        modules = [import_module(f"symbreak.cli.{name}") for name in names]
        found[title] = [verb for module in modules for verb in getattr(module, "VERBS", ()) or (module.VERB,)]
    return found


def build_parser(listed: bool = False) -> ArgumentParser:
    """Parser of the whole command line; `listed`: argparse knows the verbs too, as completion needs it."""
    groups = verbs_by_group()
    parser = ArgumentParser(
        prog="symbreak",
        usage="symbreak VERB ...",
        description="Measure how the heads and nodes of a trained network divide labels among themselves.",
        epilog=_overview(groups),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"symbreak {__version__}")
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB", help="see below")
    for verb in (verb for verbs in groups.values() for verb in verbs):
        summary: dict[str, Any] = {"help": verb.summary} if listed else {}
        own = commands.add_parser(
            verb.name,
            **summary,
            prog=f"symbreak {verb.name}",
            description=verb.summary[0].upper() + verb.summary[1:] + ".",
            epilog=f"example:\n  symbreak {verb.name} {verb.example}".rstrip(),
            formatter_class=RawDescriptionHelpFormatter,
        )
        verb.arguments(own)
        own.set_defaults(run=verb.run, **verb.defaults)
    return parser


def _overview(groups: dict[str, list[Verb]]) -> str:
    """Verbs by group with what they do, and how to go on."""
    width = max(len(verb.name) for verbs in groups.values() for verb in verbs)
    lines = []
    for title, verbs in groups.items():
        lines += [f"{title}:", *(f"  {verb.name:{width}}  {verb.summary}" for verb in verbs), ""]
    example = (
        "symbreak study timm:vit_tiny_patch16_224 --weights vit.safetensors --data flowers/ --output vit"
    )
    lines += ["`symbreak VERB --help` shows arguments and an example.", "", "examples:", f"  {example}"]
    return "\n".join([*lines, "  symbreak results --folder results/demo --names snr"])
