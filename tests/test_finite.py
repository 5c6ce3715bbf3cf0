"""Numbers that are no numbers: refused by name at every door, never a result."""

import numpy as np
import pytest
import torch
import xarray as xr
from tiny import experiment
from torch import nn

from symbreak import models, observables
from symbreak.cli import main
from symbreak.clusters import largest_cluster, partition, partitions, scan, scan_matrices
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head, centre, clip, label_means, nodal
from symbreak.measure import measure
from symbreak.models.probe import ProbeSet
from symbreak.numerics.arrays import as_floats
from symbreak.planted import moments_example
from symbreak.store import open_dataset, provenance, write_dataset

GOOD = np.array([[1.0, 0.5], [0.2, 0.8], [0.4, 0.1]])
FACTS = {"dataset": "none", "dataset_sha256": "0", "precision": "fp32", "device": "cpu", "seed": 1}


def attributes(**facts):
    return provenance(experiment(), title="an example", source="planted", **(FACTS | facts))


def spoilt(value):
    array = GOOD.copy()
    array[2, 1] = value
    return array


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "call",
    [
        lambda bad: scan(bad, GOOD, [0.3]),
        lambda bad: scan(GOOD, bad, [0.3]),
        lambda bad: scan(GOOD, GOOD, [0.3], bias=bad[:, 1]),
        lambda bad: scan(bad, GOOD, [0.3], centred=True),
        lambda bad: scan_matrices([bad @ np.ones((2, 3))], [0.3]),
        lambda bad: partition(bad @ np.ones((2, 3)), 0.3),
        lambda bad: partitions(bad, GOOD, 0.3),
        lambda bad: largest_cluster(bad, GOOD, [0.3]),
        lambda bad: nodal(bad, GOOD),
        lambda bad: by_head(GOOD, bad, [1, 2]),
        lambda bad: centre(bad, GOOD),
        lambda bad: label_means(bad, [0, 0, 1], 2),
        lambda bad: observables.pool_folds(np.stack([bad, bad]), [[1, 1, np.nan], [1, 1, 1]]),
    ],
)
def test_public_functions_refuse_what_is_not_finite(call, value):
    with pytest.raises(SymbreakError, match=r" is (nan|-?inf) at \(|finite"):
        call(spoilt(value))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (GOOD + 0j, "holds complex128"),
        (GOOD.astype(str), "holds <U"),
        (GOOD.astype(object), "holds object"),
        (GOOD.astype("datetime64[s]"), "holds datetime64"),
        (np.ma.masked_greater(GOOD, 0.9), "masked elements"),
        ([[1.0], [2.0, 3.0]], "rows of one length"),
        ([[None, 1.0]], "holds object"),
        (torch.zeros(3, 2, device="meta"), "without plain numbers"),
        (torch.eye(3).to_sparse(), "without plain numbers"),
        (torch.zeros(3, 2, dtype=torch.complex64), "holds complex64"),
    ],
)
def test_what_is_no_real_number_is_refused_in_a_sentence(bad, message):
    calls = (lambda: scan(bad, GOOD, [0.3]), lambda: clip(bad, 0.3), lambda: label_means(bad, [0, 1, 1], 2))
    for call in calls:
        with pytest.raises(SymbreakError, match=message) as caught:
            call()
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_tensors_are_read_as_the_numbers_they_are(dtype):
    tensor = nn.Parameter(torch.tensor(GOOD).to(dtype))
    plain = tensor.detach().double().numpy()
    np.testing.assert_array_equal(as_floats(tensor, "means"), plain)
    xr.testing.assert_identical(scan(tensor, tensor, [0.3]), scan(plain, plain, [0.3]))
    xr.testing.assert_identical(scan(np.ma.array(plain), plain, [0.3]), scan(plain, plain, [0.3]))
    means = [label_means(values, torch.tensor([0, 0, 1]), 2)[0] for values in (tensor, plain)]
    np.testing.assert_array_equal(*means)


