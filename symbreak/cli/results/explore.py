"""The explorer of an experiment or a study: one page for a browser."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from symbreak.cli.verb import Verb


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `explore`."""
    parser.add_argument(
        "folder", type=Path, help="folder of an experiment, of one of its networks, or of a study"
    )
    parser.add_argument("--output", type=Path, help="file to write (default: explorer.html in the folder)")
    parser.add_argument("--networks", nargs="+", default=(), help="only these networks (default: all)")
    parser.add_argument("--seeds", nargs="+", type=int, default=(), help="only these seeds (default: all)")
    parser.add_argument("--taps", nargs="+", default=(), help="only these taps (default: all)")
    parser.add_argument("--blocks", nargs="+", type=int, default=(), help="only these blocks (default: all)")
    parser.add_argument(
        "--megabytes",
        type=float,
        help="size of the page (default: 10); where not all fits, last blocks go first, and the page says so",
    )


def run(options: Namespace) -> None:
    """Write the explorer of what is in a folder."""
    from symbreak.config import read
    from symbreak.explorer import Choice, explorer_of
    from symbreak.explorer.choosing import MEGABYTES, moments_files
    from symbreak.results.context import Context
    from symbreak.results.layout import Layout
    from symbreak.store.atomic import replacing_text

    folder, settings = options.folder, options.folder / "experiment.yaml"
    paths = moments_files(folder)
    layout = Layout(read(settings)) if settings.is_file() else None
    context = Context(layout, folder=folder, files={} if layout else {"moments": paths})
    size = options.megabytes or MEGABYTES
    asked = Choice(options.networks, options.seeds, options.taps, options.blocks, size)
    path = options.output or folder / "explorer.html"
    replacing_text(path, explorer_of(context, asked))
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")


VERB = Verb(
    "explore",
    "write a page to click through: every matrix of heads, nodes and filters, at any threshold",
    "results/demo --taps attention block",
    arguments,
    run,
)
