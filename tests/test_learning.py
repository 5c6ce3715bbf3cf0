"""Training and probes: resumed equals uninterrupted bit for bit, and says what is wrong."""

import csv
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
from tiny import SETTINGS, experiment

from symbreak.config import Compute, dump
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.features.solving import fit
from symbreak.learning import train_network, train_probes
from symbreak.learning.batches import normalise, statistics_of
from symbreak.learning.engine import device
from symbreak.learning.engine.device import choose_engine
from symbreak.learning.loop import Loop
from symbreak.learning.schedule import Schedule
from symbreak.models import load_network
from symbreak.models.weights import read_weights
from symbreak.store.locking import alone


class Killed(BaseException):
    pass


def train(folder, settings=None):
    train_network(
        settings or experiment(), "small", 1, folder / "network.safetensors", folder / "history.csv"
    )


def probe(folder):
    train_probes(experiment(), folder / "network.safetensors", folder / "p.safetensors", folder / "p.csv")


def kill_at(monkeypatch, step):
    """Let the loop die right before `step`, as by kill -9, every time it passes there first."""
    plain = Loop._step

    def dying(self, number):
        if number == step:
            raise Killed
        plain(self, number)

    monkeypatch.setattr(Loop, "_step", dying)


def without_seconds(path):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(open(path))]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train(folder)
    probe(folder)
    return folder


@pytest.mark.parametrize("step", [1, 8, 13, 23])
def test_resumed_training_equals_uninterrupted_bitwise(trained, tmp_path, monkeypatch, step):
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        with pytest.raises(Killed):
            train(tmp_path)
    assert not (tmp_path / "network.safetensors").exists()
    assert (tmp_path / ".network.resume.safetensors").exists()
    train(tmp_path)
    assert (tmp_path / "network.safetensors").read_bytes() == (trained / "network.safetensors").read_bytes()
    assert without_seconds(tmp_path / "history.csv") == without_seconds(trained / "history.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["history.csv", "network.safetensors"]


def test_resumed_probes_equal_uninterrupted_bitwise(trained, tmp_path, monkeypatch):
    (tmp_path / "network.safetensors").write_bytes((trained / "network.safetensors").read_bytes())
    with monkeypatch.context() as patch:
        kill_at(patch, 11)
        with pytest.raises(Killed):
            probe(tmp_path)
    probe(tmp_path)
    assert (tmp_path / "p.safetensors").read_bytes() == (trained / "p.safetensors").read_bytes()


def test_seeds_differ_and_learning_lowers_the_loss(trained, tmp_path):
    train_network(experiment(), "small", 2, tmp_path / "n.safetensors", tmp_path / "h.csv")
    one, two = read_weights(trained / "network.safetensors")[0], read_weights(tmp_path / "n.safetensors")[0]
    assert not torch.equal(one["readout.weight"], two["readout.weight"])
    losses = [
        float(row["train_loss"])
        for row in without_seconds(trained / "p.csv")
        for row in [{"train_loss": row["train_loss_block_2"]}]
    ]
    assert losses[-1] < losses[0]


def test_probes_do_not_influence_each_other(trained, tmp_path):
    alone_settings = experiment(probes={"taps": ["attention"]})
    train_probes(
        alone_settings, trained / "network.safetensors", tmp_path / "p.safetensors", tmp_path / "p.csv"
    )
    together, _ = read_weights(trained / "p.safetensors")
    single, _ = read_weights(tmp_path / "p.safetensors")
    name = "probes.block1_attention.readout.weight"
    assert set(single) < set(together)
    torch.testing.assert_close(single[name], together[name])


@pytest.mark.parametrize("cache", [2.0, 1e-6])
def test_kept_features_change_nothing(trained, tmp_path, capsys, monkeypatch, cache):
    still = {"random_crop": 0, "horizontal_flip": 0.0, "layer_norm": True}
    for name, size in (("kept", cache), ("never", 0.0)):
        wanted = experiment(probes=still | {"cache": size})
        paths = tmp_path / f"{name}.safetensors", tmp_path / f"{name}.csv"
        if name == "kept":
            with monkeypatch.context() as patch:
                kill_at(patch, 9)
                with pytest.raises(Killed):
                    train_probes(wanted, trained / "network.safetensors", *paths)
        train_probes(wanted, trained / "network.safetensors", *paths)
    said = capsys.readouterr().err
    assert ("are kept: 0.013" in said) is (cache == 2.0) and ("none kept" in said) is (cache == 1e-6)
    kept, never = (read_weights(tmp_path / f"{name}.safetensors")[0] for name in ("kept", "never"))
    for name in never:
        torch.testing.assert_close(kept[name], never[name], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("solver", ["ridge", "lbfgs"])
def test_solved_readouts_are_those_of_the_pooled_features(trained, tmp_path, solver):
    """From tokens that a hook of this test sees, pooled by their mean."""
    settings = experiment(probes={"taps": ["attention"], "pooling": "mean", "solver": solver})
    weights = trained / "network.safetensors"
    train_probes(settings, weights, tmp_path / "p.safetensors", tmp_path / "p.csv")
    network, _ = load_network(weights)
    images = load_configured(settings.data, "train")
    seen = []
    layer = network.blocks[0].projection
    handle = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].mean(dim=1)))
    pixels = normalise(images.images, settings.training.normalisation, *statistics_of(images))
    with torch.no_grad():
        network.eval()(pixels)
    handle.remove()
    features, labels = seen[0].numpy(), images.labels.numpy()
    expected, _ = fit(features, labels, images.n_labels, solver)
    found = read_weights(tmp_path / "p.safetensors")[0]["probes.block1_attention.readout.weight"]
    scale = abs(expected).max()
    assert (abs(found.numpy() - expected) < (1e-3 if solver == "ridge" else 0.05) * scale).all()
    with open(tmp_path / "p.csv", newline="") as handle:
        (row,) = csv.DictReader(handle)
    assert (
        0 <= float(row["validation_accuracy_attention_1"]) <= 1
        and float(row["regularisation_attention_1"]) > 0
    )


