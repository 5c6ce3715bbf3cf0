"""Pruned networks: controls are equal, killed runs go on bit for bit, tables and figures by the verbs."""

import copy
import csv
import json

import numpy as np
import pytest
import torch
import xarray as xr
from tiny import SETTINGS, experiment

from symbreak import models
from symbreak.cli import main
from symbreak.config import Compute, dump
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning import train_network, train_probes
from symbreak.learning.engine.device import choose_engine
from symbreak.learning.loop import Loop
from symbreak.measure import measure
from symbreak.pruning import measure_forms, outputs, prune
from symbreak.pruning.features import inputs_of, readout_nodes, rest_of
from symbreak.pruning.places import Layer
from symbreak.pruning.retraining import TwoRates, parameter_groups
from symbreak.pruning.silencing import silencing_study
from symbreak.store import open_dataset

STUDIES = {
    "readout": {"layers": ["readout"], "kept": [0.1], "epochs": 3},
    "last": {"kept": [0.2], "methods": ["andc", "artificial", "random", "magnitude", "artificial_scratch"]},
}
PRUNING = {"studies": STUDIES, "epochs": 2, "batch_size": 100, "silenced": 9, "checkpoint_seconds": 1e6}
ENGINE = choose_engine(Compute(device="cpu", precision="fp32"))


class Killed(BaseException):
    pass


def settings(**changes):
    taps = {"taps": ["attention", "block", "linear1", "attention_norm"]}
    return experiment(
        pruning=PRUNING | {"scratch_epochs": 1} | changes, probes=taps | {"checkpoint_seconds": 1e6},
        training={"checkpoint_seconds": 1e6},
    )  # fmt: skip


