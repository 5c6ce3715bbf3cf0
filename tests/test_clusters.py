"""Rank-one path, bit rows and plain Python agree; edge cases have one defined answer."""

import numpy as np
import plain_clusters as plain
import pytest

from symbreak.clusters import RULES, membership, partition, partitions, scan, scan_matrices
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head, clip, nodal
from symbreak.planted import block_matrix

SCANNED = ("n_clusters", "cluster_size", "diagonal", "noise", "square_sum", "largest", "appearance")
THRESHOLDS = np.arange(1, 100) / 100


def gaussian(n_labels, n_nodes, seed, correlation=0.4, offset=0.0):
    generator = np.random.default_rng(seed)
    mean = generator.normal(size=(n_labels, n_nodes)) + offset
    return mean, correlation * mean + np.sqrt(1 - correlation**2) * generator.normal(size=mean.shape)


def coarse(n_labels, n_nodes, seed):
    """Few distinct values: ties at the threshold, duplicated labels, zero weights."""
    generator = np.random.default_rng(seed)
    values = np.array([-2.0, -1.0, -0.5, 0.0, 0.1, 0.3, 0.5, 0.7, 1.0, 2.0])
    return generator.choice(values, (n_labels, n_nodes)), generator.choice(values, (n_labels, n_nodes))


def assert_same(one, other, names=SCANNED):
    for name in names:
        np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=name)
    np.testing.assert_array_equal(one.field_maximum, other.field_maximum)


