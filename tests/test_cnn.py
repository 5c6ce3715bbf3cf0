"""Convolutional networks: published shapes, filters as sums over positions, the same road as a CCT."""

import csv

import numpy as np
import plain_clusters as plain
import pytest
import torch
from test_learning import Killed, kill_at
from tiny import experiment
from torch.nn import functional

from symbreak import models
from symbreak.config import Compute, FilterMap, Network, Probes, Statistics, parse
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning import train as training
from symbreak.learning import train_network, train_probes
from symbreak.learning.batches import normalised_batches
from symbreak.learning.engine.device import choose_engine
from symbreak.learning.probes import probe_training
from symbreak.learning.resume import ResumeFile
from symbreak.measure import measure
from symbreak.models import load_network
from symbreak.models.probe import FilterProbe
from symbreak.observables import block_tables, pooled_moments
from symbreak.store import open_dataset
from symbreak.taps import capture

NETWORKS = {
    "vgg": {"architecture": "vgg_6", "inner_channels": 4},
    "resnet": {"architecture": "resnet_8", "inner_channels": 4},
    "cct": {"architecture": "cct_2_3x2", "dim": 16, "heads": 2, "inner_channels": 8},
}


def settings():
    """CNNs and a CCT in one experiment; each has some of the taps."""
    return experiment(networks=NETWORKS | {"small": NETWORKS["cct"]}, probes={"taps": ["block", "filters"]})


def run(folder, name):
    whole = settings()
    train_network(whole, name, 1, folder / "network.safetensors", folder / "history.csv")
    train_probes(whole, folder / "network.safetensors", folder / "p.safetensors", folder / "p.csv")
    measure(whole, folder / "network.safetensors", folder / "p.safetensors", folder)
    return folder


@pytest.fixture(scope="module", params=["vgg", "resnet"])
def trained(request, tmp_path_factory):
    """A trained convolutional network with probes, measured."""
    return request.param, run(tmp_path_factory.mktemp(request.param), request.param)


def images(count=4, side=32):
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("name", "count"),
    [("resnet_20", 269_722), ("resnet_32", 464_154), ("resnet_56", 853_018), ("vgg_11", 9_228_362)],
)
def test_parameters_are_as_many_as_published(name, count):
    assert models.count_parameters(models.build(name, labels=10)) == count


@pytest.mark.parametrize("name", ["vgg_6", "vgg_16", "resnet_20"])
@pytest.mark.parametrize("side", [32, 64])
def test_taps_have_the_shapes_that_the_configuration_promises(name, side):
    network = models.build(name, labels=10, inner_channels=4, image_size=side).eval()
    places = [(block, "filters") for block in range(1, network.network.blocks + 1)]
    tokens, output = capture(network, images(2, side), places)
    assert output.shape == (2, 10)
    for (block, tap), maps in tokens.items():
        filters, pixels = network.network.filter_maps[block - 1]
        assert maps.shape == (2, pixels**2, filters)
        assert models.tap_widths(network.network, block)[tap] == filters
        assert (maps >= 0).all()  # after the activation
    last = tokens[places[-1]]
    features = last.mean(1) if name == "resnet_20" else last.transpose(1, 2).flatten(1)
    torch.testing.assert_close(network.readout(features), output)


def test_a_silent_branch_leaves_the_parameter_free_shortcut():
    network = models.build("resnet_8", labels=10, inner_channels=4).eval()
    block = network.blocks[1]
    with torch.no_grad():
        block.norm2.weight.zero_()
        block.norm2.bias.zero_()
        maps = functional.relu(images().repeat(1, 2, 1, 1)[:, :4])
        output = block(maps)
    assert output.shape == (4, 8, 16, 16)
    torch.testing.assert_close(output[:, 2:6], maps[:, :, ::2, ::2])
    assert not output[:, [0, 1, 6, 7]].any()


