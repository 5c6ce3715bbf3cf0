"""Arguments of the verbs that make tables and figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from symbreak.cli import results

Run = Callable[[argparse.Namespace], None]

STATISTICS = "results/demo/cct/statistics/block.nc"


def add_results_verbs(commands) -> None:
    """Add `table`, `figure` (one, by name) and `tables`, `figures` (all of a network)."""
    _tables(_group(commands, "table", "write one table of results as CSV and HTML", "clusters"))
    _figures(_group(commands, "figure", "draw one figure as PNG, PDF or SVG", "matrix"))
    for name, run, what in (
        ("tables", results.tables, "write all tables of a network"),
        ("figures", results.figures, "draw all figures of a network, or of some of its taps"),
    ):
        parser = _add(
            commands, name, run, what, f"{name} --folder results/demo/cct --output results/demo/{name}/cct"
        )
        parser.add_argument(
            "--config",
            type=Path,
            default=Path("config/demo.yaml"),
            help="experiment file (default: %(default)s)",
        )
        parser.add_argument(
            "--folder", type=Path, required=True, help="folder of the network, holding statistics/ and seed*/"
        )
        parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--parts", nargs="+", help="taps, and `network` for what concerns all of them (default: all)"
    )
    parser.add_argument(
        "--formats", nargs="+", choices=("png", "pdf", "svg"), default=["png"], help="(default: png)"
    )


def _tables(names) -> None:
    for name, run, what in (
        (
            "clusters",
            results.table_clusters,
            "accuracy, clusters and noise elements of every block (P1 Table 1)",
        ),
        ("snr", results.table_snr, "signal, noise and their ratio of every block (P1 Table 2)"),
        ("taps", results.table_taps, "all taps of one block side by side, skip connections in and out"),
    ):
        files = STATISTICS if name != "taps" else "results/demo/cct/statistics/*.nc"
        parser = _add(
            names,
            name,
            run,
            what,
            f"table {name} --statistics {files} --output {name}.csv --html {name}.html",
        )
        _with_statistics(parser)
        if name == "taps":
            parser.add_argument("--block", type=int, help="encoder block, from 1 (default: the last)")
        parser.add_argument("--output", type=Path, help="CSV file (default: print the table)")
        parser.add_argument("--html", type=Path, help="HTML file, to be looked at")


def _figures(names) -> None:
    training = _figure(
        names,
        "training",
        results.figure_training,
        "loss and accuracy against epoch",
        "--histories results/demo/cct/seed*/history.csv",
    )
    training.add_argument(
        "--histories", type=Path, nargs="+", required=True, help="history.csv of every seed"
    )
    accuracy = _figure(
        names,
        "accuracy",
        results.figure_accuracy,
        "accuracy against block for every tap",
        "--statistics results/demo/cct/statistics/*.nc",
    )
    _with_statistics(accuracy)
    clusters = _figure(
        names,
        "clusters",
        results.figure_clusters,
        "N_c, C_s, diag and n against block (P1 Table 1)",
        f"--statistics {STATISTICS}",
    )
    _with_statistics(clusters)
    snr = _figure(
        names,
        "snr",
        results.figure_snr,
        "SNR and SNR_MIN against threshold (P1 Fig. 5)",
        f"--statistics {STATISTICS}",
    )
    _with_statistics(snr)
    labels = _figure(
        names,
        "labels",
        results.figure_labels,
        "appearances and diagonal field of every label (P1 Fig. 4)",
        f"--statistics {STATISTICS} --nodes results/demo/cct/seed*/nodes/block.nc",
    )
    _with_statistics(labels)
    labels.add_argument("--nodes", type=Path, nargs="+", required=True, help="nodes files of the same seeds")
    labels.add_argument("--block", type=int, help="encoder block, from 1 (default: the last)")
    _matrix(names)


def _matrix(names) -> None:
    matrix = _figure(
        names,
        "matrix",
        results.figure_matrix,
        "matrix of one node or head: raw, clipped, permuted into clusters (P1 Fig. 3)",
        "--moments results/demo/cct/seed1/moments/block.nc --block 3 --node 5",
    )
    matrix.add_argument("--moments", type=Path, required=True, help="moments file of one seed")
    matrix.add_argument("--block", type=int, help="encoder block, from 1 (default: the last)")
    which = matrix.add_mutually_exclusive_group()
    which.add_argument(
        "--node",
        type=int,
        help="node, from 1 (default: one with two clusters of two or more labels and an average diag)",
    )
    which.add_argument("--head", type=int, help="attention head, from 1, in place of a node")
    _with_settings(matrix)


def _group(commands, name: str, summary: str, example: str):
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"help for one of them:\n  symbreak {name} {example} --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser.add_subparsers(dest="name", required=True, metavar="NAME")


def _add(names, name: str, run: Run, summary: str, example: str) -> argparse.ArgumentParser:
    parser = names.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  symbreak {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _figure(names, name: str, run: Run, summary: str, example: str) -> argparse.ArgumentParser:
    parser = _add(names, name, run, summary, f"figure {name} {example} --output {name}.png")
    parser.add_argument("--output", type=Path, required=True, help="file to write: .png, .pdf or .svg")
    return parser


def _with_statistics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--statistics",
        type=Path,
        nargs="+",
        required=True,
        help="statistics files, joined over seeds or of one seed each; a file's name is its tap",
    )
    _with_settings(parser)


def _with_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, help="experiment file (default: the experiment kept in the data file)"
    )
    parser.add_argument(
        "--threshold", type=float, help="fraction of the largest field (default: the experiment's)"
    )
