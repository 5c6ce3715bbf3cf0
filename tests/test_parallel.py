"""Two processes share a training, a probing, a measuring pass: the numbers are those of one process."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from tiny import SETTINGS, experiment

from symbreak.config import dump
from symbreak.errors import SymbreakError
from symbreak.learning import train_network, train_probes
from symbreak.learning.engine import parallel
from symbreak.learning.engine.processes import launched_place, run_processes
from symbreak.learning.engine.shared_norm import share_norms
from symbreak.learning.loop import Loop
from symbreak.measure import measure
from symbreak.models.weights import read_weights

PLAIN = SETTINGS["networks"]["small"] | {"dropout": 0.0, "attention_dropout": 0.0, "stochastic_depth": 0.0}
NETWORKS = {"small": PLAIN, "vgg": {"architecture": "vgg_6", "inner_channels": 4}}
SGD = {"optimizer": "sgd", "learning_rate": 0.05, "gradient_clip": 1.0, "batch_size": 51, "epochs": 2}
SGD |= {"warmup_epochs": 0}
KILLED_AT = 4
#: Sums of float32 in another order; rectifiers and BatchNorm over few images enlarge what differs.
TOLERANCE = {"small": {"rtol": 1e-4, "atol": 1e-6}, "vgg": {"rtol": 1e-2, "atol": 1e-3}}


def settings(processes=1, **training):
    taps = {"taps": ["attention", "block", "filters"], "batch_size": 51}
    return experiment(
        data={"train_per_label": 2},
        networks=NETWORKS,
        training=training,
        probes=taps,
        measurement={"head_silencing": "both"},
        compute={"processes": processes},
    )


def train(chosen, network, folder):
    train_network(chosen, network, 1, folder / "network.safetensors", folder / "history.csv")


def everything(chosen, folder, trained):
    """Train both networks; train probes of, and measure, a network that is there already."""
    train(chosen, "vgg", folder / "vgg")
    train(chosen, "small", folder / "small")
    train_probes(
        chosen, trained / "small" / "network.safetensors", folder / "p.safetensors", folder / "p.csv"
    )
    probes = (trained if trained.joinpath("p.safetensors").exists() else folder) / "p.safetensors"
    measure(chosen, trained / "small" / "network.safetensors", probes, folder)


class Killed(BaseException):
    pass


def compare_norms():
    """BatchNorm of a slice beside that of the whole batch: values, averages and gradients, in float64."""
    random = torch.Generator().manual_seed(3)
    maps = torch.randn(7, 2, 3, 3, generator=random, dtype=torch.float64) + 1
    pull = torch.randn(7, 2, 3, 3, generator=random, dtype=torch.float64)
    plain, shared = torch.nn.Sequential(torch.nn.BatchNorm2d(2)), torch.nn.Sequential(torch.nn.BatchNorm2d(2))
    share_norms(shared)
    whole, own = maps.clone().requires_grad_(), parallel.own_slice(maps).clone().requires_grad_()
    outputs = plain.double()(whole), shared.double()(own)
    (outputs[0] * pull).sum().backward()
    (outputs[1] * parallel.own_slice(pull)).sum().backward()
    torch.testing.assert_close(outputs[1], parallel.own_slice(outputs[0]))
    torch.testing.assert_close(own.grad, parallel.own_slice(whole.grad))
    torch.testing.assert_close(parallel.over_processes(shared[0].weight.grad), plain[0].weight.grad)
    torch.testing.assert_close(dict(shared.named_buffers()), dict(plain.named_buffers()))
    torch.testing.assert_close(shared.eval()(maps), plain.eval()(maps))


@parallel.in_processes
def everything_shared(chosen, folder, trained):
    """The same in each of several processes, BatchNorm, and a training that is killed and goes on."""
    compare_norms()
    everything(chosen, folder, trained)
    plain = Loop._step

    def dying(self, step):
        if step == KILLED_AT:
            raise Killed
        plain(self, step)

    Loop._step = dying
    try:
        train(chosen, "small", folder / "killed")
    except Killed:
        Loop._step = plain
    assert not (folder / "killed" / "network.safetensors").exists()
    torch.distributed.barrier()
    train(chosen, "small", folder / "killed")


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    everything(settings(**SGD), folder, folder)
    return folder


@pytest.fixture(scope="module")
def two(tmp_path_factory, one):
    folder = tmp_path_factory.mktemp("two")
    everything_shared(settings(2, **SGD), folder, one)
    return folder


def rows(path):
    return [
        {k: float(v) for k, v in row.items() if v and k != "seconds"} for row in csv.DictReader(open(path))
    ]


def assert_same_history(ours, theirs, tolerance=1e-5):
    ours, theirs = rows(ours), rows(theirs)
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs):
        assert mine == pytest.approx(other, rel=tolerance)


def apart_from_the_device(header):
    """Facts of a file of weights without its device, which says how many threads each process had."""
    return {key: value for key, value in header.items() if key != "device"}


@pytest.mark.parametrize("network", ["small", "vgg"])
def test_training_shared_by_two_equals_that_of_one(one, two, network):
    """Odd batches make slices unequal; clipping needs the whole gradient, BatchNorm the whole batch."""
    ours, header = read_weights(two / network / "network.safetensors")
    theirs, other = read_weights(one / network / "network.safetensors")
    start = torch.cat([t.flatten() for t in theirs.values()]).norm()
    assert apart_from_the_device(header) == apart_from_the_device(other)
    assert set(ours) == set(theirs) and start > 0
    for name, tensor in theirs.items():
        torch.testing.assert_close(ours[name], tensor, **TOLERANCE[network])
    assert_same_history(two / network / "history.csv", one / network / "history.csv")


def test_probes_shared_by_two_equal_those_of_one(one, two):
    assert_same_history(two / "p.csv", one / "p.csv", tolerance=1e-4)
    ours, header = read_weights(two / "p.safetensors")
    assert apart_from_the_device(header) == apart_from_the_device(read_weights(one / "p.safetensors")[1])
    assert all(t.isfinite().all() for t in ours.values())


@pytest.mark.parametrize("tap", ["attention", "block"])
def test_measuring_shared_by_two_is_exact(one, two, tap):
    with (
        xr.open_dataset(two / f"moments/{tap}.nc") as ours,
        xr.open_dataset(one / f"moments/{tap}.nc") as theirs,
    ):
        assert set(ours.variables) == set(theirs.variables)
        for name in theirs.data_vars:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-12, err_msg=name)
    for name in (tap, "network"):
        with (
            xr.open_dataset(two / f"logits/{name}.nc") as ours,
            xr.open_dataset(one / f"logits/{name}.nc") as other,
        ):
            xr.testing.assert_equal(ours, other)


def test_a_killed_shared_training_goes_on_bitwise(two):
    weights = [two / name / "network.safetensors" for name in ("small", "killed")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert rows(two / "small" / "history.csv") == rows(two / "killed" / "history.csv")
    assert not list(two.rglob(".*"))


def test_one_process_has_the_key_that_it_had_before():
    assert settings().compute.determining() == {"device": "cpu", "precision": "fp32"}
    assert settings(2).compute.determining()["processes"] == 2


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}, (3, 4, 1, "env://")),
        (
            {
                "SLURM_STEP_NUM_TASKS": "4",
                "SLURM_PROCID": "2",
                "SLURM_LOCALID": "0",
                "SLURM_STEP_NODELIST": "n[011-012]",
                "SLURM_JOB_ID": "7",
            },
            (2, 4, 0, "tcp://n011:20007"),
        ),
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}, None),
        ({"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}, None),
    ],
)
def test_places_given_by_torchrun_and_srun(environment, place):
    assert launched_place(4, environment) == place


def test_launchers_must_agree_with_the_experiment():
    for wanted in (1, 3):
        with pytest.raises(SymbreakError, match=r"started 2 processes.*make them equal"):
            launched_place(wanted, {"RANK": "0", "WORLD_SIZE": "2"})


def fail(place, how):
    if place.rank == 1:
        if how == "refuse":
            raise SymbreakError("no such thing")
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(600)


@pytest.mark.parametrize(
    ("how", "words"), [("refuse", "no such thing"), ("kill", "Process 2 was ended by signal 9")]
)
def test_one_that_fails_ends_all_in_one_sentence(how, words):
    with pytest.raises(SymbreakError, match=words):
        run_processes(fail, 2, how)


@pytest.mark.slow
def test_the_verb_starts_processes_saves_on_request_and_torchrun_goes_on(two, tmp_path):
    config = tmp_path / "two.yaml"
    chosen = settings(2, **SGD, checkpoint_seconds=1e6)
    config.write_text(dump(chosen.model_dump(mode="json")))
    arguments = [
        "train",
        "--config",
        str(config),
        "--network",
        "small",
        "--seed",
        "1",
        "--folder",
        str(tmp_path),
    ]
    verb = [sys.executable, "-m", "symbreak", *arguments]
    environment = os.environ | {"SYMBREAK_TEST": "1"}
    process = subprocess.Popen(
        verb, stderr=subprocess.PIPE, text=True, env=environment, cwd=Path(__file__).parents[1]
    )
    while not list(tmp_path.glob(".network.lock")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode in (2, 143) and "Traceback" not in errors, errors
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    finished = subprocess.run(
        [*torchrun, "-m", "symbreak", *arguments],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert finished.returncode == 0, finished.stderr
    ours = read_weights(tmp_path / "network.safetensors")[0]
    theirs = read_weights(two / "small" / "network.safetensors")[0]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