def test_blocks_equal_the_plain_composition_of_operations():
    network = models.build("resnet_8", labels=10, inner_channels=4).train()
    vgg = models.build("vgg_6", labels=10, inner_channels=4).train()

    def normed(maps, norm):
        return functional.batch_norm(maps, None, None, norm.weight, norm.bias, training=True)

    pixels = images()
    first = vgg.blocks[0]
    expected = functional.relu(
        normed(functional.conv2d(pixels, first.convolution.weight, padding=1), first.norm)
    )
    torch.testing.assert_close(first(pixels), functional.max_pool2d(expected, 2))
    maps = network.stem(pixels)
    block = network.blocks[0]
    branch = functional.relu(
        normed(functional.conv2d(maps, block.convolution1.weight, padding=1), block.norm1)
    )
    branch = normed(functional.conv2d(branch, block.convolution2.weight, padding=1), block.norm2)
    torch.testing.assert_close(block(maps), functional.relu(maps + branch))


def test_positions_of_a_filter_lie_side_by_side_and_are_averages_of_its_map():
    probe = FilterProbe(FilterMap(3, 8), labels=5, positions=4)
    tokens = torch.randn(2, 64, 3, generator=torch.Generator().manual_seed(2))
    features = probe.features(tokens)
    assert features.shape == (2, 48) == (2, probe.readout.in_features)
    second = tokens[:, :, 1].view(2, 8, 8)
    expected = second.view(2, 4, 2, 4, 2).mean((2, 4)).flatten(1)
    torch.testing.assert_close(features[:, 16:32], expected)
    whole = FilterProbe(FilterMap(3, 2), labels=5, positions=4)
    torch.testing.assert_close(whole.features(tokens[:, :4]), tokens[:, :4].transpose(1, 2).flatten(1))


@pytest.mark.parametrize(
    ("network", "probes", "words"),
    [
        ({"architecture": "vgg_7"}, {"taps": ["filters"]}, "vgg_6, vgg_11"),
        ({"architecture": "resnet_21"}, {"taps": ["filters"]}, "no network resnet_21"),
        ({"architecture": "vgg_6", "heads": 2}, {"taps": ["filters"]}, "vgg_6 has no heads"),
        ({"architecture": "vgg_6", "image_size": 40}, {"taps": ["filters"]}, "no multiple of 32"),
        (
            {"architecture": "vgg_6"},
            {"taps": ["filters", "attention"]},
            "tap attention; one .vgg_6. has filters",
        ),
        ({"architecture": "vgg_6"}, {}, "tap attention; one .vgg_6. has filters"),
        ({}, {"taps": ["block", "filters"]}, "tap filters; one .cct_7_3x1. has attention_norm"),
    ],
)
def test_impossible_settings_are_refused_in_one_sentence(network, probes, words):
    with pytest.raises(SymbreakError, match=words) as refusal:
        parse({"name": "x", "networks": {"one": network}, "probes": probes})
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 400


def test_a_network_that_would_keep_no_tap_is_refused():
    networks = {"one": {}, "two": {"architecture": "resnet_20"}}
    with pytest.raises(SymbreakError, match=r"leaves two \(resnet_20\) without any; it has filters"):
        parse({"name": "x", "networks": networks, "probes": {"taps": ["block"]}})


def test_each_network_of_an_experiment_gets_the_taps_that_it_has():
    whole = settings()
    assert whole.taps_of("vgg") == ["filters"] and whole.taps_of("cct") == ["block"]
    assert parse(whole.model_dump(mode="json")) == whole  # written out in full it is still the same
    assert Network(architecture="resnet_20").inner_channels == 16
    assert Network(architecture="vgg_6").inner_channels == 64


def test_a_mixed_experiment_measures_each_network_at_its_own_taps(trained, tmp_path):
    _, folder = trained
    run(tmp_path, "cct")
    assert sorted(p.name for p in (tmp_path / "moments").iterdir()) == ["block.nc"]
    assert sorted(p.name for p in (folder / "moments").iterdir()) == ["filters.nc"]


@pytest.mark.parametrize("name", ["vgg", "resnet"])
def test_resumed_training_equals_uninterrupted_bitwise(name, tmp_path, monkeypatch):
    whole = settings()
    files = {}
    for kind, step in (("uninterrupted", None), ("killed", 13)):
        path = tmp_path / kind / "network.safetensors"
        if step is not None:
            with monkeypatch.context() as patch:
                kill_at(patch, step)
                with pytest.raises(Killed):
                    train_network(whole, name, 1, path, path.with_name("history.csv"))
        train_network(whole, name, 1, path, path.with_name("history.csv"))
        files[kind] = path.read_bytes()
    assert files["killed"] == files["uninterrupted"]