@pytest.mark.parametrize("make", [gaussian, coarse])
@pytest.mark.parametrize("n_labels", [1, 2, 5, 10, 63, 64, 65, 100, 102, 128, 200])
@pytest.mark.parametrize("rule", ["first_fit", "largest_first"])
def test_both_paths_give_the_same_partitions_bit_for_bit(rule, n_labels, make):
    mean, readout = make(n_labels, 8, seed=n_labels)
    fast = scan(mean, readout, THRESHOLDS, rule, path="rank_one")
    general = scan(mean, readout, THRESHOLDS, rule, path="bit_rows")
    assert_same(fast, general)
    assert_same(general, scan_matrices(nodal(mean, readout), THRESHOLDS, rule, dim="node"))
    np.testing.assert_allclose(fast.cluster_field, general.cluster_field, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(fast.diagonal_field, general.diagonal_field, rtol=1e-12, atol=1e-12)
    for threshold in (0.0, 0.3, 0.5):
        each = [partition(matrix, threshold, rule) for matrix in nodal(mean, readout)]
        np.testing.assert_array_equal(partitions(mean, readout, threshold, rule), each)


@pytest.mark.parametrize("n_labels", [10, 100, 102, 128, 200, 1000])
def test_first_fit_equals_plain_python_for_any_number_of_labels(n_labels):
    mean, readout = gaussian(n_labels, 2, seed=3)
    bias = 0.3 * np.random.default_rng(4).normal(size=n_labels)
    for matrices, result in (
        (nodal(mean, readout), scan(mean, readout, [0.1, 0.3, 0.6])),
        (nodal(mean, readout, bias), scan(mean, readout, [0.1, 0.3, 0.6], bias=bias)),
    ):
        for node, matrix in enumerate(matrices):
            for threshold in (0.1, 0.3, 0.6):
                clipped = plain.above(matrix, threshold)
                groups = plain.first_fit(clipped)
                sizes = np.array([len(group) for group in groups])
                found = result.sel(threshold=threshold).isel(node=node)
                assert found.n_clusters == len(groups)
                assert found.diagonal == sizes.sum() == clipped.diagonal().sum()
                assert found.noise == clipped.sum() - (sizes**2).sum()
                assert found.largest == sizes.max(initial=0)
                numbers = plain.numbered(groups, n_labels)
                np.testing.assert_array_equal(partition(matrix, threshold), numbers)


@pytest.mark.parametrize("rule", list(RULES))
def test_planted_blocks_are_found_by_every_rule(rule):
    for seed in range(5):
        planted = block_matrix((6, 8, 2, 1), n_labels=100, noise=300, seed=seed)
        found = scan_matrices(planted.matrix[None], [0.3], rule).isel(threshold=0, head=0)
        assert found.noise == 300
        assert found.square_sum == 36 + 64 + 4 + 1
        cluster_of = partition(planted.matrix, 0.3, rule)
        same = cluster_of[:, None] == cluster_of
        np.testing.assert_array_equal(same, planted.cluster_of[:, None] == planted.cluster_of)
        if rule == "first_fit":
            np.testing.assert_array_equal(cluster_of, planted.cluster_of)
        if rule == "largest_first":
            np.testing.assert_array_equal(np.bincount(cluster_of)[1:], [8, 6, 2, 1])


@pytest.mark.parametrize("path", ["rank_one", "bit_rows"])
@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize(
    ("mean", "weight", "maximum"),
    [
        ([1.0, 2.0], [-1.0, -3.0], -1.0),  # all elements negative: dividing would flip the signs
        ([0.0, 0.0], [1.0, 2.0], 0.0),
        ([-1.0, 1e200], [-1e200, -1.0], np.nan),  # a product overflows to minus infinity
    ],
)
def test_matrices_without_positive_finite_maximum_are_empty(mean, weight, maximum, rule, path):
    found = scan(np.array([mean]).T, np.array([weight]).T, [0.0, 0.3], rule, path=path)
    for name in ("n_clusters", "diagonal", "noise", "square_sum", "largest"):
        assert (found[name] == 0).all()
    assert found.cluster_size.isnull().all()
    assert (found.appearance == 0).all()
    assert (found.cluster_field == 0).all()
    np.testing.assert_array_equal(found.field_maximum, [maximum])


@pytest.mark.parametrize("path", ["rank_one", "bit_rows"])
def test_defined_answers_for_single_labels_zeros_ties_and_twins(path):
    single = scan([[2.0]], [[0.5]], [0.0, 0.99], path=path)
    assert (single.n_clusters == 1).all() and (single.noise == 0).all()
    # A zero weight is never above, not even at threshold zero.
    zeros = scan([[1.0], [0.0], [1.0]], [[1.0], [1.0], [0.0]], [0.0], path=path).isel(threshold=0, node=0)
    assert (zeros.n_clusters, zeros.diagonal, zeros.noise) == (1, 1, 3)
    # An element exactly at the threshold is not above: 0.5 = 0.5 * 1.
    tie = scan([[1.0], [0.5]], [[1.0], [1.0]], [np.nextafter(0.5, 0), 0.5], path=path).isel(node=0)
    np.testing.assert_array_equal(tie.diagonal, [2, 1])
    np.testing.assert_array_equal(tie.noise, [0, 1])
    # Labels with the same factors share a cluster under first fit.
    mean, readout = gaussian(30, 40, seed=9)
    twins = np.repeat(np.arange(30), 2)
    cluster_of = partitions(mean[twins], readout[twins], 0.3)
    np.testing.assert_array_equal(cluster_of[:, ::2], cluster_of[:, 1::2])


def test_membership_adds_up_and_threads_and_threshold_order_change_nothing():
    mean, readout = gaussian(50, 200, seed=2)
    heads = np.random.default_rng(0).integers(1, 8, 200)
    whole = scan(mean, readout, THRESHOLDS, threads=1)
    parts = scan(mean, readout, THRESHOLDS, threads=4)
    for name in whole.data_vars:
        np.testing.assert_array_equal(parts[name], whole[name], err_msg=name)
    for step, threshold in enumerate(THRESHOLDS):
        member = membership(mean, readout, threshold, threads=4)
        assert member.shape == (200, 50) and member.dtype == bool
        np.testing.assert_array_equal(member.sum(axis=0), whole.appearance[step])
        np.testing.assert_array_equal(member.sum(axis=1), whole.diagonal[step])
    for head in (1, 7):
        own = scan(mean[:, heads == head], readout[:, heads == head], THRESHOLDS[-1:])
        np.testing.assert_array_equal(member[heads == head].sum(axis=0), own.appearance[0])
    shuffled = np.random.default_rng(1).permutation(THRESHOLDS)
    with pytest.raises(SymbreakError, match="each once, from the lowest to the highest"):
        scan(mean, readout, shuffled)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("kept", [False, True])
def test_membership_is_the_diagonal_above_the_threshold_whatever_the_rule(kept, centred):
    mean, readout = gaussian(20, 30, seed=5)
    bias = np.random.default_rng(6).normal(size=20) if kept else None
    expected = np.diagonal(clip(nodal(mean, readout, bias, centred), 0.3), axis1=1, axis2=2)
    for rule in RULES:
        found = membership(mean, readout, 0.3, rule, bias=bias, centred=centred)
        np.testing.assert_array_equal(found, expected)


def test_groups_of_nodes_are_scanned_as_the_sums_of_their_matrices():
    mean, readout = gaussian(20, 30, seed=7)
    filters, bias = np.repeat([1, 2, 3], 10), np.linspace(-1, 1, 20)
    found = scan(mean, readout, THRESHOLDS, bias=bias, centred=True, group_of_node=filters)
    direct = scan_matrices(by_head(mean, readout, filters, bias, True), THRESHOLDS, dim="node")
    assert found.sizes["node"] == 3 and found.identical(direct)


def test_fields_are_those_of_the_clusters():
    mean, readout = gaussian(20, 6, seed=1)
    matrices = nodal(mean, readout)
    diagonal, inside = np.zeros(20), np.zeros(20)
    for matrix, cluster_of in zip(matrices, partitions(mean, readout, 0.3)):
        for label in np.flatnonzero(cluster_of):
            diagonal[label] += matrix[label, label]
            inside[label] += matrix[cluster_of == cluster_of[label], label].sum()
    for path in ("rank_one", "bit_rows"):
        found = scan(mean, readout, [0.3], path=path).isel(threshold=0)
        np.testing.assert_allclose(found.diagonal_field, diagonal, rtol=1e-12)
        np.testing.assert_allclose(found.cluster_field, inside, rtol=1e-12)


def test_a_stopped_search_still_divides_and_says_so(monkeypatch):
    generator = np.random.default_rng(0)
    matrices = generator.random((2, 60, 60)) + np.eye(60)
    matrices = np.maximum(matrices, matrices.transpose(0, 2, 1))
    exact = scan_matrices(matrices, [0.2], "largest_first")
    assert (exact.search_finished == 1).all()
    monkeypatch.setattr("symbreak.clusters.scanning.SEARCH_LIMIT", 3)
    stopped = scan_matrices(matrices, [0.2], "largest_first")
    assert (stopped.search_finished == 0).all()
    np.testing.assert_array_equal(stopped.diagonal, exact.diagonal)
    assert (stopped.largest <= exact.largest).all()
    assert (stopped.square_sum >= stopped.diagonal).all()


def test_bias_makes_a_general_matrix_and_centring_fixes_the_gauge():
    mean, readout = gaussian(40, 5, seed=7)
    generator = np.random.default_rng(7)
    bias = generator.normal(size=40)
    found = scan(mean, readout, THRESHOLDS, bias=bias)
    assert found.attrs["path"] == "bit_rows"
    assert_same(found, scan_matrices(nodal(mean, readout, bias), THRESHOLDS, dim="node"))
    assert_same(found, scan(mean, readout, THRESHOLDS, bias=bias, path="bit_rows"))
    zero = scan(mean, readout, THRESHOLDS, bias=np.zeros(40))
    assert_same(zero, scan(mean, readout, THRESHOLDS))
    offset, common = generator.normal(size=5), generator.normal(size=5)
    centred = scan(mean, readout, THRESHOLDS, centred=True)
    moved = scan(mean + offset, readout + common, THRESHOLDS, centred=True)
    np.testing.assert_array_equal(moved.diagonal, centred.diagonal)
    assert (scan(mean + offset, readout, [0.3]).diagonal != centred.sel(threshold=[0.3]).diagonal).any()
    np.testing.assert_array_equal(
        partitions(mean, readout, 0.3, bias=bias),
        [partition(matrix, 0.3) for matrix in nodal(mean, readout, bias)],
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scan([[1.0]], [[1.0, 2.0]], [0.3]), "1 nodes and readout 2"),
        (lambda: scan([[1.0]], [[1.0], [2.0]], [0.3]), "one output for every label"),
        (lambda: scan([1.0], [[1.0]], [0.3]), "two-dimensional"),
        (lambda: scan([[1.0]], [[1.0]], [1.0]), r"in \[0, 1\)"),
        (lambda: scan([[1.0]], [[1.0]], [float("nan")]), r"in \[0, 1\)"),
        (lambda: scan([[1.0]], [[1.0]], []), r"in \[0, 1\)"),
        (lambda: scan([[1.0]], [[1.0]], [0.3], rule="best"), "first_fit, min_cover, largest_first"),
        (lambda: scan([[1.0]], [[1.0]], [0.3], path="fast"), "is unknown"),
        (lambda: scan([[1.0]], [[1.0]], [0.3], bias=[0.0], path="rank_one"), "bias silenced"),
        (lambda: scan([[1.0]], [[1.0]], [0.3], bias=[0.0, 1.0]), "one value for each"),
        (lambda: scan([[1.0]], [[1.0]], [0.3], group_of_node=[2]), "each must have a node"),
        (lambda: scan([[1.0]], [[1.0]], [0.3], group_of_node=[1.0]), "one integer"),
        (lambda: scan_matrices([[1.0]], [0.3]), "(matrices, labels, labels)"),
        (lambda: partition([[1.0, 2.0]], 0.3), "square matrix"),
    ],
)
def test_wrong_input_is_told_in_one_sentence(call, message):
    with pytest.raises(SymbreakError, match=message.replace("(matrices, labels, labels)", "labels, labels")):
        call()
