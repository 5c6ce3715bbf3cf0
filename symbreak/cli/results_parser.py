"""Arguments of the verbs that make tables and figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from symbreak.cli import heads, results, results_all
from symbreak.cli.network_parser import add_network_results

Run = Callable[[argparse.Namespace], None]

ONE = "--statistics results/demo/cct/statistics/block.nc"
EVERY = "--statistics results/demo/cct/statistics/*.nc"
NULL = "--null results/demo/cct/null/block.nc"
SEEDS = "--moments results/demo/cct/seed*/moments/block.nc"


def add_results_verbs(commands) -> None:
    """Add `null`, `table` and `figure` (one, by name), `tables` and `figures` (all of a network)."""
    null = _add(
        commands,
        "null",
        results_all.null,
        "statistics of linear-Gaussian worlds as accurate as the measured blocks",
        "null --folder results/demo/cct --taps block",
    )
    _with_folder(null)
    null.add_argument("--taps", nargs="+", help="taps (default: all that have nodes)")
    null.add_argument("--threads", type=int, default=1, help="processor threads (default: %(default)s)")
    _attention(commands)
    one_table = _group(commands, "table", "write one table of results as CSV and HTML", "clusters")
    one_figure = _group(commands, "figure", "draw one figure as PNG, PDF or SVG", "matrix")
    _tables(one_table)
    _figures(one_figure)
    add_network_results(_add, one_table, one_figure)
    for name, run, what in (
        ("tables", results_all.tables, "write all tables of a network, or those asked for"),
        ("figures", results_all.figures, "draw all figures of a network, or those asked for"),
    ):
        example = f"{name} --folder results/demo/cct --parts block --output results/demo/{name}/cct"
        parser = _add(commands, name, run, what, example)
        _with_folder(parser)
        parser.add_argument("--output", type=Path, required=True, help="folder to write to")
        parser.add_argument(
            "--parts", nargs="+", help="taps, and `network` for what concerns all of them (default: all)"
        )
        parser.add_argument("--names", nargs="+", help=f"names of {name} (default: all that the files allow)")
    parser.add_argument(
        "--formats", nargs="+", choices=("png", "pdf", "svg"), default=["png"], help="(default: png)"
    )


def _attention(commands) -> None:
    attention = _add(
        commands,
        "attention",
        heads.attention,
        "compare the attention maps of the heads over all validation images (P1 Fig. 9)",
        "attention --config config/demo.yaml --folder results/demo/cct/seed1",
    )
    attention.add_argument(
        "--config", type=Path, default=Path("config/demo.yaml"), help="experiment file (default: %(default)s)"
    )
    attention.add_argument(
        "--folder", type=Path, required=True, help="folder of the seed; attention/ goes there"
    )
    attention.add_argument("--block", type=int, help="encoder block, from 1 (default: all)")
    attention.add_argument("--threads", type=int, default=1, help="processor threads (default: %(default)s)")


def _tables(names) -> None:
    for name, run, what, files in (
        ("clusters", results.table_clusters, "accuracy, clusters and noise of every block (P1 Table 1)", ONE),
        ("snr", results.table_snr, "signal, noise and their ratio of every block (P1 Table 2)", ONE),
        ("taps", results.table_taps, "all taps of one block, skip connections in and out", EVERY),
        (
            "networks",
            results.table_networks,
            "last blocks of several networks side by side, nodes and filters",
            "--statistics results/demo/*/statistics/*.nc",
        ),
        (
            "head-networks",
            results.table_head_networks,
            "heads of the last blocks of several networks side by side (P2 Table 2)",
            "--heads results/demo/*/heads/attention.nc",
        ),
        (
            "attention",
            results.table_attention,
            "attention maps of the heads that recognise a label, beside chance (P1 Fig. 9)",
            "--attention results/demo/cct/seed*/attention/attention.nc",
        ),
        (
            "null",
            results.table_null,
            "network beside linear-Gaussian worlds of its accuracy",
            f"{ONE} {NULL}",
        ),
        ("robustness", results.table_robustness, "how far statistics move under the open choices", SEEDS),
    ):
        example = f"table {name} {files} --output {name}.csv --html {name}.html"
        parser = _add(names, name, run, what, example)
        if name == "robustness":
            parser.add_argument(
                "--moments", type=Path, nargs="+", required=True, help="moments file of every seed"
            )
            _with_settings(parser)
        elif name == "attention":
            parser.add_argument(
                "--attention", type=Path, nargs="+", required=True, help="attention file of every seed"
            )
        elif name == "head-networks":
            parser.add_argument(
                "--heads", type=Path, nargs="+", required=True, help="heads file of every network"
            )
            _with_settings(parser)
        else:
            _with_statistics(parser)
        if name == "taps":
            parser.add_argument("--block", type=int, help="encoder block, from 1 (default: the last)")
        if name == "null":
            _with_null(parser)
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
        EVERY,
    )
    _with_statistics(accuracy)
    clusters = _figure(
        names,
        "clusters",
        results.figure_clusters,
        "N_c, C_s, diag and n against block (P1 Table 1)",
        ONE,
    )
    _with_statistics(clusters)
    snr = _figure(
        names,
        "snr",
        results.figure_snr,
        "SNR and SNR_MIN against threshold (P1 Fig. 5)",
        ONE,
    )
    _with_statistics(snr)
    null = _figure(
        names,
        "null",
        results.figure_null,
        "SNR and SNR_MIN of the network and of linear-Gaussian worlds",
        f"{ONE} {NULL}",
    )
    _with_statistics(null)
    _with_null(null)
    labels = _figure(
        names,
        "labels",
        results.figure_labels,
        "appearances and diagonal field of every label (P1 Fig. 4)",
        f"{ONE} --nodes results/demo/cct/seed*/nodes/block.nc",
    )
    _with_statistics(labels)
    labels.add_argument("--nodes", type=Path, nargs="+", required=True, help="nodes files of the same seeds")
    labels.add_argument("--block", type=int, help="encoder block, from 1 (default: the last)")
    _matrix(names)
    attention = _figure(
        names,
        "attention",
        results.figure_attention,
        "attention maps of every head for chosen images, similarities of all (P1 Fig. 9)",
        "--attention results/demo/cct/seed1/attention/attention.nc",
    )
    attention.add_argument("--attention", type=Path, required=True, help="attention file of one seed")
    attention.add_argument("--block", type=int, help="encoder block, from 1 (default: the last)")


def _matrix(names) -> None:
    matrix = _figure(
        names,
        "matrix",
        results.figure_matrix,
        "matrix of any node, head or filter: raw, clipped, permuted into clusters (P1 Fig. 3)",
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
    which.add_argument("--filter", type=int, help="filter of a convolution, from 1, in place of a node")
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


def _with_null(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--null", type=Path, nargs="+", required=True, help="what `symbreak null` wrote")


def _with_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=Path("config/demo.yaml"), help="experiment file (default: %(default)s)"
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="folder of the network, holding statistics/ and seed*/"
    )
