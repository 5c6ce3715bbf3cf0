"""The workflow: style, dry runs of every shipped experiment, a whole run in miniature."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr
import yaml
from tiny import SETTINGS

from symbreak.config import read
from symbreak.config.stages import digest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ENVIRONMENT = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}

pytestmark = pytest.mark.workflow


def snakemake(*arguments, cwd=ROOT):
    return subprocess.run(
        ["snakemake", "--cores", "2", *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A checkout of its own, so that nothing of a user's results is touched."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("Snakefile", "workflow", "config", "symbreak", "environment.yml", "profiles"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(SETTINGS))
    return folder


SHIPPED = sorted(path for path in (ROOT / "config").glob("*.yaml") if not path.is_symlink())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_dry_run_of_every_shipped_experiment(path, copy):
    answer = snakemake("--dry-run", "--configfile", str(path), cwd=copy)
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert "rule all" in answer.stdout + answer.stderr


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_both_entry_points_have_the_default_target(copy, snakefile):
    answer = snakemake("--dry-run", "--snakefile", snakefile, cwd=copy)
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert "rule all" in answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("sedes=1", "did you mean `seeds`"),
        ("seeds=[one]", "`seeds.0`"),
        ("name=a/b", "`name`"),
        ("data={seed: 1, seed: 2}", "`seed` comes twice"),
        ("name=2024_06", "put it in quotes"),
        ("data={download: 1}", "true or false"),
        ("committee=", "write committee=null"),
    ],
)
def test_wrong_settings_stop_the_workflow_in_one_sentence(copy, wrong, words):
    answer = snakemake("--dry-run", "--config", wrong, cwd=copy)
    assert answer.returncode == 2
    assert words in answer.stderr and "Traceback" not in answer.stderr


def test_seeds_may_be_given_on_the_command_line(copy):
    answer = snakemake("--dry-run", "--configfile", "tiny.yaml", "--config", "seeds=[3,4,5]", cwd=copy)
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert "Train small, seed 5" in answer.stdout + answer.stderr


def test_a_command_line_means_what_a_file_means(copy):
    changes = ["data={seed: 010, train_per_label: null}", "committee=null", "training={mixup: 1e-3}"]
    answer = snakemake("--dry-run", "--configfile", "tiny.yaml", "--config", *changes, cwd=copy)
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert "soft committees" not in answer.stdout + answer.stderr
    plain = snakemake("--dry-run", "--configfile", "tiny.yaml", cwd=copy)
    assert "soft committees" in plain.stdout + plain.stderr


def test_an_experiment_file_stands_alone(copy):
    """Keys of the demo must not leak into another experiment."""
    answer = snakemake("--dry-run", "--configfile", "tiny.yaml", cwd=copy)
    assert "results/tiny" in answer.stdout + answer.stderr
    assert "results/demo" not in answer.stdout + answer.stderr


def test_kept_weights_add_the_symmetry_breaking_curve_and_nothing_by_default(copy):
    answer = snakemake(
        "--dry-run", "--configfile", "tiny.yaml", "--config", "training={checkpoints: log}", cwd=copy
    )
    jobs = answer.stdout + answer.stderr
    assert answer.returncode == 0, jobs[-2000:]
    assert "Follow the heads of small, seed 2, through the training" in jobs
    assert "results/tiny/figures/small/attention/heads_evolution.png" in jobs
    plain = snakemake("--dry-run", "--configfile", "tiny.yaml", cwd=copy)
    assert plain.returncode == 0 and "evolution" not in plain.stdout + plain.stderr


@pytest.fixture(scope="module")
def finished(copy):
    answer = snakemake("--configfile", "tiny.yaml", cwd=copy)
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-4000:]
    return copy


def test_whole_run_leaves_tables_figures_and_netcdf(finished):
    results = finished / "results" / "tiny"
    for tap in SETTINGS["probes"]["taps"]:
        with xr.open_dataset(results / "small" / "statistics" / f"{tap}.nc") as joined:
            assert joined.seed.values.tolist() == [1, 2]
            assert (joined.snr_stderr >= 0).any()
    assert list(results.rglob("tables/**/*.csv"))
    summary = (results / "summary.html").read_text()
    assert "Block 2: the heads divide the labels" in summary and summary.count("data:image/png") == 6
    assert "CPU seconds" in summary and "SNR rises along the blocks" in summary
    figures = list(results.rglob("figures/**/*.png"))
    assert figures and all(path.stat().st_size > 5000 for path in figures)
    assert not list(results.rglob(".*"))


def test_a_second_run_does_nothing(finished):
    answer = snakemake("--configfile", "tiny.yaml", cwd=finished)
    assert "Nothing to be done" in answer.stdout + answer.stderr


def test_a_job_may_take_several_seeds_and_computes_the_same(finished):
    """Results of a seed do not depend on how many of them a job takes."""
    changes = ["name=batched", "seeds=[1,2,3]", "compute={seeds_per_job: 2, device: cpu, precision: fp32}"]
    plan = snakemake("--dry-run", "--configfile", "tiny.yaml", "--config", *changes, cwd=finished)
    said = plan.stdout + plan.stderr
    assert plan.returncode == 0, said[-2000:]
    assert "Train small, seeds 1 to 2" in said and "Train small, seed 3" in said
    wanted = [f"results/batched/small/seed2/{kind}/attention.nc" for kind in ("statistics", "heads")]
    answer = snakemake(*wanted, "--configfile", "tiny.yaml", "--config", *changes, cwd=finished)
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]
    assert not (finished / "results/batched/small/seed3").exists()
    for path in map(Path, wanted):
        with (
            xr.open_dataset(finished / path) as one,
            xr.open_dataset(str(finished / path).replace("batched", "tiny")) as other,
        ):
            assert one.drop_attrs().identical(other.drop_attrs())


GPU_JOBS = """
rule all:
    input:
        "1.gpu",
        "2.gpu",