def test_a_solver_needs_pooling_by_the_mean():
    with pytest.raises(SymbreakError, match=r"fits a layer without bias on pooling: mean"):
        experiment(probes={"taps": ["attention"], "solver": "ridge"})


def test_resume_file_of_other_settings_is_refused(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        kill_at(patch, 3)
        with pytest.raises(Killed):
            train(tmp_path)
    with pytest.raises(SymbreakError, match="belongs to other settings"):
        train(tmp_path, experiment(training={"learning_rate": 1e-3}))
    assert (tmp_path / ".network.resume.safetensors").exists()


def test_loss_that_diverges_stops_in_one_sentence_and_keeps_the_last_good_state(tmp_path):
    wild = experiment(training={"learning_rate": 1e30, "warmup_epochs": 0, "optimizer": "sgd"})
    with pytest.raises(SymbreakError, match="no longer finite"):
        train(tmp_path, wild)
    assert not (tmp_path / "network.safetensors").exists()
    tensors, _ = read_weights(tmp_path / ".network.resume.safetensors")
    assert all(t.isfinite().all() for name, t in tensors.items() if name.startswith("model/"))


def test_a_second_process_is_refused(tmp_path):
    with alone(tmp_path / "network.safetensors"), pytest.raises(SymbreakError, match="already writing"):
        train(tmp_path)
    train(tmp_path)  # the right to write is free again


def test_terminated_training_saves_and_goes_on(trained, tmp_path):
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(SETTINGS | {"training": SETTINGS["training"] | {"checkpoint_seconds": 1e6}}))
    program = textwrap.dedent("""
        import sys, time
        from symbreak.learning.loop import Loop
        plain = Loop._step
        def slow(self, step):
            plain(self, step)
            print(step, flush=True)
            time.sleep(0.2)
        Loop._step = slow
        from symbreak.cli import main
        sys.exit(main(sys.argv[1:]))
    """)
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
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while process.stdout.readline().strip() != "4":
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "run again to go on" in errors and "Traceback" not in errors
    assert (tmp_path / ".network.resume.safetensors").exists()
    finished = subprocess.run([sys.executable, "-m", "symbreak", *arguments], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    ours = read_weights(tmp_path / "network.safetensors")[0]
    theirs = read_weights(trained / "network.safetensors")[0]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_schedules():
    cosine = Schedule(epochs=20, peak=1e-3, final=1e-5, warmup=5, cooldown=5)
    assert cosine.at(0).learning_rate == pytest.approx(1e-6)
    assert cosine.at(2.5).learning_rate == pytest.approx((1e-6 + 1e-3) / 2)
    rates = [cosine.at(t).learning_rate for t in (5, 8, 11, 14.9)]
    assert rates == sorted(rates, reverse=True)
    assert cosine.at(15).learning_rate == cosine.at(19.9).learning_rate == pytest.approx(1e-5)
    step = Schedule(epochs=100, peak=3e-4, kind="step", factor=0.8, interval=10)
    assert step.at(25).learning_rate == pytest.approx(3e-4 * 0.64)
    decay = Schedule(epochs=10, peak=1, decay=0.06, decay_final=0.0)
    assert decay.at(5).weight_decay == pytest.approx(0.03)
    whole = Schedule(epochs=10, peak=1, whole_epochs=True)
    assert whole.at(3.99) == whole.at(3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_missing_gpu_is_named():
    with pytest.raises(SymbreakError, match="shows no GPU"):
        choose_engine(Compute(device="cuda"))


def test_automatic_precision_takes_the_faster_one(monkeypatch):
    monkeypatch.setattr(device, "has_bf16", lambda: True)

    def trial(slow):
        return lambda engine: time.sleep(0.02 if engine.precision == slow else 0.002)

    wish = Compute(device="cpu")
    assert choose_engine(wish, trial("fp32")).precision == "bf16"
    assert choose_engine(wish, trial("bf16")).precision == "fp32"
    assert choose_engine(Compute(device="cpu", precision="bf16")).precision == "bf16"


def test_wrong_image_side_is_refused(tmp_path):
    networks = {"small": SETTINGS["networks"]["small"] | {"image_size": 64}}
    with pytest.raises(SymbreakError, match="image_size"):
        train(tmp_path, experiment(networks=networks))
    assert not list(Path(tmp_path).glob("*.safetensors"))
