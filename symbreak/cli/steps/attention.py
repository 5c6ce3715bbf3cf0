"""Compare the attention maps of heads."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step, use_threads


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `attention`."""
    add_step(parser, "folder of the seed; attention/ goes there", several=True)
    parser.add_argument("--block", type=int, help="encoder block, from 1 (default: all)")


def run(options: Namespace) -> None:
    """Compare the attention maps of the heads, seed by seed."""
    use_threads(options.threads)
    from symbreak.measure.attention import measure_attention

    experiment = read_step(options, "attention")
    for folder in options.folders:
        measure_attention(experiment, folder / "network.safetensors", folder, options.block)


VERB = Verb(
    "attention",
    "compare the attention maps of the heads over all validation images (P1 Fig. 9)",
    "--config config/demo.yaml --folder results/demo/cct/seed1",
    arguments,
    run,
)
