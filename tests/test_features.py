"""Readouts in closed form and moments of features that people bring."""

import numpy as np
import pytest
import torch
import xarray as xr

import symbreak
from symbreak.config import Heads, Statistics
from symbreak.errors import SymbreakError
from symbreak.features import MomentSums, RidgeSums
from symbreak.features.logistic import _loss, logistic_readout
from symbreak.features.ridge import STRENGTHS
from symbreak.observables import block_tables, head_tables
from symbreak.store import open_dataset, write_dataset


def world(inputs=300, labels=6, nodes=16, seed=0, noise=1.0):
    generator = np.random.default_rng(seed)
    truth = np.arange(inputs) % labels
    features = generator.normal(size=(labels, nodes))[truth] + noise * generator.normal(size=(inputs, nodes))
    return features, truth


def centred_targets(truth, labels):
    return np.eye(labels)[truth] - 1 / labels


def test_ridge_is_the_minimum_of_its_cost_whatever_the_batches():
    features, truth = world()
    sums, whole = RidgeSums(16), RidgeSums(16)
    for part, own in zip(np.split(features, [7, 50, 51, 200]), np.split(truth, [7, 50, 51, 200])):
        sums.add(part.astype(np.float32), own)
    whole.add(features.astype(np.float32), truth)
    readout, strength = sums.solve()
    again, same = whole.solve()
    assert same == strength and np.allclose(readout, again, rtol=1e-9)
    penalty = strength * np.trace(features.T @ features) / 16
    gradient = (features @ readout.T - centred_targets(truth, 6)).T @ features + penalty * readout
    assert np.abs(gradient).max() < 1e-3 * np.abs(features.T @ features).max()
    assert np.allclose(readout.sum(0), 0, atol=1e-10)


def test_ridge_chooses_what_predicts_held_out_folds_best():
    features, truth = world(inputs=60, nodes=40, noise=3.0)
    sums = RidgeSums(40)
    sums.add(features, truth)
    errors = []
    for strength in STRENGTHS:
        error = 0.0
        for fold in range(5):
            held = np.arange(60) % 5 == fold
            own = features[~held]
            penalty = strength * np.trace(own.T @ own) / 40
            product = own.T @ centred_targets(truth[~held], 6)
            readout = np.linalg.solve(own.T @ own + penalty * np.eye(40), product)
            error += np.sum((features[held] @ readout - centred_targets(truth[held], 6)) ** 2)
        errors.append(error)
    assert sums.solve()[1] == STRENGTHS[np.argmin(errors)] > STRENGTHS[0]


def test_logistic_readout_has_no_gradient_left():
    features, truth = world(noise=2.0)
    readout, strength = logistic_readout(features, truth, 6)
    scale = np.sqrt(np.mean(features**2))
    _, gradient = _loss(readout * scale, features / scale, truth)
    assert np.abs(gradient + strength * readout * scale).max() < 1e-3


@pytest.mark.parametrize("solver", ["ridge", "lbfgs"])
def test_both_solvers_find_what_can_be_found(solver):
    features, truth = world(inputs=600)
    table = symbreak.moments(features, truth, heads=4, solver=solver)
    best = symbreak.moments(features, truth, heads=4, solver="lbfgs")
    assert float(table.accuracy[0]) > 0.8 and abs(float(table.accuracy[0] - best.accuracy[0])) < 0.06


def test_moments_are_sums_over_what_did_not_train():
    features, truth = world()
    split = np.arange(300) < 150
    table = symbreak.moments({1: features, 2: features[:, :8]}, truth, heads=[4, 2], split=split)
    own = features[150:]
    for label in range(6):
        rows = truth[150:] == label
        for fold in range(5):
            mean = own[rows][fold::5].mean(0)
            assert np.allclose(table.feature_mean.sel(block=1, label=label, fold=fold + 1), mean)
    assert int(table["count"].sum()) == 150
    readout = table.readout.sel(block=1).transpose("output", "node").values
    right = np.argmax(own @ readout.T, 1) == truth[150:]
    assert np.isclose(table.accuracy[0], right.mean())
    alone = np.argmax(own[:, 4:8] @ readout[:, 4:8].T, 1) == truth[150:]
    heads = table.head_label_accuracy.sel(block=1, head=2)
    assert np.allclose(heads, [alone[truth[150:] == label].mean() for label in range(6)])
    assert table.width.values.tolist() == [16, 8]
    assert table.head_of_node.sel(block=2).values.tolist() == [1] * 4 + [2] * 4 + [0] * 8


