"""The workflow on a real Slurm of one node: retried, killed, cancelled, resumed, run to the end."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
import yaml
from one_node_slurm import CannotRun, OneNodeSlurm, install
from test_security import HARM
from tiny import SETTINGS, experiment

from symbreak.config import dump
from symbreak.learning import train_network
from symbreak.models.weights import read_weights

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SMALL = {
    "probes": {"taps": ["attention"]},
    "training": {"checkpoint_seconds": 1e6},
    "heads": {"n_shuffles": 99},
}
SEEDS = (1, 2)
WEIGHTS = "results/tiny/small/seed{}/network.safetensors"
RESUME = "results/tiny/small/seed{}/.network.resume.safetensors"
TARGETS = [WEIGHTS.format(seed) for seed in SEEDS]
#: How long anything may take where other work keeps the processors busy.
PATIENCE = 1800

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(7200)]

#: Stands before the true python in the jobs: trainings take their time until `hurry` exists, and of the
#: jobs that train probes one fails at its first try.
PYTHON = """#!/bin/sh
case "$*" in
    *"symbreak train "*) shift 2; exec {python} {folder}/unhurried.py "$@" ;;
    *"symbreak probe "*) mkdir {folder}/failed 2> /dev/null && echo "fails once" && exit 1 ;;
esac
exec {python} "$@"
"""
UNHURRIED = """
import pathlib, sys, time
from symbreak.cli import main
from symbreak.learning.loop import Loop
plain = Loop._step
def slow(self, step):
    plain(self, step)
    with open(f"{folder}/steps{{self.seed}}", "a") as steps:
        print(step, file=steps)
    if step > 2 and not pathlib.Path("{folder}/hurry").exists():
        time.sleep(2)
