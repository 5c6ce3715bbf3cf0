"""How long verbs take before they do anything, and the workflow before it starts a job."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from symbreak.config import dump, read
from symbreak.observables import block_tables
from symbreak.planted import moments_example
from symbreak.store import provenance, write_dataset


def wall_time(*command, repetitions=3):
    """Smallest wall time of some runs of a command, after one that warms up."""
    times = []
    for _ in range(repetitions + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def measure(quick=False):
    """Seconds with the values not to exceed."""
    repetitions = 1 if quick else 3
    experiment = read("config/demo.yaml")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        example = moments_example()
        known = {"seed": 0, "dataset": "none", "dataset_sha256": "", "precision": "fp32", "device": "cpu"}
        facts = provenance(experiment, title="planted", source="planted", **known)
        write_dataset(folder / "moments" / "block.nc", example, "moments", facts)
        table, _ = block_tables(example, experiment.statistics)
        write_dataset(folder / "statistics" / "block.nc", table, "statistics", facts)
        (folder / "demo.yaml").write_text(dump(experiment.model_dump(mode="json")))

        def verb(*arguments):
            return wall_time(sys.executable, "-m", "symbreak", *arguments, repetitions=repetitions)

        settings = ("--config", str(folder / "demo.yaml"))
        statistics = str(folder / "statistics" / "block.nc")
        seconds = {
            "symbreak --help": (verb("--help"), 0.3),
            "symbreak validate, an experiment file": (verb("validate", str(folder / "demo.yaml")), 1.5),
            "symbreak scan, a small file": (
                verb("scan", *settings, "--folder", name, "--taps", "block"),
                1.5,
            ),
            "symbreak table clusters": (verb("table", "clusters", "--statistics", statistics), 1.5),
        }
    plan = ("snakemake", "--dry-run", "--cores", "1", "--configfile", "config/cifar100.yaml")
    seconds["snakemake -n, config/cifar100.yaml"] = (wall_time(*plan, repetitions=1), 10.0)
    return seconds


if __name__ == "__main__":
    for name, (value, goal) in measure().items():
        print(f"{name:45s} {value:6.2f} s  at most {goal}")
