"""Pruning in the workflow: nothing by default, one job for each network and seed with studies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny import SETTINGS

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

pytestmark = pytest.mark.workflow


def dry_run(folder, settings):
    for name in ("Snakefile", "workflow", "config", "symbreak", "environment.yml", "profiles"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(settings))
    answer = subprocess.run(
        ["snakemake", "--dry-run", "--cores", "1", "--configfile", "tiny.yaml"],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    return answer.stdout + answer.stderr


def test_studies_add_a_job_for_each_seed_and_networks_have_their_own_studies(tmp_path):
    networks = SETTINGS["networks"] | {"vgg": {"architecture": "vgg_6", "inner_channels": 4}}
    probes = SETTINGS["probes"] | {"taps": ["attention", "block", "filters"]}
    studies = {"readout": {"layers": ["readout"]}, "last": {}}
    settings = SETTINGS | {"networks": networks, "probes": probes, "pruning": {"studies": studies}}
    jobs = dry_run(tmp_path, settings)
    assert "Prune small, seed 2" in jobs and "Prune vgg, seed 1" in jobs
    assert "results/tiny/figures/small/pruning/curves.png" in jobs
    assert "results/tiny/small/seed1/pruning/last.nc" in jobs
    assert "results/tiny/vgg/seed1/pruning/readout.nc" in jobs
    assert "results/tiny/vgg/seed1/pruning/last.nc" not in jobs


def test_without_studies_there_is_no_job(tmp_path):
    assert "prun" not in dry_run(tmp_path, SETTINGS).lower()
