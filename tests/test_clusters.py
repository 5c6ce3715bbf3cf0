"""Rank-one path, bit rows and plain Python agree; edge cases have one defined answer."""

import numpy as np
import plain_clusters as plain
import pytest

from symbreak.clusters import partition, partitions, scan, scan_matrices
from symbreak.matrices import nodal

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
