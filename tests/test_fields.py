"""Field matrices, gauge, clipping and label means against literal loops."""

import numpy as np
import pytest

from symbreak.errors import SymbreakError
from symbreak.matrices import by_head, centre, clip, field_maximum, label_means, nodal


@pytest.fixture
def factors():
    generator = np.random.default_rng(0)
    return generator.normal(size=(7, 12)), generator.normal(size=(5, 12)), generator.normal(size=5)


def test_nodal_fields_are_products_plus_bias(factors):
    mean, readout, bias = factors
    matrices = nodal(mean, readout, bias)
    assert matrices.shape == (12, 7, 5)
    for node, label, output in [(0, 0, 0), (11, 6, 4), (3, 2, 1)]:
        assert matrices[node, label, output] == mean[label, node] * readout[output, node] + bias[output]
    np.testing.assert_allclose(nodal(mean, readout).sum(axis=0), mean @ readout.T)


def test_heads_are_sums_of_their_nodes(factors):
    mean, readout, bias = factors
    heads = np.array([1, 2, 3, 1, 2, 3, 3, 3, 2, 1, 1, 1])
    matrices = by_head(mean, readout, heads, bias)
    single = nodal(mean, readout)
    for head in (1, 2, 3):
        np.testing.assert_allclose(matrices[head - 1], single[heads == head].sum(axis=0) + bias)
    with pytest.raises(SymbreakError, match="without leaving one out"):
        by_head(mean, readout, np.where(heads == 2, 1, heads))


def test_centred_fields_do_not_see_the_gauge(factors):
    mean, readout, bias = factors
    generator = np.random.default_rng(1)
    offset, common = generator.normal(size=12), generator.normal(size=12)
    for moved in (
        (mean + offset, readout, bias - readout @ offset),
        (mean, readout + common, bias),
        (mean, readout, bias + 3.0),
    ):
        for one, other in zip(centre(*moved), centre(mean, readout, bias)):
            np.testing.assert_allclose(one, other, atol=1e-12)
        # The prediction itself moves at most by a constant common to all outputs.
        change = moved[0] @ moved[1].T + moved[2] - (mean @ readout.T + bias)
        np.testing.assert_allclose(change, change[:, :1] * np.ones(5), atol=1e-12)
    np.testing.assert_allclose(
        nodal(mean + offset, readout, centred=True), nodal(mean, readout, centred=True), atol=1e-12
    )
    heads = np.ones(12, int)
    whole = by_head(mean, readout, heads, bias, centred=True)[0]
    exact = mean @ readout.T + bias
    exact = exact - exact.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(whole, exact, atol=1e-12)


def test_clip_is_strict_and_empty_without_positive_finite_maximum():
    np.testing.assert_array_equal(clip([[1.0, 0.3], [0.31, -2.0]], 0.3), [[True, False], [True, False]])
    for empty in (
        -np.ones((2, 2)),
        np.zeros((2, 2)),
        np.array([[1.0, np.nan], [1, 1]]),
        np.full((2, 2), np.inf),
    ):
        assert not clip(empty, 0.0).any()
    stack = np.stack([np.eye(2), -np.eye(2) - 1])
    np.testing.assert_array_equal(clip(stack, 0.5), [np.eye(2) > 0, np.zeros((2, 2), bool)])
    np.testing.assert_array_equal(field_maximum(stack), [1.0, -1.0])
    for threshold in (-0.1, 1.0, np.nan):
        with pytest.raises(SymbreakError, match=r"\[0, 1\)"):
            clip(np.eye(2), threshold)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_label_means_are_means_in_double_precision(dtype):
    generator = np.random.default_rng(3)
    features = generator.normal(size=(500, 33)).astype(dtype)
    labels = generator.integers(0, 9, 500)
    mean, count = label_means(features, labels, 10, threads=1)
    for label in range(9):
        np.testing.assert_allclose(
            mean[label], features[labels == label].astype(float).mean(axis=0), rtol=1e-12
        )
    assert np.isnan(mean[9]).all()
    np.testing.assert_array_equal(count, np.bincount(labels, minlength=10))
    for threads in (2, 5, 64):
        np.testing.assert_array_equal(label_means(features, labels, 10, threads=threads)[0], mean)
    order = np.argsort(labels, kind="stable")
    np.testing.assert_array_equal(label_means(features[order], labels[order], 10)[0], mean)


def test_label_means_do_not_lose_small_values_beside_large_ones():
    features = np.full((200_001, 1), 0.1, np.float32)
    features[0] = 1e6
    mean, _ = label_means(features, np.zeros(200_001, int), 1)
    exact = (1e6 + 200_000 * float(np.float32(0.1))) / 200_001
    assert mean[0, 0] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((3, 2)), [0, 1], "one label for each sample"),
        (np.zeros(3), [0, 1, 1], "samples, nodes"),
        (np.zeros((2, 2)), [0, 2], r"0 \.\.\. 1"),
        (np.zeros((2, 2)), [-1, 0], r"0 \.\.\. 1"),
        (np.zeros((2, 2)), [0.0, 1.0], "give integers"),
    ],
)
def test_label_means_refuse_wrong_labels(features, labels, message):
    with pytest.raises(SymbreakError, match=message):
        label_means(features, np.array(labels), 2)
