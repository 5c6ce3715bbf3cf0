"""Make a moments file of pooled features from another tool."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.networks.study import SOLVERS
from symbreak.cli.verb import Verb


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `import`."""
    parser.add_argument("features", type=Path, help="file of numpy.savez with labels, block1, block2, …")
    parser.add_argument("--output", type=Path, required=True, help="folder of the network or of its seed")
    parser.add_argument("--heads", type=int, nargs="+", help="number of heads, of all blocks or of each")
    parser.add_argument("--tap", default="attention", help="name of the place (default: %(default)s)")
    parser.add_argument("--solver", choices=SOLVERS, default="ridge", help="(default: %(default)s)")
    parser.add_argument("--folds", type=int, default=5, help="parts of the inputs, for error bars")
    parser.add_argument("--architecture", help="name of the network (default: that of the file)")
    parser.add_argument("--dataset", default="unknown data", help="name of the data")


def run(options: Namespace) -> None:
    """Make a moments file of features."""
    from symbreak.door.files import import_features

    heads = options.heads
    print(
        import_features(
            options.features,
            options.output,
            heads=heads[0] if heads and len(heads) == 1 else heads,
            tap=options.tap,
            solver=options.solver,
            folds=options.folds,
            architecture=options.architecture,
            dataset=options.dataset,
        )
    )


VERB = Verb(
    "import",
    "make a moments file of pooled features from another tool; then `symbreak study FOLDER`",
    "features.npz --heads 12 --output net/seed1",
    arguments,
    run,
)