rule one:
    output:
        "{n}.gpu",
    resources:
        gpu_jobs=1,
    shell:
        "date +%s%N > {output}; sleep 1; date +%s%N >> {output}"
"""


def test_jobs_with_a_gpu_queue_for_it_on_one_machine(copy):
    (copy / "gpu.smk").write_text(GPU_JOBS)
    answer = snakemake("--snakefile", "gpu.smk", cwd=copy)
    assert answer.returncode == 0, answer.stderr[-2000:]
    first, second = sorted([int(line) for line in (copy / f"{n}.gpu").read_text().split()] for n in (1, 2))
    assert first[1] <= second[0]


def test_data_of_files_are_provided_once_on_this_machine_before_any_training(copy):
    for name, expected in {"cifar100": 1, "demo": 0}.items():
        answer = snakemake("--dry-run", "--configfile", str(ROOT / "config" / f"{name}.yaml"), cwd=copy)
        said = answer.stdout + answer.stderr
        assert said.count("localrule data:") + said.count("Fetch and check the data") == expected


SUBMIT = """#!/bin/sh
echo "$@" >> submitted
sh "$1" > /dev/null 2>&1 < /dev/null &
echo $!
"""


def test_a_generic_batch_system_runs_the_jobs(copy):
    (copy / "submit").write_text(SUBMIT)
    (copy / "submit").chmod(0o755)
    log = "results/generic/logs/train/small.seed7.log"
    wanted = "results/generic/small/seed7/network.safetensors"
    arguments = [wanted, "--profile", "profiles/generic", "--cluster-generic-submit-cmd", "./submit"]
    arguments += [
        "--configfile",
        "tiny.yaml",
        "--config",
        "name=generic",
        "seeds=[7]",
        "--latency-wait",
        "60",
    ]
    answer = snakemake(*arguments, cwd=copy)
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]
    assert (copy / wanted).exists() and (copy / log).exists()
    assert len((copy / "submitted").read_text().splitlines()) == 1


def test_a_job_that_fails_fails_the_workflow_and_its_sentence_is_in_the_log(copy):
    """What a verb says goes through `tee`, which must not swallow its exit status."""
    damaged = copy / "results/broken/small/seed7/network.safetensors"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"no weights")
    (damaged.parent / "history.csv").write_text("epoch\n")
    wanted = str(damaged.relative_to(copy).parent / "probes/probes.safetensors")
    changes = ["name=broken", "seeds=[7]"]
    answer = snakemake(wanted, "--configfile", "tiny.yaml", "--config", *changes, cwd=copy)
    assert answer.returncode == 1, answer.stderr[-2000:]
    log = (copy / "results/broken/logs/probe/small.seed7.log").read_text()
    assert log.startswith("symbreak probe: ") and "network.safetensors" in log and "Traceback" not in log
    assert not (copy / wanted).exists() and damaged.read_bytes() == b"no weights"


PAGES = {f"experiment_{part}" for part in ("committees", "heads", "nodes", "summary")}
HEADS = {"heads", "join_heads", "replicas", "tap_heads"}
SCANS = HEADS | {"scan", "null", "join_statistics", "tap_nodes", "network_nodes", "network_training"}
#: Change -> rules that run again on the finished experiment.
RERUNS = {
    "data={root: elsewhere, download: false} training={checkpoint_seconds: 9, validate_every: 2} "
    "probes={cache: 0} compute={partner_seconds: 9}": set(),
    "data={validation_per_label: 6}": SCANS | PAGES | {"measure", "attention", "committee"},
    "heads={ratio: 3}": HEADS | PAGES - {"experiment_nodes"},
    "statistics={thresholds: 19}": SCANS | PAGES,
    "training={epochs: 4}": SCANS | PAGES | {"train", "probe", "measure", "attention", "committee"},
    "committee={draws: 50}": PAGES - {"experiment_nodes", "experiment_heads"} | {"committee"},
    "title=Other": PAGES,
}


@pytest.mark.parametrize("change", RERUNS, ids=lambda change: change.split(" ")[0])
def test_a_changed_setting_reruns_what_depends_on_it_and_nothing_else(change, finished):
    words = re.findall(r"\w+=\{.*?\}|\S+", change)
    answer = snakemake("--dry-run", "--configfile", "tiny.yaml", "--config", *words, cwd=finished)
    assert answer.returncode == 0, answer.stderr[-2000:]
    found = set(re.findall(r"^(\w+) +\d+$", answer.stdout + answer.stderr, re.MULTILINE))
    assert found - {"all", "total"} == RERUNS[change]


def test_a_job_refuses_settings_of_another_run_of_the_same_name(finished):
    """A second run rewrites the experiment file while jobs of the first one wait for a processor."""
    file = finished / "results/tiny/experiment.yaml"
    first, text = read(file), file.read_text()
    told = ["--config", str(file), "--digest", digest(first, "scan", "small")]
    step = [sys.executable, "-m", "symbreak", "scan", *told, "--taps", "block"]
    step += ["--folder", str(finished / "results/tiny/small/seed1")]
    kept = (finished / "results/tiny/small/seed1/statistics/block.nc").read_bytes()
    assert subprocess.run(step, cwd=finished, env=ENVIRONMENT).returncode == 0
    file.write_text(text.replace("thresholds: 9", "thresholds: 19"))
    answer = subprocess.run(step, cwd=finished, env=ENVIRONMENT, capture_output=True, text=True)
    file.write_text(text)
    assert answer.returncode == 2 and "another run of the same name" in answer.stderr
    with xr.open_dataset(finished / "results/tiny/small/seed1/statistics/block.nc") as scanned:
        assert scanned.sizes["threshold"] == 9 and kept


def test_stale_files_are_named_without_what_snakemake_knows(finished):
    """Results that were copied, or whose settings were changed without a run."""
    results = finished / "results/tiny"
    step = [sys.executable, "-m", "symbreak", "validate", str(results)]
    assert subprocess.run(step, env=ENVIRONMENT, capture_output=True).returncode == 0
    file = results / "experiment.yaml"
    text = file.read_text()
    for old, new, expected in [
        ("epochs: 3", "epochs: 4", ("seed1/network.safetensors was trained with", "block.nc was made with")),
        ("\n  ratio: 2.0", "\n  ratio: 3.0", ("small/heads/attention.nc was made with heads.ratio = 2.0",)),
    ]:
        file.write_text(text.replace(old, new, 1))
        answer = subprocess.run(step, env=ENVIRONMENT, capture_output=True, text=True)
        file.write_text(text)
        assert answer.returncode == 2 and all(words in answer.stderr for words in expected)


def test_a_deleted_page_is_made_anew(finished):
    """Every declared output is a target."""
    page = finished / "results/tiny/tables/small/attention/heads_order.html"
    text = page.read_text()
    page.unlink()
    answer = snakemake("--dry-run", "--configfile", "tiny.yaml", cwd=finished)
    page.write_text(text)
    assert "tap_heads" in answer.stdout + answer.stderr and "Scan" not in answer.stdout + answer.stderr


def test_per_seed_groups_hold_rules_of_one_batch_of_seeds_only():
    grouped = []
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"\n(?= *rule\b)", path.read_text())[1:]:
            if re.search(r'group:\s+"scans"', rule):
                grouped.append(re.findall(r"(?:input|output):\s+(\w+)\(", rule))
    assert grouped == [["each", "each"], ["each", "each"]]


def test_report_is_one_file_that_works_offline(finished):
    answer = snakemake("--configfile", "tiny.yaml", "--report", "report.html", cwd=finished)
    assert answer.returncode == 0, answer.stderr[-2000:]
    report = (finished / "report.html").read_text()
    assert "data:image/png" in report and 'src="http' not in report
    header = (finished / ".snakemake/captions/header.rst").read_text()
    first = "Block 2: the heads divide the labels"
    assert header.index(first.replace(":", r"\:")) < header.index("Networks were trained")
    assert first in report
    shown = set(re.findall(r"figures/[\w/]+\.png", report))
    assert 10 < len(shown) <= 30 and not [name for name in shown if "heads_ratio" in name]


#: Verbs that run a network; all others work on numbers alone.
TORCH_VERBS = {"train", "probe", "measure", "evolve", "attention", "latency", "prune"}


def test_only_rules_that_run_a_network_ask_for_a_gpu():
    asking = set()
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"\n(?= *rule\b)", path.read_text())[1:]:
            verbs = set(re.findall(r"-m symbreak ([a-z-]+)", rule))
            assert ("gpu=" in rule) == bool(verbs & TORCH_VERBS), (path.name, verbs)
            asking |= verbs & TORCH_VERBS
    assert {"train", "probe", "measure"} <= asking
