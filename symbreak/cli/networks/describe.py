"""The verb `describe`: layers, parameters, operations and nominal latency of a network."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from symbreak.cli.verb import Verb, use_threads
from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    from symbreak.models import Trunk


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `describe`."""
    parser.add_argument(
        "what",
        metavar="NETWORK",
        help="name of an architecture (cct_7_3x1, vgg_16, …), experiment file, or network.safetensors",
    )
    parser.add_argument("--network", help="network of the experiment file (default: all, a line each)")
    parser.add_argument("--labels", type=int, help="output units (default: those of the data, or 100)")
    parser.add_argument(
        "--options", nargs="+", metavar="KEY=VALUE", help="keys of `networks` for an architecture"
    )
    parser.add_argument(
        "--format", choices=("text", "csv", "json"), default="text", help="(default: %(default)s)"
    )


def run(options: Namespace) -> None:
    """Print what a network, or every network of an experiment, consists of."""
    use_threads(1)
    models = _models(options)
    if len(models) > 1:
        _print_networks(models, options.format)
        return
    (model,) = models.values()
    from symbreak.models.describe import layers, summary

    rows, known = layers(model), summary(model)
    if options.format == "json":
        known["layers"] = [row._asdict() for row in rows]
        json.dump(known, sys.stdout, indent=2)
        print()
    elif options.format == "csv":
        _print_csv([row._asdict() | {"output": _shape(row.output)} for row in rows])
    else:
        print(_sentence(model, known) + "\n")
        cells = [(row.part, row.layer, _shape(row.output), row.parameters, row.macs) for row in rows]
        total = ("together", "", "", known["parameters"], known["macs"])
        _print_text(("part", "layer", "output", "parameters", "MACs"), [*cells, total])


def _models(options: Namespace) -> dict[str, Trunk]:
    """Networks by name: of a weights file, of an experiment file, or of an architecture with options."""
    from symbreak.config import read
    from symbreak.models import build, create

    path, given = Path(options.what), _options(options.options)
    if path.suffix in {".yaml", ".yml"}:
        if given:
            raise SymbreakError(
                f"Options are for an architecture, and {path} is an experiment; change it there."
            )
        experiment = read(path)
        names = [options.network] if options.network else list(experiment.networks)
        if not set(names) <= set(experiment.networks):
            known = ", ".join(experiment.networks)
            raise SymbreakError(f"{path} has no network {options.network!r}; choose one of {known}.")
        labels = options.labels or experiment.data.n_labels
        return {name: create(experiment.networks[name], labels) for name in names}
    if path.suffix == ".safetensors":
        from symbreak.models import load_network

        return {"": load_network(path)[0]}
    return {"": build(options.what, labels=options.labels or 100, **given)}


def _options(words: list[str] | None) -> dict[str, Any]:
    """Options KEY=VALUE, values as in an experiment file."""
    found = {}
    for word in words or []:
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier() or key in ("name", "labels", "architecture"):
            raise SymbreakError(
                f"The option {word!r} is not KEY=VALUE; give for instance dim=64 heads=[4,8]."
            )
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise SymbreakError(f"The value of {word!r} cannot be read; quote it for the shell.") from None
    return found


def _sentence(model: Trunk, known: dict[str, Any]) -> str:
    network, latency = model.network, known["nominal_latency"]
    if network.convolutional:
        made = f"{latency - 1} convolutions + 1"
    else:
        convolutions = network.shape[2] + network.convolutions_behind
        made = f"{convolutions} convolution{'s' * (convolutions > 1)} + 4 × {network.blocks} + 1"
    return (
        f"{known['architecture']}, {known['labels']} labels: {known['parameters']:,} parameters, "
        f"{known['macs']:,} multiply-accumulates per image, nominal latency {latency} ({made})"
    )


def _print_networks(models: dict[str, Trunk], kind: str) -> None:
    from symbreak.models.describe import summary

    rows = [{"network": name} | summary(model) for name, model in models.items()]
    if kind == "json":
        json.dump(rows, sys.stdout, indent=2)
        print()
    elif kind == "csv":
        _print_csv(rows)
    else:
        head = ("network", "architecture", "parameters", "MACs", "nominal latency")
        names = ("network", "architecture", "parameters", "macs", "nominal_latency")
        _print_text(head, [tuple(row[name] for name in names) for row in rows])


def _print_csv(rows: list[dict[str, Any]]) -> None:
    import csv

    writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _print_text(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Columns of one width: words left, numbers right."""
    cells = [head, *(tuple(f"{x:,}" if isinstance(x, int) else str(x) for x in row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    numbers = [isinstance(value, int) for value in rows[0]]
    for row in cells:
        aligned = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numbers))
        print("  ".join(aligned).rstrip())


def _shape(output: tuple[int, ...]) -> str:
    return " x ".join(map(str, output))


VERB = Verb(
    "describe",
    "print layers, parameters, multiply-accumulates and nominal latency of a network",
    "cct_2_3x5 --options dim=512 heads=32 pooling=first",
    arguments,
    run,
)
