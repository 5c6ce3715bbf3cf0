"""What the Snakemake workflow catalogue asks for, and this workflow as a module of another."""

import importlib.metadata
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny import SETTINGS

from symbreak.config.catalogue import catalogue

ROOT = Path(__file__).parents[1]
MODULE = """
configfile: "config/mine.yaml"


module symbreak:
    snakefile:
        "{root}/workflow/Snakefile"
    config:
        config


use rule * from symbreak
"""


def test_page_on_the_experiments_is_current():
    assert (ROOT / "config/README.md").read_text() == catalogue(ROOT / "config"), "run `make docs`"


def test_page_names_every_file_and_the_keys():
    page = catalogue(ROOT / "config")
    files = [path.name for path in (ROOT / "config").glob("*.yaml") if not path.is_symlink()]
    assert all(f"- `{name}`: " in page for name in files)
    assert "### `training`" in page and "| `processes` |" in page


def test_catalogue_finds_all_that_it_asks_for():
    """https://snakemake.github.io/snakemake-workflow-catalog/docs/about/adding_workflows.html"""
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme
    assert (ROOT / "workflow/Snakefile").exists() and list((ROOT / "workflow/rules").glob("*.smk"))
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) <= {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["software-stack-deployment"] == {"conda": True, "report": True}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    copied = ROOT / "config" / "config.yaml"  # what a deployed workflow reads
    assert copied.read_text() == (ROOT / "config" / "demo.yaml").read_text()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A workflow elsewhere that uses this one, with nothing of ours beside it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "workflow").mkdir()
    (folder / "workflow" / "Snakefile").write_text(MODULE.format(root=ROOT))
    (folder / "config").mkdir()
    settings = SETTINGS | {
        "name": "mine",
        "seeds": [1],
        "probes": SETTINGS["probes"] | {"taps": ["attention"]},
    }
    (folder / "config" / "mine.yaml").write_text(yaml.safe_dump(settings))
    return folder


def snakemake(*arguments, cwd):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"PATH": path, "OMP_NUM_THREADS": "1"}
    command = ["snakemake", *arguments, "--cores", "2"]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.mark.workflow
def test_dry_run_as_a_module(elsewhere):
    answer = snakemake("--dry-run", cwd=elsewhere)
    jobs = answer.stdout + answer.stderr
    assert answer.returncode == 0, jobs[-3000:]
    assert "Train small, seed 1" in jobs and "rule all" in jobs


@pytest.mark.workflow
@pytest.mark.slow
def test_run_as_a_module_from_images_to_statistics(elsewhere):
    target = "results/mine/small/seed1/statistics/attention.nc"
    answer = snakemake(target, cwd=elsewhere)
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]
    assert (elsewhere / target).exists()
    written = yaml.safe_load((elsewhere / "results/mine/experiment.yaml").read_text())
    assert written["name"] == "mine" and written["seeds"] == [1]


def test_the_package_is_found_without_being_installed(elsewhere):
    """The jobs above must not have leant on an installed package: their path names the checkout."""
    program = "import os, sys; print(os.environ['PYTHONPATH'].split(os.pathsep)[0])"
    rule = f'rule where:\n    output: "where.txt"\n    shell: "python -c \\"{program}\\" > where.txt"\n'
    (elsewhere / "check.smk").write_text(f"{MODULE.format(root=ROOT)}\n\n{rule}")
    answer = snakemake("where.txt", "--snakefile", "check.smk", cwd=elsewhere)
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert (elsewhere / "where.txt").read_text().strip() == str(ROOT)


@pytest.mark.workflow
def test_commands_of_the_continuous_integration_exist(tmp_path):
    """Nobody here has conda; that the rest of the command is right can be seen without it."""
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert "make test" in commands and "\ntest: " in (ROOT / "Makefile").read_text()
    (run,) = [command for command in commands if "--use-conda" in command]
    words = [word for word in shlex.split(run) if word != "--use-conda"]
    for name in ("Snakefile", "workflow", "config", "symbreak", "environment.yml", "profiles"):
        (tmp_path / name).symlink_to(ROOT / name)
    answer = snakemake(*words[1:], "--dry-run", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert "Train cct, seed 1" in answer.stdout + answer.stderr
    paths = [word for command in commands for word in command.split() if word.startswith("tests/")]
    assert paths and all((ROOT / path).exists() for path in paths)


@pytest.mark.workflow
def test_dry_run_as_a_module_fetched_from_a_repository(tmp_path):
    """As snakedeploy writes it, from this repository in place of a public one; the package is installed."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    installed = {found.name for found in importlib.metadata.distributions()}
    if head.returncode or "symbreak" not in installed:
        pytest.skip("this is no clone, or the package is not installed")
    fetched = f'gitfile("{ROOT}", path="workflow/Snakefile", commit="{head.stdout.strip()}")'
    (tmp_path / "Snakefile").write_text(MODULE.replace('"{root}/workflow/Snakefile"', fetched))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "mine.yaml").write_text(yaml.safe_dump(SETTINGS))
    answer = snakemake("--dry-run", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert "Train small, seed 2" in answer.stdout + answer.stderr
