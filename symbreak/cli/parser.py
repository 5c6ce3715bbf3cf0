"""Arguments of every verb."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from symbreak import __version__
from symbreak.cli import committee, evolution, heads, verbs
from symbreak.cli.checks_parser import add_check_verbs
from symbreak.cli.network_parser import add_network_verbs
from symbreak.cli.null import add_null
from symbreak.cli.pruning_parser import add_pruning_verbs
from symbreak.cli.reproduction import add_reproduction
from symbreak.cli.results import add_results_verbs
from symbreak.cli.study import add_study_verbs
from symbreak.cli.taps import add_taps_verb

Verb = Callable[[argparse.Namespace], None]


def build_parser() -> argparse.ArgumentParser:
    """Parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="symbreak",
        description="Measure how the heads and nodes of a trained network divide labels among themselves.",
        epilog="The workflow calls these verbs: snakemake --cores all. Each has --help with an example.",
    )
    parser.add_argument("--version", action="version", version=f"symbreak {__version__}")
    commands = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _learning(commands)
    _analysis(commands)
    _heads(commands)
    _evolution(commands)
    _committees(commands)
    add_network_verbs(commands, _verb)
    add_taps_verb(commands, _verb)
    add_study_verbs(commands, _verb)
    add_pruning_verbs(commands, _verb)
    add_null(commands, _verb)
    add_results_verbs(commands, _verb)
    add_reproduction(commands, _verb)
    _service(commands)
    return parser


