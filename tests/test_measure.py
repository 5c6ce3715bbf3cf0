"""Moments: one pass equals literal silencing, means are means, files carry what the schema says."""

import numpy as np
import pytest
import torch
import xarray as xr
from tiny import SETTINGS, experiment

from symbreak import models
from symbreak.cli import main
from symbreak.config import dump
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning import train_network, train_probes
from symbreak.learning.compute import choose_engine
from symbreak.learning.probes import load_network, probe_training
from symbreak.learning.train import normalised_batches
from symbreak.measure import measure
from symbreak.measure.accumulator import fold_of_images
from symbreak.models.probe import record_taps
from symbreak.store import open_dataset


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
            tokens, _ = record_taps(network, pixels, [place])
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