Loop._step = slow
sys.exit(main())
"""


def wait_for(condition, what, process=None):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        assert process is None or process.poll() is None, f"snakemake ended, and with it the hope for {what}"
        time.sleep(0.3)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    daemons = None
    try:
        install()
        daemons = OneNodeSlurm(tmp_path_factory.mktemp("slurm"))
        daemons.start()
        yield daemons
    except CannotRun as reason:
        pytest.skip(str(reason))
    finally:
        if daemons is not None:
            daemons.stop()


class Workflow:
    """A checkout of its own whose jobs run on the Slurm of the tests."""

    def __init__(self, folder, slurm):
        self.folder, self.slurm, self.processes = folder, slurm, []
        for name in ("Snakefile", "workflow", "config", "symbreak", "environment.yml", "profiles"):
            (folder / name).symlink_to(ROOT / name)
        settings = SETTINGS | {name: SETTINGS.get(name, {}) | change for name, change in SMALL.items()}
        (folder / "tiny.yaml").write_text(yaml.safe_dump(settings))
        (folder / "bin").mkdir()
        (folder / "bin" / "python").write_text(PYTHON.format(python=sys.executable, folder=folder))
        (folder / "bin" / "python").chmod(0o755)
        (folder / "unhurried.py").write_text(UNHURRIED.format(folder=folder))
        path = os.pathsep.join([str(folder / "bin"), str(BIN), os.environ["PATH"]])
        self.environment = slurm.environment | {"PATH": path, "OMP_NUM_THREADS": "1"}
        self.environment["PYTHONPATH"] = str(ROOT)

    def start(self, *arguments, configfile="tiny.yaml"):
        """Begin `snakemake --profile profiles/slurm`."""
        command = ["snakemake", *arguments, "--profile", "profiles/slurm"]
        command += ["--configfile", configfile] if "--snakefile" not in arguments else []
        log = open(self.folder / "snakemake.log", "a")  # noqa: SIM115
        options = {"cwd": self.folder, "env": self.environment, "stdout": log, "stderr": log}
        # Tests may run in the background of a shell, where SIGINT is ignored; children would inherit that.
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.processes.append(subprocess.Popen(command, start_new_session=True, **options))
        return self.processes[-1]

    def finish(self, process):
        """Wait for its end; return its status and all that was said."""
        status = process.wait(timeout=PATIENCE)
        return status, (self.folder / "snakemake.log").read_text()

    def stop(self):
        """End what a failed test has left running."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def jobs(self, state="all"):
        """Number and comment of the jobs in a state, in their order."""
        lines = self.slurm.ask("squeue", "--states", state, "-h", "-o", "%i %k").splitlines()
        return [tuple(line.split(maxsplit=1)) for line in lines]

    def path(self, pattern, seed):
        return self.folder / pattern.format(seed)

    def steps(self, seed):
        """Steps of the training of a seed, as often as they were made."""
        path = self.folder / f"steps{seed}"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def trainings(self, seed):
        """Processes that train a seed here."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if (
                    "train" in words
                    and f"results/tiny/small/seed{seed}" in words
                    and "unhurried.py" in words[1]
                ):
                    found += [process] if process.cwd() == str(self.folder) else []
        return found


@pytest.fixture(scope="module")
def workflow(slurm, tmp_path_factory):
    used = Workflow(tmp_path_factory.mktemp("cluster"), slurm)
    yield used
    used.stop()


@pytest.fixture(scope="module")
def cancelled(workflow):
    """Begin to train both seeds, and cancel the whole workflow in the midst of it."""
    process = workflow.start(*TARGETS)
    try:
        wait_for(lambda: all(len(workflow.steps(seed)) > 3 for seed in SEEDS), "both trainings", process)
    finally:
        process.send_signal(signal.SIGINT)
        status, said = workflow.finish(process)
    wait_for(lambda: not workflow.jobs("PENDING,RUNNING,COMPLETING"), "cancelled jobs to leave")
    return status, said, {seed: workflow.steps(seed) for seed in SEEDS}


def test_cancelled_jobs_save_their_state_before_they_leave(workflow, cancelled):
    """Nothing is saved but on request here: that there is the state of the last step is due to SIGTERM."""
    status, said, steps = cancelled
    assert status != 0, said[-4000:]
    for seed in SEEDS:
        log = (workflow.folder / f"results/tiny/logs/train/small.seed{seed}.log").read_text()
        assert f"on request after step {len(steps[seed])}" in log
        assert workflow.path(RESUME, seed).exists() and not workflow.path(WEIGHTS, seed).exists()


def test_a_rerun_in_which_jobs_are_killed_ends_with_the_same_files(workflow, cancelled, tmp_path):
    """One job is cancelled, the process of another gets SIGKILL; both are tried again and go on."""
    before = cancelled[2]
    process = workflow.start(*TARGETS)
    wait_for(lambda: all(workflow.steps(s) > before[s] for s in SEEDS), "both trainings to go on", process)
    running = workflow.jobs("RUNNING")
    workflow.slurm.ask("scancel", *(number for number, comment in running if comment.endswith("small_1")))
    (second,) = workflow.trainings(2)
    second.send_signal(signal.SIGKILL)
    second.wait(timeout=60)
    (workflow.folder / "hurry").touch()
    status, said = workflow.finish(process)
    assert status == 0, said[-4000:]
    assert "Trying to restart" in said
    assert workflow.steps(1) == list(range(24))  # SIGTERM: no step was lost
    assert (
        workflow.steps(2).count(0) == 1 and len(workflow.steps(2)) > 24
    )  # SIGKILL: those since the last save
    torch.set_num_threads(1)  # as the jobs have: the weights tell on how many they were trained
    for seed in SEEDS:
        undisturbed = tmp_path / f"{seed}.safetensors"
        train_network(experiment(**SMALL), "small", seed, undisturbed, tmp_path / f"{seed}.csv")
        assert workflow.path(WEIGHTS, seed).read_bytes() == undisturbed.read_bytes()
        assert not workflow.path(RESUME, seed).exists()


def test_the_whole_experiment_with_a_job_that_fails_once(workflow):
    (workflow.folder / "hurry").touch()
    before = len(workflow.jobs())
    status, said = workflow.finish(workflow.start("--config", "seeds=[1]"))
    assert status == 0, said[-4000:]
    assert "fails once" in said and (workflow.folder / "failed").is_dir()
    results = workflow.folder / "results" / "tiny"
    assert (results / "tables" / "networks.csv").stat().st_size > 0
    assert (results / "figures" / "small" / "attention" / "snr.png").stat().st_size > 5000
    comments = [comment for _, comment in workflow.jobs()[before:]]
    assert any("scans" in comment for comment in comments)
    assert not any("tap_nodes" in comment for comment in comments)  # grouped with others
    assert len(comments) < 20


def test_a_title_is_a_title_on_the_login_node_too(workflow):
    """The command of a job goes to Slurm as a script: no shell reads what a setting says."""
    page = workflow.folder / "results/tiny/summary.html"
    settings = ["seeds=[1]", "title=$(touch pwned) `touch pwned`"]
    status, said = workflow.finish(workflow.start("results/tiny/summary.html", "--config", *settings))
    assert status == 0, said[-4000:]
    assert "$(touch pwned)" in page.read_text() and not list(workflow.folder.rglob("pwned"))


def test_settings_are_no_words_for_a_shell_of_the_login_node(workflow):
    """The security test of one machine, on Slurm."""
    settings = yaml.safe_load((workflow.folder / "tiny.yaml").read_text())
    settings |= {"name": "harmful", "title": HARM, "seeds": [1]}
    settings["data"] = settings["data"] | {"root": HARM}
    (workflow.folder / f"{HARM}.yaml").write_text(yaml.safe_dump(settings))
    target = "results/harmful/small/seed1/network.safetensors"
    status, said = workflow.finish(workflow.start(target, configfile=f"{HARM}.yaml"))
    assert status == 0, said[-4000:]
    assert (workflow.folder / target).exists() and not list(workflow.folder.rglob("pwned"))


ASKING = """
rule all:
    input:
        "times.txt",
    localrule: True


