"""The verb `taps`: where a network can be opened, and the proof that its heads are heads."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import yaml

from symbreak.cli.verb import Verb
from symbreak.errors import SymbreakError

#: What is said of the first argument of every verb that takes a network of any make.
NETWORK_HELP = (
    "cct_7_3x1, timm:NAME, torchvision:NAME, transformers:NAME-or-folder, python:package.module:factory or "
    "python:path/file.py:factory"
)


def add_network(parser: ArgumentParser) -> None:
    """Arguments that name a network of any make."""
    parser.add_argument("network", help=NETWORK_HELP)
    parser.add_argument(
        "--weights",
        default="random",
        help="file (.safetensors, .pth, .pt; file.pth#model_ema names an entry), `pretrained` (the library's "
        "own), or `random` (default: %(default)s)",
    )
    parser.add_argument("--options", nargs="*", default=[], metavar="KEY=VALUE", help="to build the network")
    parser.add_argument("--within", default="", help="part of the network to open, such as vision_model")
    parser.add_argument(
        "--patterns", type=Path, help="YAML file that says where the taps of an unknown network lie"
    )
    parser.add_argument("--image-size", type=int, help="side of its images in pixels")
    parser.add_argument(
        "--positions",
        choices=("refuse", "interpolate"),
        default="refuse",
        help="positional embeddings of another image size (default: %(default)s)",
    )


def run(options: Namespace) -> None:
    """Print the anatomy of a network."""
    from symbreak.models.foreign import resolve
    from symbreak.taps import example_inputs, find, require_proved

    given = options_of(options.options)
    network = resolve(options.network, options.weights, given, options.positions)
    anatomy = find(network.model, patterns_of(options.patterns), options.within)
    print(f"{network.name}: {anatomy.found['blocks']}; {anatomy.prefix} tokens before those of the input.\n")
    heads = anatomy.heads
    for number, path in enumerate(anatomy.blocks, start=1):
        print(f"block {number:<3} {path:<32} {f'{heads[number - 1]} heads' if heads else ''}".rstrip())
    print()
    for tap in anatomy.taps:
        print(f"{tap:<25} {anatomy.found.get(tap, 'attention after a random rotation: a null model')}")
    print()
    if not heads:
        print("No head is told apart; every tap can be opened by nodes.")
        return
    deviation = require_proved(network.model, example_inputs(network.model, options.image_size), anatomy)
    print(f"Heads are proved: slices through the projection are the attention's output to {deviation:.1g}.")


def options_of(pairs: list[str]) -> dict[str, Any]:
    """Options by name; each value is read as YAML.

    Examples
    --------
    >>> options_of(["depth=2", "global_pool=avg"])
    {'depth': 2, 'global_pool': 'avg'}
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise SymbreakError(f"--options {pair!r} is not KEY=VALUE; write, for instance, num_classes=10.")
        found[name] = yaml.safe_load(value)
    return found


def patterns_of(path: Path | None) -> dict[str, Any] | None:
    """Patterns of taps in a YAML file."""
    if path is None:
        return None
    try:
        patterns = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SymbreakError(f"{path} is not YAML ({str(error).splitlines()[0]}); mend it.") from None
    if not isinstance(patterns, dict) or not all(isinstance(part, dict) for part in patterns.values()):
        raise SymbreakError(
            f"{path} holds no patterns; write `attention: {{module: …, side: input, heads: 4}}`."
        )
    return patterns


VERB = Verb(
    "taps",
    "print the blocks, taps and heads of any network, and prove that its heads are heads",
    "timm:vit_tiny_patch16_224",
    add_network,
    run,
)