def test_blocks_of_different_width_are_analysed_as_if_alone():
    features, truth = world()
    both = symbreak.moments({1: features, 2: features[:, :8]}, truth, heads=[4, 2])
    alone = symbreak.moments(features[:, :8], truth, heads=2)
    settings, draws = Statistics(thresholds=9), Heads(n_shuffles=99)
    joined, single = (block_tables(table, settings)[0] for table in (both, alone))
    for name in ("n_clusters", "cluster_size", "diagonal", "noise", "snr"):
        assert np.allclose(joined[name].sel(block=2), single[name].sel(block=1), equal_nan=True)
    heads = head_tables(both, settings, draws)
    appearance = head_tables(alone, settings, draws).appearance.sel(block=1)
    assert np.array_equal(heads.appearance.sel(block=2, head=[1, 2]), appearance)
    assert not heads.appearance.sel(block=2, head=[3, 4]).any()


def test_few_inputs_make_fewer_folds():
    features, truth = world(inputs=36)
    table = symbreak.moments(features, truth)
    assert table.sizes["fold"] == 3 and bool((table["count"] >= 1).all())
    assert int(table["count"].sum()) == 18


def test_a_moments_file_says_where_it_came_from(tmp_path):
    features, truth = world()
    names = ["a,b", "c/d", "$x$", "花", "e f", "-"]
    table = symbreak.moments(
        features,
        truth,
        heads=4,
        architecture="my network",
        dataset="my data",
        label_names=names,
        superclass=dict(zip(names, ["one", "two"] * 3)),
        seed=3,
    )
    write_dataset(tmp_path / "m.nc", table, "moments", table.attrs)
    with open_dataset(tmp_path / "m.nc", "moments") as read:
        assert read.attrs["source"] == "my network on my data" and read.attrs["seed"] == 3
        assert read.label_name.values.tolist() == names
        assert read.superclass_of_label.values.tolist() == [0, 1] * 3
        heads = head_tables(read.load(), Statistics(thresholds=9), Heads(n_shuffles=99))
    assert "filling_count" in heads


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_tensors_of_any_kind_are_converted(dtype):
    features, truth = world()
    tensor = torch.tensor(features, dtype=dtype, requires_grad=True)
    table = symbreak.moments({1: tensor}, torch.tensor(truth), heads=2)
    plain = symbreak.moments(tensor.detach().double().numpy(), truth, heads=2)
    assert isinstance(table, xr.Dataset)
    assert np.allclose(table.feature_mean, plain.feature_mean, atol=1e-6)


def test_labels_may_be_names():
    features, truth = world()
    words = np.array(["f", "e", "d", "c", "b", "a"])[truth]
    table = symbreak.moments(features, words)
    assert table.label_name.values.tolist() == list("abcdef")


GOOD, TRUTH = world()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((GOOD[:, :, None], TRUTH), {}, "pool over the tokens"),
        ((GOOD, TRUTH[:-1]), {}, "labels of shape"),
        ((GOOD, TRUTH * 1.5), {}, "integers from 0, or names"),
        ((GOOD, TRUTH * 2), {}, "without a gap"),
        ((GOOD, np.zeros(300, dtype=int)), {}, "two labels or more"),
        ((GOOD, TRUTH), {"heads": 3}, "3 heads do not divide 16 nodes of block 1"),
        ((GOOD, TRUTH), {"heads": [4, 4]}, "1 blocks and 2 numbers of heads"),
        ((GOOD, TRUTH), {"split": np.ones(300, dtype=bool)}, "split must say"),
        ((GOOD, TRUTH), {"split": TRUTH < 3}, "3 labels have no input to train"),
        ((GOOD, TRUTH), {"split": np.arange(300) > 5}, "'0' has 1 inputs to measure"),
        ((GOOD, TRUTH), {"label_names": ["a"]}, "6 labels and 1 names"),
        ((GOOD, TRUTH), {"superclass": ["a"]}, "6 labels and 1 superclasses"),
        ((GOOD, TRUTH), {"superclass": {"0": "a"}}, "'1' has no superclass"),
        ((GOOD, TRUTH), {"solver": "sgd"}, "no solver 'sgd'"),
        ((GOOD, TRUTH), {"folds": 1}, "two or more parts"),
        (({2: GOOD}, TRUTH), {}, "number them 1, 2"),
        ((np.where(GOOD > 2, np.nan, GOOD), TRUTH), {}, "not all finite"),
        (([[1], [1, 2]], TRUTH), {}, "are no array"),
    ],
)
def test_what_does_not_fit_is_one_sentence(arguments, options, message):
    with pytest.raises(SymbreakError, match=message) as error:
        symbreak.moments(*arguments, **options)
    assert "\n" not in str(error.value)


def test_sums_do_not_depend_on_batches():
    features, truth = world()
    readout = np.random.default_rng(1).normal(size=(6, 16))
    whole, parts = MomentSums([readout], [4], 5), MomentSums([readout], [4], 5)
    whole.add(0, features, truth, whole.deal(truth))
    for rows in np.array_split(np.arange(300), 7):
        parts.add(0, features[rows], truth[rows], parts.deal(truth[rows]))
    names = [str(n) for n in range(6)]
    xr.testing.assert_allclose(whole.dataset(names), parts.dataset(names))
