"""Random matrices, more than 100,000 in a run: three implementations of every rule agree."""

import networkx
import numpy as np
import plain_clusters as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_clusters import SCANNED, THRESHOLDS, assert_same, coarse, gaussian

from symbreak.clusters import RULES, largest_cluster, partition, partitions, scan, scan_matrices
from symbreak.clusters.kernels.cuts import raw_cut
from symbreak.matrices import by_head, clip, nodal

SMALL = range(1, 9)


def small_factors(n_labels, n_nodes):
    """Half smooth, half coarse values with ties, zeros and duplicates."""
    smooth, rough = gaussian(n_labels, n_nodes // 2, n_labels), coarse(n_labels, n_nodes // 2, n_labels)
    return tuple(np.concatenate(pair, axis=1) for pair in zip(smooth, rough))


def assert_counts(found, cluster_of, clipped):
    """Compare one threshold of a scan with cluster numbers."""
    numbers = np.arange(1, clipped.shape[1] + 1)
    sizes = (cluster_of[:, :, None] == numbers).sum(axis=1)
    squares = (sizes**2).sum(axis=1)
    np.testing.assert_array_equal(found.n_clusters, cluster_of.max(axis=1))
    np.testing.assert_array_equal(found.diagonal, (cluster_of > 0).sum(axis=1))
    np.testing.assert_array_equal(found.square_sum, squares)
    np.testing.assert_array_equal(found.noise, clipped.sum(axis=(1, 2)) - squares)
    np.testing.assert_array_equal(found.largest, sizes.max(axis=1))
    np.testing.assert_array_equal(found.appearance, (cluster_of > 0).sum(axis=0))


@pytest.mark.parametrize("n_labels", SMALL)
@pytest.mark.parametrize(
    ("rule", "brute"), [("first_fit", plain.batch_first_fit), ("largest_first", plain.batch_largest_first)]
)
def test_rank_one_bit_rows_and_brute_force_agree_on_100000_matrices(rule, brute, n_labels):
    # 8 sizes x 13,000 nodes = 104,000 rank-one matrices, each at three thresholds, for either rule.
    mean, readout = small_factors(n_labels, 13_000)
    matrices = nodal(mean, readout)
    thresholds = [0.0, 0.3, 0.6]
    fast = scan(mean, readout, thresholds, rule, path="rank_one")
    general = scan(mean, readout, thresholds, rule, path="bit_rows")
    for threshold in thresholds:
        clipped = clip(matrices, threshold)
        cluster_of = brute(clipped)
        np.testing.assert_array_equal(partitions(mean, readout, threshold, rule), cluster_of)
        for found in (fast, general):
            assert_counts(found.sel(threshold=threshold), cluster_of, clipped)
    for matrix, expected in zip(matrices[::50], cluster_of[::50]):
        np.testing.assert_array_equal(partition(matrix, thresholds[-1], rule), expected)


@pytest.mark.parametrize("n_labels", SMALL)
def test_min_cover_is_minimal_on_rank_one_matrices(n_labels):
    mean, readout = small_factors(n_labels, 2_000)
    matrices = nodal(mean, readout)
    thresholds = [0.0, 0.1, 0.3, 0.6]
    fast = scan(mean, readout, thresholds, "min_cover", path="rank_one")
    general = scan(mean, readout, thresholds, "min_cover", path="bit_rows")
    for threshold in thresholds:
        clipped = clip(matrices, threshold)
        smallest = plain.batch_cover_number(clipped)
        for found in (fast.sel(threshold=threshold), general.sel(threshold=threshold)):
            np.testing.assert_array_equal(found.n_clusters, smallest)
            np.testing.assert_array_equal(found.cover_bound, smallest)
        for matrix_clipped, cluster_of in zip(
            clipped[::40], partitions(mean, readout, threshold, "min_cover")[::40]
        ):
            for number in range(1, cluster_of.max() + 1):
                assert plain.is_clique(matrix_clipped, np.flatnonzero(cluster_of == number))


@pytest.mark.parametrize("n_labels", SMALL)
def test_rules_on_general_matrices_agree_with_brute_force(n_labels):
    generator = np.random.default_rng(n_labels)
    matrices = generator.normal(size=(1_500, n_labels, n_labels))
    matrices += 2 * generator.random((1_500, 1, 1)) * (1 + np.eye(n_labels))
    for threshold in (0.0, 0.2, 0.5):
        clipped = clip(matrices, threshold)
        for rule, brute in (
            ("first_fit", plain.batch_first_fit),
            ("largest_first", plain.batch_largest_first),
        ):
            found = scan_matrices(matrices, [threshold], rule).isel(threshold=0)
            assert_counts(found, brute(clipped), clipped)
        cover = scan_matrices(matrices, [threshold], "min_cover").isel(threshold=0)
        smallest = plain.batch_cover_number(clipped)
        assert (cover.cover_bound.values <= smallest).all()
        assert (smallest <= cover.n_clusters.values).all()
        assert (cover.n_clusters.values == smallest).mean() > 0.95


@pytest.mark.parametrize("n_labels", [20, 64, 100, 130, 200])
def test_min_cover_and_largest_cluster_agree_between_paths_for_many_labels(n_labels):
    mean, readout = gaussian(n_labels, 12, seed=n_labels, offset=0.5)
    cover = scan(mean, readout, THRESHOLDS, "min_cover")
    general = scan(mean, readout, THRESHOLDS, "min_cover", path="bit_rows")
    np.testing.assert_array_equal(cover.n_clusters, general.n_clusters)
    np.testing.assert_array_equal(general.cover_bound, general.n_clusters)
    largest = scan(mean, readout, THRESHOLDS, "largest_first")
    np.testing.assert_array_equal(largest.largest, largest_cluster(mean, readout, THRESHOLDS))
    first = scan(mean, readout, THRESHOLDS)
    assert (cover.n_clusters <= first.n_clusters).all()
    assert (cover.n_clusters <= largest.n_clusters).all()
    assert (first.largest <= largest.largest).all()
    for rule in (cover, largest):
        np.testing.assert_array_equal(rule.diagonal, first.diagonal)
        np.testing.assert_array_equal(rule.noise + rule.square_sum, first.noise + first.square_sum)


def test_largest_cluster_of_heads_is_a_maximum_clique():
    mean, readout = gaussian(60, 48, seed=5, correlation=0.9)
    for matrix in by_head(mean, readout, np.repeat(np.arange(1, 13), 4)):
        clipped = clip(matrix, 0.15)
        graph = networkx.Graph()
        graph.add_nodes_from(np.flatnonzero(clipped.diagonal()))
        both = np.triu(clipped & clipped.T, 1)
        graph.add_edges_from((i, j) for i, j in np.argwhere(both) if i in graph and j in graph)
        expected = networkx.max_weight_clique(graph, weight=None)[1]
        cluster_of = partition(matrix, 0.15, "largest_first")
        assert (cluster_of == 1).sum() == expected
        assert plain.is_clique(clipped, np.flatnonzero(cluster_of == 1))


extreme = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.3, 5e-324, 1e-160, 1e160, 1.7e308]),
    st.floats(-2, 2),
    st.floats(allow_nan=False, allow_infinity=False),
)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(1, 7), st.sampled_from(["first_fit", "largest_first"]))
def test_paths_agree_on_extreme_floats(data, n_labels, rule):
    mean = data.draw(arrays(float, (n_labels, 2), elements=extreme))
    readout = data.draw(arrays(float, (n_labels, 2), elements=extreme))
    thresholds = sorted(data.draw(st.sets(st.floats(0, 1, exclude_max=True), min_size=1, max_size=5)))
    fast = scan(mean, readout, thresholds, rule, path="rank_one")
    general = scan(mean, readout, thresholds, rule, path="bit_rows")
    assert_same(fast, general)
    clipped = clip(nodal(mean, readout), thresholds[0])
    found = fast.isel(threshold=0)
    np.testing.assert_array_equal(found.noise + found.square_sum, clipped.sum(axis=(1, 2)))
    np.testing.assert_array_equal(found.diagonal, np.diagonal(clipped, axis1=1, axis2=2).sum(axis=1))