def test_learning_lowers_the_loss_of_network_and_probes(trained):
    _, folder = trained
    for file, column in (("history.csv", "train_loss"), ("p.csv", "train_loss_filters_3")):
        losses = [float(row[column]) for row in csv.DictReader((folder / file).read_text().splitlines())]
        assert losses[-1] < losses[0]


def test_an_untrained_network_is_a_null_model_for_filters_as_well(tmp_path):
    """Initial weights, untouched averages of batch normalisation: what is measured is finite and varies."""
    whole = settings()
    whole.networks["vgg"] = whole.networks["vgg"].model_copy(update={"trained": False})
    path = tmp_path / "network.safetensors"
    train_network(whole, "vgg", 1, path, tmp_path / "history.csv")
    network = load_network(path)[0]
    assert all(
        (buffer == 0).all() for name, buffer in network.named_buffers() if name.endswith("running_mean")
    )
    train_probes(whole, path, tmp_path / "probes.safetensors", tmp_path / "probes.csv")
    measure(whole, path, tmp_path / "probes.safetensors", tmp_path)
    with open_dataset(tmp_path / "moments" / "filters.nc", "moments") as moments:
        there = moments.filter_of_node.transpose("block", "node").values > 0
        means = moments.feature_mean.transpose("block", "node", ...).values[there]
        assert np.isfinite(means).all() and (means.std(axis=1) > 0).mean() > 0.5


def test_choosing_the_precision_leaves_the_averages_of_batchnorm_alone(tmp_path, monkeypatch):
    def tried(compute, trial):
        engine = choose_engine(compute.model_copy(update={"precision": "fp32"}))
        trial(engine)
        return engine

    monkeypatch.setattr(training, "choose_engine", tried)
    model = models.build("resnet_8", labels=100, inner_channels=4)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    resume = ResumeFile(tmp_path / "network.safetensors", "key")
    training.resumed_engine(
        resume, Compute(device="cpu"), model, load_configured(settings().data, "validation")
    )
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.named_buffers())


def literal_fields(folder, block, kept):
    """Mean output fields (label, output) with all weights of the FC layer silenced but those `kept`."""
    whole = settings()
    network, _ = load_network(folder / "network.safetensors")
    probes, _ = models.load(folder / "p.safetensors")
    probe = probes[block, "filters"].double()
    with torch.no_grad():
        silenced = torch.ones(probe.readout.in_features, dtype=torch.bool)
        silenced[kept] = False
        probe.readout.weight[:, silenced] = 0
        pictures = load_configured(whole.data, "validation")
        sums, count = torch.zeros(100, 100, dtype=torch.float64), torch.zeros(100, dtype=torch.float64)
        for pixels, truth in normalised_batches(
            pictures, choose_engine(whole.compute), 100, probe_training(whole)
        ):
            tokens, _ = capture(network, pixels, [(block, "filters")])
            sums.index_add_(0, truth, probe(tokens[block, "filters"].double()))
            count.index_add_(0, truth, torch.ones(len(truth), dtype=torch.float64))
    return (sums / count[:, None]).numpy()


@pytest.mark.parametrize(("block", "number"), [(1, 3), (2, 8), (3, 16)])
def test_filter_matrix_equals_literal_silencing_of_all_other_weights(trained, block, number):
    _, folder = trained
    with open_dataset(folder / "moments" / "filters.nc", "moments") as dataset:
        ours = dataset.symbreak.matrix(block=block, filter=number).values
    literal = literal_fields(folder, block, slice(16 * (number - 1), 16 * number))
    np.testing.assert_allclose(ours, literal, atol=1e-5 * np.abs(literal).max())


def test_file_names_the_filter_of_each_node_and_pads_narrow_blocks(trained):
    name, folder = trained
    with open_dataset(folder / "moments" / "filters.nc", "moments") as dataset:
        owner = dataset.filter_of_node.transpose("block", "node").values
        absent = np.isnan(dataset.feature_mean).any(["label", "fold"]).transpose("block", "node").values
        np.testing.assert_array_equal(absent, owner == 0)
        np.testing.assert_array_equal(np.isnan(dataset.readout).all("output"), owner == 0)
        filters = [4, 8, 16] if name == "resnet" else [4, 8, 16, 32, 32]
        positions = [16, 16, 16] if name == "resnet" else [16, 16, 16, 4, 1]
        expected = [np.repeat(np.arange(1, f + 1), p).tolist() for f, p in zip(filters, positions)]
        assert [row[row > 0].tolist() for row in owner] == expected
        with pytest.raises(SymbreakError, match="no filter 5 in block 1"):
            dataset.symbreak.matrix(block=1, filter=5)
        with open_dataset(folder / "logits" / "filters.nc") as logits:
            total = sum(dataset.symbreak.matrix(block=2, filter=k).values for k in range(1, 9))
            fields = logits.logits.sel(block=2).groupby(logits.truth).mean().values
    np.testing.assert_allclose(total, fields, atol=1e-5)