def quick_forms(unpruned, pruned):
    return measure_forms(unpruned, pruned, seconds=0.0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network with its moments; four of the seven taps are left to `prune`."""
    folder = tmp_path_factory.mktemp("trained") / "seed1"
    weights = folder / "network.safetensors"
    train_network(settings(), "small", 1, weights, folder / "history.csv")
    train_probes(settings(), weights, folder / "p.safetensors", folder / "p.csv")
    measure(settings(), weights, folder / "p.safetensors", folder)
    return folder


def copied(trained, folder):
    (folder / "moments").mkdir(parents=True)
    for path in (trained / "network.safetensors", *(trained / "moments").iterdir()):
        (folder / path.relative_to(trained)).write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def pruned(trained, tmp_path_factory):
    folder = copied(trained, tmp_path_factory.mktemp("pruned") / "small" / "seed1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outputs, "measure_forms", quick_forms)
        prune(settings(), folder)
    return folder


def network_of(folder):
    return models.load(folder / "network.safetensors")[0]


def test_the_network_behind_a_block_continues_the_network(trained):
    network = network_of(trained)
    images = load_configured(settings().data, "validation", 1)
    training = settings().training
    features = inputs_of(network, network.blocks[1], images, ENGINE, training)
    pooled = inputs_of(network, network.readout, images, ENGINE, training)
    from symbreak.learning.batches import normalised_batches

    with torch.no_grad():
        expected = torch.cat(
            [network(pixels) for pixels, _ in normalised_batches(images, ENGINE, 50, training)]
        )
        torch.testing.assert_close(rest_of(network, 2)(features.images), expected)
        torch.testing.assert_close(network.readout(pooled.images), expected)
        assert network.tokenizer is not rest_of(network, 2).tokenizer, "the original is untouched"


def test_nodes_of_the_own_head_are_as_by_literal_silencing(trained):
    """Silence all readout weights but those of one node, average the fields over the images of a label."""
    network = network_of(trained)
    images = load_configured(settings().data, "validation", 2)
    pooled = inputs_of(network, network.readout, images, ENGINE, settings().training)
    nodes = readout_nodes(network, pooled)
    for node in (0, 5):
        alone = torch.zeros_like(network.readout.weight)
        alone[:, node] = network.readout.weight[:, node].detach()
        fields = pooled.images @ alone.T
        matrix = torch.stack([fields[images.labels == label].mean(0) for label in range(100)])
        ours = np.outer(nodes.feature_mean[:, node], nodes.readout[:, node])
        np.testing.assert_allclose(ours, matrix.detach().numpy(), atol=1e-6)


def test_frozen_weights_do_not_move_and_the_rest_learns_at_its_own_rate(trained):
    layers = [Layer(2, "linear1", (2, "feedforward_norm"), (2, "linear1"))]
    moved = {}
    for factor in (0.0, 0.01):
        network = network_of(trained).train()
        before = {name: p.detach().clone() for name, p in network.named_parameters()}
        optimizer = TwoRates(parameter_groups(network, layers, factor), lr=1e-2)
        network(
            torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        ).square().mean().backward()
        for group in optimizer.param_groups:
            group["weight_decay"] = 0.0
        optimizer.step()
        moved[factor] = {
            n: float((p.detach() - before[n]).abs().max()) for n, p in network.named_parameters()
        }
    for name in ("readout.weight", "blocks.0.qkv.weight", "tokenizer.convolutions.0.weight"):
        assert moved[0.0][name] == 0 and 0 < moved[0.01][name] <= 1.01e-4
    assert moved[0.0]["blocks.1.linear1.weight"] == pytest.approx(1e-2, rel=0.01)


def test_all_methods_are_recorded_at_equal_numbers_of_weights(pruned):
    with open_dataset(pruned / "pruning" / "last.nc", "pruning") as study:
        assert study.chosen_by.values.tolist() == STUDIES["last"]["methods"]
        assert study.sizes["layer"] == 4 and study.sizes["epoch"] == 3
        retrained = study.pruned_accuracy.sel(chosen_by=["andc", "artificial", "random", "magnitude"])
        assert np.isfinite(retrained).all() and np.isfinite(study.dense_accuracy).all()
        scratch = study.pruned_accuracy.sel(chosen_by="artificial_scratch")
        assert np.isfinite(scratch.isel(epoch=-1)).all() and np.isnan(scratch.isel(epoch=0)).all()
        kept = study.kept_weights.isel(setting=0)
        masks = models.masks_of(network_of(pruned / "pruning" / "last"))
        assert sorted(masks) == sorted(f"blocks.1.{name.split()[-1]}" for name in study.layer.values)
        for name in study.layer.values:
            assert int(masks[f"blocks.1.{name.split()[-1]}"].sum()) == int(kept.sel(layer=name))
        assert float(kept.sum() / study.layer_weights.sum()) == pytest.approx(0.2, abs=0.02)
        assert int(study.n_parameters - study.kept_parameters[0]) == int(
            study.layer_weights.sum() - kept.sum()
        )
        assert float(study.file_size.sel(form="dropped")) < float(study.file_size.sel(form="unpruned"))
    assert not list(pruned.rglob(".*")), "nothing hidden is left"


def test_only_what_may_learn_has_learned(pruned):
    before, after = (
        network_of(pruned).state_dict(),
        models.without_masks(network_of(pruned / "pruning" / "last")),
    )
    for name, tensor in after.state_dict().items():
        same = torch.equal(tensor, before[name])
        assert same != name.startswith("blocks.1."), name


def test_a_pruned_network_is_probed_measured_and_in_a_committee(pruned):
    folder = pruned / "pruning" / "readout"
    weights, own = folder / "network.safetensors", settings()
    train_probes(own, weights, folder / "p.safetensors", folder / "p.csv")
    assert models.load(folder / "p.safetensors")[1]["pruned"]["study"] == "readout"
    with open_dataset(folder / "logits" / "network.nc", "logits") as logits:
        fields = logits.logits.values
    measure(own, weights, folder / "p.safetensors", folder)
    with open_dataset(folder / "logits" / "network.nc", "logits") as logits:
        np.testing.assert_allclose(fields, logits.logits.values, atol=1e-5)
        truth = logits.truth.values
    with open_dataset(folder / "moments" / "block.nc", "moments") as moments:
        assert float(moments.network_accuracy) == pytest.approx((fields.argmax(1) == truth).mean())
    with open_dataset(pruned / "pruning" / "readout.nc", "pruning") as study:
        last = study.pruned_accuracy.sel(chosen_by="andc").isel(setting=0, epoch=-1)
        assert float(last) == pytest.approx((fields.argmax(1) == truth).mean())


def same(one, two):
    """Bit for bit, but for times and for a deviation that is itself rounding: it depends on the processor."""
    one, two = (xr.load_dataset(path).drop_vars(["latency"], errors="ignore") for path in (one, two))
    rounding = {"form_difference"} & set(one.variables)
    xr.testing.assert_equal(one.drop_vars(rounding), two.drop_vars(rounding))
    xr.testing.assert_allclose(one[list(rounding)], two[list(rounding)], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("unit", "step"), [(2, 5), (7, 3)])
def test_a_killed_run_goes_on_bit_for_bit(trained, pruned, tmp_path, monkeypatch, unit, step):
    """Killed in the middle of the n-th retraining: finished ones are kept, the running one is resumed."""
    monkeypatch.setattr(outputs, "measure_forms", quick_forms)
    folder = copied(trained, tmp_path / "small" / "seed1")
    own = settings(checkpoint_seconds=0.0)
    plain, runs = Loop.run, []

    def counted(self):
        if not self.description.startswith("probes"):
            runs.append(self.description)
        return plain(self)

    take = Loop._step

    def dying(self, number):
        if len(runs) == unit and number == step:
            raise Killed
        take(self, number)

    monkeypatch.setattr(Loop, "run", counted)
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_step", dying)
        with pytest.raises(Killed):
            prune(own, folder)
    killed = runs.pop()
    before = list(runs)
    prune(own, folder)
    again = runs[len(before) :]
    assert again[0] == killed and not set(again) & set(before)
    for name in STUDIES:
        same(folder / "pruning" / f"{name}.nc", pruned / "pruning" / f"{name}.nc")
        theirs = (pruned / "pruning" / name / "network.safetensors").read_bytes()
        assert (folder / "pruning" / name / "network.safetensors").read_bytes() == theirs
    same(folder / "pruning" / "silencing.nc", pruned / "pruning" / "silencing.nc")


def test_silenced_nodes_are_the_network_without_their_columns(trained):
    own, network = settings(), network_of(trained)
    sets = [
        inputs_of(network, network.readout, load_configured(own.data, s, 3), ENGINE, own.training)
        for s in ("train", "validation")
    ]
    nodes = readout_nodes(network, sets[1])
    table = silencing_study(network, nodes, *sets, own, seed=1)
    weakest = int(table.n_silenced.sel(criterion="small_field"))
    assert weakest == round(0.1 * 16) and int(table.n_nodes) == 16
    field = [np.outer(m, w).max() for m, w in zip(nodes.feature_mean.T, nodes.readout.T)]
    changed = copy.deepcopy(network)
    changed.readout.weight.data[:, np.argsort(field)[:weakest]] = 0
    fields = changed.readout(sets[1].images)
    accuracy = float((fields.argmax(1) == sets[1].labels).float().mean())
    assert float(table.silenced_accuracy.sel(criterion="small_field")) == pytest.approx(accuracy)
    nobody = table.sel(criterion="empty_noisy")
    if int(nobody.n_silenced) == 0:
        assert (
            float(nobody.silenced_accuracy) == float(table.base_accuracy)
            and float(nobody.silenced_accuracy_p) == 1
        )


def test_joined_tables_and_figures_through_the_verbs(pruned, tmp_path):
    own = SETTINGS | {"pruning": PRUNING | {"scratch_epochs": 1}}
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(own))
    network = tmp_path / "small"
    names = ["pruning/readout.nc", "pruning/last.nc", "pruning/silencing.nc"]
    for name in names:
        other = tmp_path / "seed2" / name
        other.parent.mkdir(parents=True, exist_ok=True)
        with open_dataset(pruned / name) as one:
            one.load().assign_coords(seed=2).assign_attrs(seed=2).to_netcdf(other)
    assert (
        main(["join", str(pruned), str(tmp_path / "seed2"), "--names", *names, "--output", str(network)]) == 0
    )
    assert main(["prune-results", "--config", str(config), "--folder", str(network)]) == 0
    with open(tmp_path / "tables" / "small" / "pruning" / "last" / "methods.csv") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["method"] for row in rows] == ["none", *STUDIES["last"]["methods"]]
    assert rows[1]["seeds"] == "2"
    figures = tmp_path / "figures" / "small"
    drawn = {path.relative_to(figures).as_posix() for path in figures.rglob("*.png")}
    assert {"pruning/curves.png", "pruning/front.png", "pruning/last/retraining.png"} <= drawn


def test_the_rest_of_the_network_may_learn_slowly(trained, tmp_path, monkeypatch):
    """As in P1: the last block at one rate, the rest at a much smaller one, images augmented."""
    monkeypatch.setattr(outputs, "measure_forms", quick_forms)
    folder = copied(trained, tmp_path / "small" / "seed1")
    slow = {"studies": {"last": {"layers": ["linear2"], "methods": ["andc"]}}, "learning_rate_rest": 1e-6}
    prune(settings(**slow, epochs=1), folder)
    before, after = (
        network_of(folder).state_dict(),
        models.without_masks(network_of(folder / "pruning" / "last")),
    )
    moved = {name: float((tensor - before[name]).abs().max()) for name, tensor in after.state_dict().items()}
    assert 0 < moved["blocks.0.qkv.weight"] < 1e-5 < moved["blocks.1.qkv.weight"] < 5e-3
    assert 0 < moved["readout.weight"] < 1e-5, "the readout is of the rest"


def test_the_readout_of_a_convolutional_network_is_pruned(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "measure_forms", quick_forms)
    own = experiment(
        networks={"vgg": {"architecture": "vgg_6", "inner_channels": 4}},
        probes={"taps": ["attention", "filters"]},
        training={"epochs": 1, "warmup_epochs": 0, "checkpoint_seconds": 1e6},
        pruning=PRUNING | {"studies": {"readout": {"layers": ["readout"], "kept": [0.1]}}},
    )
    folder = tmp_path / "vgg" / "seed1"
    train_network(own, "vgg", 1, folder / "network.safetensors", folder / "history.csv")
    prune(own, folder)
    network = network_of(folder / "pruning" / "readout")
    with open_dataset(folder / "pruning" / "readout.nc", "pruning") as study:
        kept = int(study.kept_weights[0, 0])
        assert kept == int(models.masks_of(network)["readout"].sum())
        assert kept / int(study.layer_weights[0]) == pytest.approx(0.1, abs=0.02)


def test_an_experiment_without_studies_says_so(trained):
    with pytest.raises(SymbreakError, match="No study prunes small"):
        prune(experiment(), trained)


def test_file_says_what_it_is(pruned):
    with open_dataset(pruned / "pruning" / "last.nc", "pruning") as study:
        assert study.attrs["seed"] == 1 and json.loads(study.attrs["config"])["pruning"]["epochs"] == 2
        assert study.latency.attrs["units"] == "s" and study.file_size.attrs["units"] == "byte"
        for variable in study.data_vars.values():
            assert variable.attrs["long_name"]
