"""Moments: one pass equals literal silencing, means are means, files carry what the schema says."""

import numpy as np
import pytest
import torch
import xarray as xr
from tiny import SETTINGS, experiment

from symbreak import models
from symbreak.cli import main
from symbreak.config import Heads, dump
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning import train_network, train_probes
from symbreak.learning.batches import normalised_batches
from symbreak.learning.engine.device import choose_engine
from symbreak.learning.probes import probe_training
from symbreak.matrices import by_head
from symbreak.measure import measure
from symbreak.measure.accumulator import fold_of_images
from symbreak.models import load_network
from symbreak.observables import head_tables
from symbreak.observables.heads.input_silencing import centred_fields
from symbreak.results.tables.heads import matrix_table
from symbreak.store import open_dataset
from symbreak.taps import capture


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained network with probes, measured; two heads in block 1, four in block 2."""
    folder = tmp_path_factory.mktemp("seed1")
    settings = experiment()
    train_network(settings, "small", 1, folder / "network.safetensors", folder / "history.csv")
    (folder / "probes").mkdir()
    probes = folder / "probes"
    train_probes(
        settings, folder / "network.safetensors", probes / "probes.safetensors", probes / "history.csv"
    )
    measure(settings, folder / "network.safetensors", probes / "probes.safetensors", folder)
    return folder


def literal_fields(folder, place, kept):
    """Mean output fields (label, output) of a probe whose readout weights outside `kept` are silenced."""
    settings = experiment()
    network, _ = load_network(folder / "network.safetensors")
    probes, _ = models.load(folder / "probes" / "probes.safetensors")
    probe = probes[place].double()
    with torch.no_grad():
        silenced = torch.ones(probe.readout.in_features, dtype=torch.bool)
        silenced[kept] = False
        probe.readout.weight[:, silenced] = 0
        images = load_configured(settings.data, "validation")
        sums, count = torch.zeros(100, 100, dtype=torch.float64), torch.zeros(100, dtype=torch.float64)
        engine = choose_engine(settings.compute)
        for pixels, truth in normalised_batches(images, engine, 100, probe_training(settings)):
            tokens, _ = capture(network, pixels, [place])
            sums.index_add_(0, truth, probe(tokens[place].double()))
            count.index_add_(0, truth, torch.ones(len(truth), dtype=torch.float64))
    return (sums / count[:, None]).numpy()


@pytest.mark.parametrize(
    ("tap", "block", "node"), [("attention", 1, 3), ("block", 2, 16), ("linear1", 2, 32)]
)
def test_nodal_matrix_equals_literal_silencing_of_the_readout(folder, tap, block, node):
    with open_dataset(folder / "moments" / f"{tap}.nc", "moments") as dataset:
        ours = dataset.symbreak.matrix(block=block, node=node).values
    literal = literal_fields(folder, (block, tap), [node - 1])
    np.testing.assert_allclose(ours, literal, atol=1e-5 * np.abs(literal).max())


@pytest.mark.parametrize(("block", "head", "kept"), [(1, 2, range(8, 16)), (2, 3, range(8, 12))])
def test_head_matrix_equals_literal_silencing_of_the_readout(folder, block, head, kept):
    with open_dataset(folder / "moments" / "attention.nc", "moments") as dataset:
        ours = dataset.symbreak.matrix(block=block, head=head).values
    literal = literal_fields(folder, (block, "attention"), list(kept))
    np.testing.assert_allclose(ours, literal, atol=1e-5 * np.abs(literal).max())


@pytest.fixture(scope="module")
def both(folder, tmp_path_factory):
    """Measured with the heads silenced at both places; probes with a bias and a LayerNorm, and without."""
    made = {}
    for name, options in {"plain": {}, "full": {"bias": True, "layer_norm": True}}.items():
        target = tmp_path_factory.mktemp(name)
        settings = experiment(
            probes={"taps": ["attention"]} | options, measurement={"head_silencing": "both"}
        )
        weights, probes = folder / "network.safetensors", target / "probes" / "probes.safetensors"
        probes.parent.mkdir()
        train_probes(settings, weights, probes, target / "probes" / "history.csv")
        measure(settings, weights, probes, target)
        made[name] = target
    return made


def silenced_inputs(network, probes, place, kept):
    """Mean output fields (label, output) of a probe that is given tokens of the nodes `kept` alone."""
    settings = experiment()
    probe = probes[place].double().eval()
    images = load_configured(settings.data, "validation")
    sums, count = torch.zeros(100, 100, dtype=torch.float64), torch.zeros(100, dtype=torch.float64)
    mask = torch.tensor([1.0 if k in kept else 0.0 for k in range(16)], dtype=torch.float64)
    for pixels, truth in normalised_batches(
        images, choose_engine(settings.compute), 100, probe_training(settings)
    ):
        tokens, _ = capture(network, pixels, [place])
        with torch.no_grad():
            sums.index_add_(0, truth, probe(tokens[place].double() * mask))
        count.index_add_(0, truth, torch.ones(len(truth), dtype=torch.float64))
    return (sums / count[:, None]).numpy()


@pytest.mark.parametrize("name", ["plain", "full"])
@pytest.mark.parametrize(("block", "head", "kept"), [(1, 2, range(8, 16)), (2, 3, range(8, 12))])
def test_fields_of_a_head_equal_literal_masking_of_the_input(folder, both, name, block, head, kept):
    with open_dataset(both[name] / "moments" / "attention.nc", "moments") as dataset:
        by_fold = dataset.head_field_input.sel(block=block, head=head)
        ours = by_fold.weighted(dataset["count"]).mean("fold").values
        assert dataset.head_field_input.dtype == "float32"
        assert dataset.head_field_input.sel(block=1, head=3).isnull().all()  # block 1 has two heads
    network, _ = load_network(folder / "network.safetensors")
    probes, _ = models.load(both[name] / "probes" / "probes.safetensors")
    literal = silenced_inputs(network.eval(), probes, (block, "attention"), list(kept))
    np.testing.assert_allclose(ours, literal, atol=1e-5 * np.abs(literal).max())


def test_both_places_of_silencing_agree_where_the_pooling_is_uniform(folder, both, tmp_path):
    probes, header = models.load(both["plain"] / "probes" / "probes.safetensors")
    for place in probes.places:
        torch.nn.init.zeros_(probes[place].pooling.weight)
    (tmp_path / "probes").mkdir()
    models.save(tmp_path / "probes" / "probes.safetensors", probes, **header)
    settings = experiment(measurement={"head_silencing": "both"})
    measure(settings, folder / "network.safetensors", tmp_path / "probes" / "probes.safetensors", tmp_path)
    with open_dataset(tmp_path / "moments" / "attention.nc") as moments:
        table = head_tables(moments.load(), settings.statistics, Heads(n_shuffles=99))
        for head in range(1, 5):
            ours = moments.head_field_input.sel(block=2, head=head).mean("fold").values
            default = moments.symbreak.matrix(block=2, head=head).values
            np.testing.assert_allclose(ours, default, atol=1e-5 * np.abs(default).max())
    np.testing.assert_allclose(table.head_input_diagonal, table.head_diagonal, atol=0.5)
    assert float(table.agreement_input.min()) > 0.97


def test_the_second_reading_changes_nothing_else_and_stands_beside_the_first(folder, both):
    settings = experiment(probes={"taps": ["attention"]})
    measure(
        settings, folder / "network.safetensors", both["plain"] / "probes/probes.safetensors", folder / "one"
    )
    with (
        open_dataset(folder / "one" / "moments" / "attention.nc") as one,
        open_dataset(both["plain"] / "moments" / "attention.nc") as two,
    ):
        assert "head_field_input" not in one
        xr.testing.assert_identical(
            one.load().drop_attrs(), two.load().drop_vars("head_field_input").drop_attrs()
        )
        first, second = (head_tables(m, settings.statistics, Heads(n_shuffles=99)) for m in (one, two))
    for name in first.data_vars:
        np.testing.assert_array_equal(first[name], second[name])
    table = matrix_table(second)
    assert table[["block", "silenced"]].values.tolist() == [
        [2, "readout"],
        [2, "input"],
        [1, "readout"],
        [1, "input"],
    ]
    np.testing.assert_allclose(table.snr_change[1], table.snr[1] / table.snr[0] - 1)
    assert table.snr_change.notna().tolist() == [False, True, False, True]
    assert (table.snr_error[1] >= 0) and "silenced" not in matrix_table(first)
    assert second.head_input_snr.attrs["long_name"].endswith(
        "at the input of the probe: signal-to-noise ratio"
    )


@pytest.mark.parametrize("bias", [None, np.linspace(-1, 1, 7)])
def test_centred_fields_are_those_of_centred_factors(bias):
    random = np.random.default_rng(1)
    mean, readout, heads = random.normal(size=(7, 6)), random.normal(size=(7, 6)), np.repeat([1, 2], 3)
    fields = centred_fields(by_head(mean, readout, heads, bias), mean, readout, bias)
    np.testing.assert_allclose(fields, by_head(mean, readout, heads, bias, centred=True), atol=1e-12)


def test_all_nodes_together_give_the_mean_output_fields_and_the_accuracy(folder):
    with (
        open_dataset(folder / "moments" / "block.nc") as moments,
        open_dataset(folder / "logits" / "block.nc") as logits,
    ):
        total = sum(moments.symbreak.matrix(block=2, node=k).values for k in moments.node.values)
        fields = logits.logits.sel(block=2).groupby(logits.truth).mean().values
        np.testing.assert_allclose(total, fields, atol=1e-5)
        right = (logits.logits.argmax("output") == logits.truth).mean("sample")
        np.testing.assert_allclose(moments.accuracy, right)
        np.testing.assert_allclose(moments.label_accuracy.mean("label"), right)


def test_network_logits_are_those_of_the_saved_network(folder):
    _, header = load_network(folder / "network.safetensors")
    with open_dataset(folder / "logits" / "network.nc", "logits") as dataset:
        accuracy = float((dataset.logits.argmax("output") == dataset.truth).mean())
    assert accuracy == pytest.approx(header["validation_accuracy"])
    with open_dataset(folder / "moments" / "block.nc") as moments:
        assert float(moments.network_accuracy) == pytest.approx(accuracy)


def test_folds_are_balanced_and_pool_to_the_mean(folder):
    fold = fold_of_images(torch.tensor([3, 3, 3, 1, 3, 1]), folds=2)
    assert fold.tolist() == [0, 1, 0, 0, 1, 1]
    with open_dataset(folder / "moments" / "block.nc") as dataset:
        assert dataset["count"].values.tolist() == [[1] * 5] * 100


def test_heads_are_named_per_block_where_blocks_differ(folder):
    with open_dataset(folder / "moments" / "attention.nc") as dataset:
        assert dataset.head_of_node.dims == ("block", "node")
        assert dataset.head_of_node.sel(block=1).values.tolist() == [1] * 8 + [2] * 8
        assert dataset.head_of_node.sel(block=2).values.tolist() == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4


def test_measuring_again_gives_the_same_values(folder, tmp_path):
    measure(experiment(), folder / "network.safetensors", folder / "probes" / "probes.safetensors", tmp_path)
    first, second = (open_dataset(f / "moments" / "attention.nc").load() for f in (folder, tmp_path))
    xr.testing.assert_identical(first.drop_attrs(), second.drop_attrs())


def test_probes_of_another_network_are_refused(folder, tmp_path):
    other = models.build("cct_1_3x1", labels=100, dim=16, heads=2)
    models.save(
        tmp_path / "network.safetensors",
        other,
        name="x",
        seed=1,
        dataset="diacritics",
        dataset_sha256="",
        precision="fp32",
        device="cpu",
    )
    with pytest.raises(SymbreakError, match="another network"):
        measure(
            experiment(), tmp_path / "network.safetensors", folder / "probes" / "probes.safetensors", tmp_path
        )
    with pytest.raises(SymbreakError, match="holds probes, not a network"):
        load_network(folder / "probes" / "probes.safetensors")


def test_scan_and_join_make_files_that_xarray_opens(folder, tmp_path):
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(SETTINGS))
    assert main(["scan", "--config", str(config), "--folder", str(folder)]) == 0
    names = ["statistics/block.nc", "statistics/attention.nc"]
    assert main(["join", str(folder), "--names", *names, "--output", str(tmp_path)]) == 0
    with xr.open_dataset(tmp_path / "statistics" / "block.nc") as joined:
        assert joined.snr.dims == ("seed", "block", "threshold")
        assert joined.snr.attrs["symbol"] == "SNR"
        assert joined.threshold.size == 9
        identity = (joined.n_clusters * joined.cluster_size).fillna(0)  # no cluster, no size
        np.testing.assert_allclose(identity, joined.diagonal)
    with xr.open_dataset(folder / "nodes" / "linear1.nc") as nodes:
        assert nodes.diagonal.dims == ("block", "node", "threshold")
        assert nodes.sizes["node"] == 32
    twice = ["join", str(folder), str(folder), "--names", *names, "--output", str(tmp_path)]
    assert main(twice) == 2
