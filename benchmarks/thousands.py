"""What a thousand trainings cost the machine that plans and judges them.

python -m benchmarks.thousands --seeds 50      # dry run of 20 networks with so many seeds
python -m benchmarks.thousands --members 1000  # committees of so many members, 10,000 images, 100 labels
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from symbreak.observables import Member, committee_tables

ROOT = Path(__file__).parents[1]
NETWORKS, IMAGES, LABELS = 20, 10_000, 100


def dry_run(seeds):
    """Processor seconds and memory in MB of `snakemake -n` for 20 networks of so many seeds."""
    together = min(50, seeds)
    experiment = {
        "name": "many",
        "seeds": list(range(1, seeds + 1)),
        "networks": {f"net{number}": {"architecture": "cct_2_3x2", "dim": 16} for number in range(NETWORKS)},
        "probes": {"taps": ["attention"]},
        "compute": {"seeds_per_job": together},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in ("Snakefile", "workflow", "config", "symbreak", "environment.yml", "profiles"):
            (Path(folder) / name).symlink_to(ROOT / name)
        (Path(folder) / "many.yaml").write_text(yaml.safe_dump(experiment))
        paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
        command = ["snakemake", "--dry-run", "--quiet", "all", "--configfile", "many.yaml"]
        environment = os.environ | {"PATH": os.pathsep.join(paths)}
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return together, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def members(number):
    """Networks whose outputs are noise and a little of the truth, one at a time."""
    truth = np.arange(IMAGES) % LABELS
    for member in range(number):
        fields = np.random.default_rng(member).standard_normal((IMAGES, LABELS), dtype=np.float32)
        fields[np.arange(IMAGES), truth] += 2
        yield Member(f"net{member // 50}", member % 50, fields, truth, "drawn", 10.0 + member // 50)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--members", type=int)
    options = parser.parse_args()
    if options.seeds:
        together, seconds, memory = dry_run(options.seeds)
        print(
            f"dry run of {NETWORKS} networks x {options.seeds} seeds, {together} in a job: {seconds:.0f} s, "
            f"{memory:.0f} MB"
        )
    if options.members:
        start = time.process_time()
        committee_tables(members(options.members))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(
            f"committees of {options.members} members: {time.process_time() - start:.0f} s, {memory:.0f} MB"
        )


if __name__ == "__main__":
    main()
