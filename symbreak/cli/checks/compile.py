"""Compile every kernel ahead of its first use."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from symbreak.cli.verb import Verb


def arguments(parser: ArgumentParser) -> None:
    """`compile` has no arguments."""


def run(options: Namespace) -> None:
    """Compile every kernel by using it on a planted example; numba keeps them next to their source."""
    from symbreak.clusters import RULES
    from symbreak.config import Heads, Statistics
    from symbreak.observables import block_tables, head_tables
    from symbreak.planted import moments_example
    from symbreak.progress import Progress

    example = moments_example()
    for rule in Progress(RULES, desc="compile", unit="rule"):
        block_tables(example, Statistics(thresholds=3, rule=rule))
    grouped = example.assign_coords(superclass_of_label=("label", [0] * 5 + [1] * 5), superclass=[0, 1])
    head_tables(grouped, Statistics(thresholds=3), Heads(n_shuffles=99))


VERB = Verb("compile", "compile the kernels ahead of their first use", "", arguments, run)
