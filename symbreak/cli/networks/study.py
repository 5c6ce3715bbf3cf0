"""Study any trained network on any labelled data, or a folder of moments files."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from symbreak.cli.networks.taps import add_network, options_of, patterns_of
from symbreak.cli.verb import Verb
from symbreak.errors import SymbreakError

#: How readouts are fitted.
SOLVERS = ("ridge", "lbfgs", "adamw")


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `study`."""
    add_network(parser)
    parser.set_defaults(weights="")
    parser.add_argument(
        "--data", help="folder of images, file .npz of arrays, torchvision:NAME or huggingface:FOLDER"
    )
    parser.add_argument("--output", type=Path, help="folder to write to")
    parser.add_argument("--taps", nargs="+", help="(default: attention, its rotations and block)")
    parser.add_argument("--solver", choices=SOLVERS, default="ridge", help="(default: %(default)s)")
    parser.add_argument("--pooling", choices=("mean", "cls"), default="mean", help="(default: %(default)s)")
    parser.add_argument("--mean", type=float, nargs=3, help="of the channels, where nothing else tells it")
    parser.add_argument("--std", type=float, nargs=3, help="deviation of the channels")
    parser.add_argument("--on-error", choices=("refuse", "skip"), default="refuse", help="of broken images")
    parser.add_argument("--root", default="data", help="folder of torchvision's files (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=50, help="(default: %(default)s)")
    parser.add_argument("--workers", type=int, default=0, help="processes that read images (default: none)")
    parser.add_argument("--folds", type=int, default=5, help="parts of the images, for error bars")
    parser.add_argument("--shuffles", type=int, default=999, help="draws of the null models")
    parser.add_argument("--seed", type=int, default=0, help="number of the network among several")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--features", action="store_true", help="write pooled features of images as well")


def run(options: Namespace) -> None:
    """Study a network, or the moments files of a folder."""
    from symbreak.config import Heads

    heads = Heads(n_shuffles=options.shuffles)
    if Path(options.network).is_dir() and ":" not in options.network:
        from symbreak.door.files import study_files

        for page in study_files(options.network, heads=heads):
            print(page)
        return
    if not options.data or not options.output:
        raise SymbreakError("A network is studied on data; give --data and --output.")
    if not options.weights:
        raise SymbreakError("Say which weights the network has: --weights FILE, pretrained or random.")
    print(_of_network(options, heads))


def _of_network(options: Namespace, heads: Any) -> Path:
    from symbreak import door
    from symbreak.door.preparing import loaders_of
    from symbreak.models.foreign import resolve
    from symbreak.taps import find

    network = resolve(options.network, options.weights, options_of(options.options), options.positions)
    train, validation = loaders_of(
        network,
        options.data,
        options.batch_size,
        options.workers,
        options.on_error,
        options.root,
        image_size=options.image_size,
        mean=options.mean,
        std=options.std,
    )
    found = door.study(
        network.model.to(options.device),
        validation,
        train,
        taps=options.taps,
        anatomy=find(network.model, patterns_of(options.patterns), options.within),
        solver=options.solver,
        pooling=options.pooling,
        folds=options.folds,
        heads=heads,
        name=network.name,
        dataset=Path(options.data).name or options.data,
        seed=options.seed,
        features=options.features,
    )
    print(_sentence(found), file=sys.stderr)
    return found.save(options.output) / "page.html"


def _sentence(found: Any) -> str:
    """What is said of the last block."""
    tap = (*found.headed_taps, *found.taps)[0]
    accuracy = float(found.moments(tap).accuracy[-1])
    said = f"The readout of the last block at {tap} is right for {accuracy:.1%} of the images."
    if not found.headed_taps:
        return said
    from symbreak.results.tables.heads import sentences

    return f"{said} {sentences(found.heads(tap))[0]}"


VERB = Verb(
    "study",
    "measure which labels the nodes and heads of any trained network stand for; of a folder with moments "
    "files, what follows from them",
    "timm:vit_tiny_patch16_224 --weights vit.safetensors --data flowers/ --output results/vit",
    arguments,
    run,
)