@settings(max_examples=500, deadline=None)
@given(
    st.floats(5e-324, 1.7e308, exclude_min=False),
    st.one_of(st.floats(0, 1, exclude_max=True), st.sampled_from([0.0, 0.3, 0.5, 1 - 2**-53])),
)
def test_cut_is_the_last_float_that_is_not_above(maximum, threshold):
    cut = raw_cut(maximum, threshold)
    with np.errstate(all="ignore"):
        assert np.float64(cut) / maximum <= threshold
        assert np.nextafter(cut, np.inf) / maximum > threshold


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.sampled_from(list(RULES)))
def test_invariances_and_monotonicity(seed, n_labels, rule):
    mean, readout = gaussian(n_labels, 3, seed)
    generator = np.random.default_rng(seed)
    base = scan(mean, readout, THRESHOLDS, rule)
    scaled = scan(mean * np.array([4.0, 0.125, 2.0**40]), readout * 2.0**-7, THRESHOLDS, rule)
    for name in SCANNED:
        np.testing.assert_array_equal(scaled[name], base[name])
    flipped = scan(-mean, -readout, THRESHOLDS, rule)
    for name in SCANNED:
        np.testing.assert_array_equal(flipped[name], base[name])
    order = generator.permutation(n_labels)
    permuted = scan(mean[order], readout[order], THRESHOLDS, rule)
    np.testing.assert_array_equal(permuted.diagonal, base.diagonal)
    np.testing.assert_array_equal(permuted.noise + permuted.square_sum, base.noise + base.square_sum)
    np.testing.assert_array_equal(permuted.appearance, base.appearance[:, order])
    if rule != "first_fit":
        np.testing.assert_array_equal(
            permuted.n_clusters if rule == "min_cover" else permuted.largest,
            base.n_clusters if rule == "min_cover" else base.largest,
        )
    for falling in (base.diagonal, base.noise + base.square_sum, base.appearance):
        assert (falling.diff("threshold") <= 0).all()
    np.testing.assert_array_equal(base.cluster_size.fillna(0) * base.n_clusters, base.diagonal)