rule needs_two:
    output:
        "{n}.gpu",
    resources:
        gpu=2,
        gpu_jobs=1,
    shell:
        "scontrol show job $SLURM_JOB_ID > {output}; date +%s%N >> {output}; sleep 12; date +%s%N >> {output}"


rule latency:
    input:
        "1.gpu",
        "2.gpu",
    output:
        "times.txt",
    shell:
        "scontrol show job $SLURM_JOB_ID > {output}"
"""


def test_jobs_get_what_they_ask_for(workflow):
    """Two GPUs each, both at a time (one job at a time is the limit of one machine), and a machine alone.

    Slurm only pretends to have GPUs here.
    """
    (workflow.folder / "asking.smk").write_text(ASKING)
    status, said = workflow.finish(workflow.start("--snakefile", "asking.smk"))
    assert status == 0, said[-4000:]
    first, second = ((workflow.folder / f"{n}.gpu").read_text() for n in (1, 2))
    assert "gres:gpu:2" in first and "gres:gpu:2" in second
    spans = sorted([int(time) for time in text.split()[-2:]] for text in (first, second))
    assert spans[1][0] < spans[0][1]
    assert "OverSubscribe=NO" in (workflow.folder / "times.txt").read_text()
    assert "OverSubscribe=OK" in first


#: Seeds of each of three networks. There are as many jobs of Slurm with two seeds as with twenty.
MANY = int(os.environ.get("SYMBREAK_SLURM_SEEDS", "0"))


@pytest.mark.skipif(not MANY, reason="takes many minutes: give SYMBREAK_SLURM_SEEDS=20")
def test_many_seeds_are_few_jobs(workflow):
    (workflow.folder / "hurry").touch()
    settings = yaml.safe_load((workflow.folder / "tiny.yaml").read_text())
    settings |= {"name": "many", "seeds": list(range(1, MANY + 1))}
    settings["networks"] = {name: dict(settings["networks"]["small"]) for name in ("one", "two", "three")}
    settings["compute"] = settings["compute"] | {"seeds_per_job": MANY}
    (workflow.folder / "many.yaml").write_text(yaml.safe_dump(settings))
    before = len(workflow.jobs())
    status, said = workflow.finish(workflow.start(configfile="many.yaml"))
    assert status == 0, said[-4000:]
    for name in settings["networks"]:
        assert (workflow.folder / f"results/many/{name}/seed{MANY}/heads/attention.nc").exists()
    assert len(workflow.jobs()) - before <= 25


def test_processes_started_by_srun_share_a_training(workflow, tmp_path):
    plain = SETTINGS["networks"]["small"] | {
        "attention_dropout": 0.0,
        "stochastic_depth": 0.0,
        "dropout": 0.0,
    }
    changes = SMALL | {"networks": {"small": plain}}
    changes["training"] = {"optimizer": "sgd", "epochs": 1, "warmup_epochs": 0}
    (tmp_path / "two.yaml").write_text(
        dump(experiment(**changes, compute={"processes": 2}).model_dump(mode="json"))
    )
    train = ["train", "--config", "two.yaml", "--network", "small", "--seed", "1", "--folder", "two"]
    srun = ["srun", "--ntasks", "2", "--cpus-per-task", "1", "--mem", "4000", "--overcommit"]
    answer = subprocess.run(
        [*srun, sys.executable, "-m", "symbreak", *train],
        cwd=tmp_path,
        env=workflow.slurm.environment | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    train_network(experiment(**changes), "small", 1, tmp_path / "one.safetensors", tmp_path / "one.csv")
    ours = read_weights(tmp_path / "two" / "network.safetensors")[0]
    for name, tensor in read_weights(tmp_path / "one.safetensors")[0].items():
        torch.testing.assert_close(ours[name], tensor, rtol=1e-4, atol=1e-6)