@pytest.mark.parametrize("thresholds", [[0.3, 0.3], [0.5, 0.2], [0.1, 0.2, 0.2], np.array([0.9, 0.1])])
def test_thresholds_rise(thresholds):
    for call in (lambda: scan(GOOD, GOOD, thresholds), lambda: scan_matrices(np.eye(3)[None], thresholds)):
        with pytest.raises(SymbreakError, match="thresholds"):
            call()


@pytest.mark.parametrize("name", ["feature_mean", "readout", "accuracy", "label_accuracy"])
def test_files_are_neither_written_nor_read_with_such_numbers(tmp_path, name, monkeypatch, capsys):
    spoilt = moments_example()
    values = spoilt[name].values.copy()
    values[(-1,) * values.ndim] = np.nan
    spoilt[name] = (spoilt[name].dims, values)
    path = tmp_path / "block.nc"
    with pytest.raises(SymbreakError, match=f"`{name}` is nan"):
        write_dataset(path, spoilt, "moments", attributes())
    assert not path.exists()
    monkeypatch.setattr("symbreak.store.netcdf.check_finite", lambda *_: None)
    write_dataset(path, spoilt, "moments", attributes())
    monkeypatch.undo()
    with pytest.raises(SymbreakError, match=rf"block\.nc: `{name}` is nan"):
        open_dataset(path)
    assert main(["validate", str(path)]) == 2
    assert f"`{name}` is nan" in capsys.readouterr().err


def test_the_place_is_named_as_the_file_counts():
    spoilt = moments_example()
    spoilt.feature_mean[1, 4, 7, 2] = np.inf
    with pytest.raises(SymbreakError, match="`feature_mean` is inf at block 2, node 5, label 7, fold 3"):
        write_dataset("nowhere.nc", spoilt, "moments", attributes())


def test_nodes_that_a_block_lacks_may_have_no_numbers(tmp_path):
    moments = moments_example()
    moments.coords["filter_of_node"] = ("block", "node"), [[1, 1, 2, 2, 3, 3], [1, 2, 3, 4, 0, 0]]
    moments.feature_mean[1, 4:] = np.nan
    moments.readout[1, 4:] = np.nan
    write_dataset(tmp_path / "filters.nc", moments, "moments", attributes())
    with open_dataset(tmp_path / "filters.nc") as read:
        assert np.isnan(read.feature_mean[1, 4:]).all()
    moments.readout[1, 3] = np.nan
    with pytest.raises(SymbreakError, match="`readout` is nan at block 2, node 4, output 0"):
        write_dataset(tmp_path / "filters.nc", moments, "moments", attributes())


def test_a_label_without_images_is_named(tmp_path):
    moments = moments_example()
    moments["count"][3] = 0
    with pytest.raises(SymbreakError, match="the first is label 3;"):
        write_dataset(tmp_path / "block.nc", moments, "moments", attributes())
    for call in (observables.block_tables, observables.head_tables):
        with pytest.raises(SymbreakError, match="no images of 1 labels, the first is label 3"):
            call(moments, experiment().statistics)
    with pytest.raises(SymbreakError, match="the first is 3;"):
        observables.block_tables(moments.drop_vars("label_name"), experiment().statistics)


@pytest.mark.parametrize("where", ["blocks.0.qkv.weight", "readout.bias", "probes"])
def test_a_pass_through_spoilt_weights_writes_nothing(tmp_path, where):
    settings = experiment()
    network = models.create(settings.networks["small"], settings.data.n_labels)
    header = FACTS | {"name": "small", "training": settings.training_of("small").determining()}
    probes = ProbeSet(network.network, network.labels, settings.probes)
    state = dict((probes if where == "probes" else network).named_parameters())
    name = next(name for name in state if where in name or (where == "probes" and "readout.weight" in name))
    with torch.no_grad():
        state[name].view(-1)[0] = torch.nan
    models.save(tmp_path / "network.safetensors", network, **header)
    models.save(tmp_path / "probes.safetensors", probes, **header)
    with pytest.raises(SymbreakError, match=r"The pass over [\w ]+: `\w+` is nan at .*train them again"):
        measure(settings, tmp_path / "network.safetensors", tmp_path / "probes.safetensors", tmp_path)
    assert not list(tmp_path.rglob("*.nc"))