@pytest.mark.parametrize("centred", [False, True])
def test_statistics_of_filters_equal_brute_force(trained, centred):
    _, folder = trained
    with open_dataset(folder / "moments" / "filters.nc", "moments") as dataset:
        moments = dataset.load()
    tables, nodes = block_tables(moments, Statistics(thresholds=3, centred=centred))
    assert (
        tables.n_matrices.values.tolist()
        == nodes.diagonal.notnull().isel(threshold=0).sum("node").values.tolist()
    )
    for block in (1, 2):
        mean, readout, _ = pooled_moments(moments, block)
        if centred:
            mean, readout = mean - mean.mean(0), readout - readout.mean(0)
        owner = moments.filter_of_node.sel(block=block).values
        clusters, noises = [], []
        for number in range(1, owner.max() + 1):
            mine = owner[owner > 0] == number
            field = sum(np.outer(mean[:, k], readout[:, k]) for k in np.flatnonzero(mine))
            clipped = plain.above(field, 0.5)
            groups = plain.first_fit(clipped)
            clusters.append(groups)
            noises.append(int(clipped.sum() - sum(len(group) ** 2 for group in groups)))
        found = nodes.sel(block=block, threshold=0.5).isel(node=slice(0, owner.max()))
        assert found.n_clusters.values.tolist() == [len(groups) for groups in clusters]
        assert found.diagonal.values.tolist() == [sum(map(len, groups)) for groups in clusters]
        assert found.noise.values.tolist() == noises
        row = tables.sel(block=block, threshold=0.5)
        assert float(row.diagonal) == pytest.approx(np.mean([sum(map(len, g)) for g in clusters]))
        assert float(row.signal) == pytest.approx(float(row.diagonal) * owner.max() / 100)
        seen = np.bincount(
            [label for groups in clusters for group in groups for label in group], minlength=100
        )
        assert row.appearance.values.tolist() == seen.tolist()
        assert np.isfinite(row.diagonal_stderr)


def test_filters_of_one_position_are_nodes(trained):
    """Rank-one filters: the scan of matrices and the scan of nodes must agree exactly."""
    _, folder = trained
    with open_dataset(folder / "moments" / "filters.nc", "moments") as dataset:
        wide = dataset.sel(block=[3]).isel(node=slice(0, None, 16)).isel(node=slice(0, 16)).load()
    moments = wide.assign_coords(
        node=np.arange(1, 17), filter_of_node=(("block", "node"), np.arange(1, 17)[None])
    )
    by_filter, filters = block_tables(moments, Statistics(thresholds=9))
    by_node, nodes = block_tables(moments.drop_vars("filter_of_node"), Statistics(thresholds=9))
    for name in ("n_clusters", "diagonal", "noise", "snr", "diagonal_stderr"):
        np.testing.assert_array_equal(by_filter[name], by_node[name])
    np.testing.assert_array_equal(filters.noise, nodes.noise)


def test_probe_file_round_trips_and_a_bias_is_kept(tmp_path):
    network = Network(architecture="resnet_8", inner_channels=4)
    options = Probes(taps=["block", "filters"], bias=True, layer_norm=True, filter_positions=2)
    probes = models.ProbeSet(network, 10, options)
    models.save(tmp_path / "p.safetensors", probes)
    again, _ = models.load(tmp_path / "p.safetensors")
    assert again.settings.taps == ["filters"] and again.network == network
    tokens = torch.rand(3, 1024, 4)
    torch.testing.assert_close(again[1, "filters"](tokens), probes[1, "filters"](tokens))
    assert again[1, "filters"].readout.in_features == 4 * 2 * 2
    assert again[1, "filters"].readout.bias is not None
