"""Time of a whole experiment, rule by rule: of a finished run, or in miniature."""

import csv
import tempfile
import time
from pathlib import Path

from benchmarks.parity import SETTINGS
from symbreak.cli import main as symbreak
from symbreak.config import dump


def finished(folder=Path("results/demo")):
    """Seconds of each rule of a finished run, summed over its jobs, as Snakemake has measured them."""
    seconds = {}
    for path in sorted((folder / "benchmarks").glob("*/*.tsv")):
        with open(path, newline="") as handle:
            taken = sum(float(row["s"]) for row in csv.DictReader(handle, delimiter="\t"))
        seconds[path.parent.name] = seconds.get(path.parent.name, 0.0) + taken
    return seconds


def miniature():
    """Seconds of the verbs that make the statistics of one small network, in this process."""
    small = {"epochs": 1, "warmup_epochs": 0, "validate_every": 1}
    settings = SETTINGS | {"training": SETTINGS["training"] | small}
    settings |= {"probes": {"taps": ["attention", "block"], "epochs": 1}}
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "small.yaml"
        config.write_text(dump(settings))
        common = ("--config", str(config), "--folder", folder)
        for verb, more in (
            ("train", ("--network", "cct", "--seed", "1")),
            *((name, ()) for name in ("probe", "measure", "scan", "heads")),
        ):
            start = time.perf_counter()
            if symbreak([verb, *common, *more]):
                raise SystemExit(f"The verb {verb} failed.")
            seconds[verb] = time.perf_counter() - start
    return seconds


def section():
    """The part of the page, as lines of Markdown."""
    seconds = finished()
    if seconds:
        title = "Seconds of each rule of the finished run in `results/demo`, summed over its jobs."
    else:
        seconds = miniature()
        title = "In miniature, as there is no finished run in `results/demo`: one network, one epoch."
    total = sum(seconds.values())
    lines = ["## A whole experiment", "", title, "", "| rule | seconds | share |", "|---|---|---|"]
    for name, taken in sorted(seconds.items(), key=lambda item: -item[1]):
        lines.append(f"| {name} | {taken:,.1f} | {taken / total:.0%} |")
    return [*lines, f"| all | {total:,.1f} | |", ""]


if __name__ == "__main__":
    print("\n".join(section()))
