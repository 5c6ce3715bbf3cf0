"""Measure how long a forward pass takes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb, add_step, read_step, use_threads


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `latency`."""
    add_step(parser, "where latency.nc goes", threads=False)
    parser.add_argument("--network", required=True, help="name of the network in the experiment")


def run(options: Namespace) -> None:
    """Measure the latency of one network of an experiment."""
    experiment = read_step(options, "latency")
    use_threads(experiment.latency.threads)
    from symbreak.measure.latency import measure_latency

    measure_latency(experiment, options.network, options.folder)


VERB = Verb(
    "latency",
    "measure how long a forward pass of a network takes; needs no training and a quiet machine",
    "--config config/low_latency_cpu.yaml --network deep --folder results/low_latency_cpu/deep",
    arguments,
    run,
)