def _verb(commands, name: str, run: Verb, summary: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example:\n  symbreak {name} {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _with_config(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--config", type=Path, default=Path("config/demo.yaml"), help="experiment file (default: %(default)s)"
    )
    return parser


def _with_threads(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--threads", type=_positive, default=1, help="processor threads (default: %(default)s)"
    )
    return parser


def _learning(commands) -> None:
    train = _with_threads(
        _with_config(
            _verb(
                commands,
                "train",
                verbs.train,
                "train one network of an experiment; a killed training goes on where it stopped",
                "--config config/demo.yaml --network cct --seed 1 --folder results/demo/cct/seed1",
            )
        )
    )
    train.add_argument("--network", required=True, help="name of the network in the experiment")
    train.add_argument("--seed", type=int, required=True, help="seed of the training")
    train.add_argument(
        "--folder", type=Path, required=True, help="where network.safetensors and history.csv go"
    )
    probe = _with_threads(
        _with_config(
            _verb(
                commands,
                "probe",
                verbs.probe,
                "train the classifier heads of every tap and block in one frozen pass",
                "--config config/demo.yaml --folder results/demo/cct/seed1",
            )
        )
    )
    probe.add_argument(
        "--folder", type=Path, required=True, help="folder of network.safetensors; probes/ goes there"
    )
    measure = _with_threads(
        _with_config(
            _verb(
                commands,
                "measure",
                verbs.measure,
                "accumulate label means, head accuracies and output fields in one pass",
                "--config config/demo.yaml --folder results/demo/cct/seed1",
            )
        )
    )
    measure.add_argument(
        "--folder", type=Path, required=True, help="folder of the seed; moments/ and logits/ go there"
    )


def _analysis(commands) -> None:
    scan = _with_threads(
        _with_config(
            _verb(
                commands,
                "scan",
                verbs.scan,
                "matrices, clusters and signal-to-noise ratio of all nodes at all thresholds",
                "--config config/demo.yaml --folder results/demo/cct/seed1",
            )
        )
    )
    scan.add_argument(
        "--folder", type=Path, required=True, help="folder of the seed; statistics/ and nodes/ go there"
    )
    scan.add_argument("--taps", nargs="+", help="taps to scan (default: all of the experiment)")
    join = _verb(
        commands,
        "join",
        verbs.join,
        "stack the results of several seeds along the dimension seed",
        "results/demo/cct/seed1 results/demo/cct/seed2 --names statistics/block.nc --output results/demo/cct",
    )
    join.add_argument("folders", type=Path, nargs="+", help="folders of the seeds")
    join.add_argument("--names", nargs="+", required=True, help="files to join, below each folder")
    join.add_argument("--output", type=Path, required=True, help="folder to write to")


def _heads(commands) -> None:
    of_seed = _with_threads(
        _with_config(
            _verb(
                commands,
                "heads",
                heads.heads,
                "which head stands for which label, beside what chance gives",
                "--config config/demo.yaml --folder results/demo/cct/seed1",
            )
        )
    )
    of_seed.add_argument("--folder", type=Path, required=True, help="folder of the seed; heads/ goes there")
    of_network = _with_config(
        _verb(
            commands,
            "replicas",
            heads.replicas,
            "compare how the heads of different seeds and blocks divide the labels",
            "--config config/demo.yaml --folder results/demo/cct",
        )
    )
    of_network.add_argument(
        "--folder", type=Path, required=True, help="folder of the network, with its joined heads/"
    )
    for parser in (of_seed, of_network):
        parser.add_argument("--taps", nargs="+", help="taps to analyse (default: heads.taps)")
    attention = _with_threads(
        _with_config(
            _verb(
                commands,
                "attention",
                heads.attention,
                "compare the attention maps of the heads over all validation images (P1 Fig. 9)",
                "--config config/demo.yaml --folder results/demo/cct/seed1",
            )
        )
    )
    attention.add_argument(
        "--folder", type=Path, required=True, help="folder of the seed; attention/ goes there"
    )
    attention.add_argument("--block", type=int, help="encoder block, from 1 (default: all)")


def _evolution(commands) -> None:
    of_seed = _with_threads(
        _with_config(
            _verb(
                commands,
                "evolve",
                evolution.evolve,
                "follow the heads of a network through its training, where its weights were kept",
                "--config config/demo.yaml --folder results/demo/cct/seed1",
            )
        )
    )
    of_seed.add_argument(
        "--folder",
        type=Path,
        required=True,
        help="folder of the seed, with checkpoints/; evolution/ goes there",
    )


def _committees(commands) -> None:
    judge = _with_config(
        _verb(
            commands,
            "committee",
            committee.committee,
            "judge the soft committees of the trained networks from their saved outputs (P2 section 4)",
            "--config config/demo.yaml --folder results/demo",
        )
    )
    judge.add_argument(
        "--folder", type=Path, required=True, help="folder of the experiment; committee.nc goes there"
    )
    page = _verb(
        commands,
        "papers",
        committee.papers,
        "print every table of both papers: reproduced at full budget, in miniature, or not run",
        "docs/data/cifar100_cpu > docs/papers.md",
    )
    page.add_argument(
        "folders", type=Path, nargs="*", help="folders of experiments (default: results/* and docs/data/*)"
    )
    page.add_argument("--html", type=Path, help="write the page as HTML to this file")


def _service(commands) -> None:
    configure = _verb(
        commands,
        "configure",
        verbs.configure,
        "check settings and write them out in full, defaults included",
        """--settings '{"name": "mine", "networks": {"small": {"dim": 64}}}' --output mine.yaml""",
    )
    source = configure.add_mutually_exclusive_group(required=True)
    source.add_argument("--settings", help="settings as JSON")
    source.add_argument("--config", type=Path, help="experiment file")
    configure.add_argument("--output", type=Path, help="file to write (default: standard output)")
    schema = _verb(
        commands,
        "schema",
        verbs.schema,
        "print the keys of an experiment file, experiments in config/, what result files hold, or results",
        "--format markdown > docs/configuration.md",
    )
    schema.add_argument(
        "--of",
        choices=("experiment", "files", "config", "results"),
        default="experiment",
        help="(default: %(default)s)",
    )
    schema.add_argument(
        "--format", choices=("json", "markdown"), default="markdown", help="(default: %(default)s)"
    )
    _verb(commands, "compile", verbs.compile_kernels, "compile the kernels ahead of their first use", "")
    where = _verb(
        commands, "where", verbs.where, "say where the results of an experiment are", "results/demo"
    )
    where.add_argument("folder", type=Path, help="folder of the experiment")
    add_check_verbs(commands, _verb)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
