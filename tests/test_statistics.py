"""Signal, noise, their errors, uniformity and robustness: limits, planted truths, calibrated nulls."""

import numpy as np
import pytest

from symbreak.clusters import scan, scan_matrices
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head
from symbreak.observables import (
    best_threshold,
    block_statistics,
    jackknife,
    jackknife_statistics,
    leave_out_folds,
    pool_folds,
    robustness,
    signal_to_noise,
    uniformity,
)
from symbreak.planted import block_matrix, linear_gaussian

THRESHOLDS = np.arange(1, 100) / 100


def test_limits_of_the_ratio():
    assert signal_to_noise(0, 0, float("nan"), 256, 100) == (0, 0, 0, 0)
    assert signal_to_noise(0, 50, float("nan"), 256, 100).snr == 0
    assert signal_to_noise(10, 0, 1, 256, 100).snr == np.inf
    assert signal_to_noise(1, 0, 1, 4, 1) == (4, 0, 0, np.inf)
    assert signal_to_noise(10, 0, 2, 256, 100).snr == pytest.approx(99)
    exact = signal_to_noise(10, 100, 2, 256, 100, square_sum=20)
    assert exact.noise_external == pytest.approx(100 * 256 / (100**2 - 20))
    several = signal_to_noise(np.array([1.0, 0.0]), np.array([1.0, 1.0]), np.array([1.0, np.nan]), 5, 10)
    np.testing.assert_allclose(several.snr, [0.5 / 0.05, 0.0])
    with pytest.raises(SymbreakError, match="at least one of each"):
        signal_to_noise(1, 1, 1, 0, 100)


def test_averages_over_planted_matrices():
    planted = [block_matrix((4, 2), 20, noise=10, seed=1), block_matrix((6,), 20, noise=30, seed=2)]
    empty = -np.ones((20, 20))
    off_diagonal = block_matrix((), 20, noise=8, seed=3).matrix  # noise without any cluster
    stack = np.stack([planted[0].matrix, planted[1].matrix, empty, off_diagonal])
    table = block_statistics(scan_matrices(stack, [0.3])).isel(threshold=0)
    assert float(table.n_clusters) == 3 / 4
    assert float(table.diagonal) == 12 / 4
    assert float(table.noise) == 48 / 4
    assert float(table.cluster_size) == 12 / 3
    assert float(table.cluster_size_per_matrix) == (3 + 6) / 2
    assert (float(table.n_clusters_nonempty), float(table.noise_nonempty)) == (3 / 2, 40 / 2)
    assert (int(table.n_empty), int(table.n_undefined)) == (2, 1)
    expected = signal_to_noise(3, 12, 4, 4, 20)
    assert (float(table.signal), float(table.snr)) == (expected.signal, expected.snr)
    square_sum = (16 + 4 + 36) / 4
    assert float(table.snr_exact) == signal_to_noise(3, 12, 4, 4, 20, square_sum).snr
    appearance = sum((world.cluster_of > 0).astype(int) for world in planted)
    rarest = appearance.min()
    assert float(table.signal_minimum) == rarest
    own = 3 / 19 * rarest
    assert float(table.snr_minimum) == pytest.approx(rarest / (own + expected.noise_external))


def test_pooled_size_times_number_is_the_diagonal_and_signal_the_mean_appearance():
    world = linear_gaussian(n_labels=40, n_nodes=64, seed=4)
    found = scan(world.true_mean, world.readout, THRESHOLDS)
    table = block_statistics(found)
    np.testing.assert_allclose(table.n_clusters * table.cluster_size, table.diagonal)
    np.testing.assert_allclose(table.signal, found.appearance.mean("label"))
    mean_option = block_statistics(found, internal="mean")
    some = table.signal_minimum.values > 0
    expected = table.signal_minimum / (table.noise_internal + table.noise_external)
    np.testing.assert_allclose(mean_option.snr_minimum[some], expected[some])
    assert (mean_option.snr_minimum <= table.snr_minimum + 1e-12).all()
    assert (table.snr_minimum <= table.snr + 1e-12).all()
    with pytest.raises(SymbreakError, match="minimum or mean"):
        block_statistics(found, internal="rarest")
    with pytest.raises(SymbreakError, match="made by clusters"):
        block_statistics(table)


def test_best_threshold_ignores_excluded_and_undefined_values():
    world = linear_gaussian(seed=0)
    table = jackknife_statistics(world.true_mean, world.readout, THRESHOLDS)
    best = float(best_threshold(table))
    assert float(table.snr_minimum.sel(threshold=best)) == float(table.snr_minimum.max())
    assert 0.05 < best < 0.8
    assert np.isnan(best_threshold(table, least=1e9))
    assert float(table.snr_minimum.sel(threshold=0.99)) == 0


def test_pooling_and_jackknife():
    generator = np.random.default_rng(0)
    counts = generator.integers(0, 5, (6, 4)) + np.array([[1], [1], [0], [0], [0], [0]])
    samples = [[generator.normal(size=(n, 3)) for n in row] for row in counts]
    folds = np.array(
        [[part.mean(axis=0) if len(part) else np.full(3, np.nan) for part in row] for row in samples]
    )
    pooled, without = pool_folds(folds, counts), leave_out_folds(folds, counts)
    for label in range(4):
        parts = [row[label] for row in samples]
        np.testing.assert_allclose(pooled[label], np.concatenate(parts).mean(axis=0))
        np.testing.assert_allclose(without[2, label], np.concatenate(parts[:2] + parts[3:]).mean(axis=0))
    values = generator.normal(size=10)
    left_out = (values.sum() - values) / 9
    assert float(jackknife(left_out)) == pytest.approx(values.std(ddof=1) / np.sqrt(10))
    assert np.isnan(jackknife([1.0, np.inf])) and jackknife([2.0, 2.0]) == 0
    with pytest.raises(SymbreakError, match="label 3 needs images in at least two folds"):
        leave_out_folds(np.zeros((2, 4, 1)), [[1, 1, 1, 1], [1, 1, 1, 0]])
    with pytest.raises(SymbreakError, match="at least two folds"):
        leave_out_folds(np.zeros((1, 4, 1)), np.ones((1, 4)))


def test_jackknife_errors_match_the_scatter_over_new_images():
    world = linear_gaussian(n_labels=50, n_nodes=100, seed=1)
    generator = np.random.default_rng(2)
    spread = 0.03
    estimates, errors = [], []
    for _ in range(60):
        folds = world.true_mean + spread * np.sqrt(5) * generator.normal(size=(5, 50, 100))
        table = jackknife_statistics(folds, world.readout, [0.3], fold_count=np.full((5, 50), 10))
        estimates.append([float(table[name][0]) for name in ("diagonal", "noise", "n_clusters")])
        errors.append([float(table[f"{name}_stderr"][0]) for name in ("diagonal", "noise", "n_clusters")])
    ratio = np.sqrt((np.array(errors) ** 2).mean(axis=0)) / np.std(estimates, axis=0, ddof=1)
    assert (np.abs(np.log(ratio)) < np.log(1.5)).all(), ratio


def test_statistics_of_heads_are_those_of_their_matrices():
    world = linear_gaussian(n_labels=30, n_nodes=60, seed=3)
    heads = np.repeat(np.arange(1, 5), 15)
    table = jackknife_statistics(
        world.feature_mean, world.readout, [0.3, 0.6], world.fold_count, group_of_node=heads
    )
    pooled = pool_folds(world.feature_mean, world.fold_count)
    direct = block_statistics(scan_matrices(by_head(pooled, world.readout, heads), [0.3, 0.6]))
    for name in direct.data_vars:
        np.testing.assert_array_equal(table[name], direct[name])
        assert f"{name}_stderr" in table and table[name].attrs["ancillary_variables"] == f"{name}_stderr"
        assert {"long_name", "units", "symbol", "equation"} <= set(table[name].attrs)


def test_linear_world_is_what_it_says():
    world = linear_gaussian(seed=5)
    assert 0.78 < world.accuracy < 0.87
    measured = np.corrcoef((world.true_mean - world.true_mean.mean(axis=0)).ravel(), world.readout.ravel())[
        0, 1
    ]
    assert measured == pytest.approx(world.alignment, abs=0.02)
    assert world.alignment == pytest.approx(np.exp(-(0.65**2) / 2), abs=0.05)
    assert linear_gaussian(anisotropy=0, seed=5).alignment == pytest.approx(1)
    table = jackknife_statistics(world.feature_mean, world.readout, [0.3], world.fold_count).isel(threshold=0)
    for name, low, high in (
        ("n_clusters", 3, 4),
        ("cluster_size", 2.7, 3.6),
        ("noise", 280, 400),
        ("snr", 2.6, 3.4),
    ):
        assert low < float(table[name]) < high, name
    pooled = pool_folds(world.feature_mean, world.fold_count)
    assert np.abs(pooled - world.true_mean).mean() < np.abs(world.feature_mean[0] - world.true_mean).mean()
    again = linear_gaussian(seed=5)
    np.testing.assert_array_equal(again.feature_mean, world.feature_mean)
    with pytest.raises(SymbreakError, match="at least one image in every fold"):
        linear_gaussian(images_per_label=3, n_folds=5)


def test_accuracy_rises_with_separation_and_offset_changes_only_the_matrices():
    near, far = (linear_gaussian(40, 80, separation=value, seed=1).accuracy for value in (0.2, 0.5))
    assert near < far
    plain, moved = (linear_gaussian(40, 80, offset=value, images_per_label=40, seed=1) for value in (0, 3))
    assert moved.accuracy == pytest.approx(plain.accuracy, abs=1e-9)
    noise = [float(jackknife_statistics(w.true_mean, w.readout, [0.3]).noise[0]) for w in (plain, moved)]
    assert noise[1] > 1.2 * noise[0]
    centred = [
        float(jackknife_statistics(w.true_mean, w.readout, [0.3], centred=True).noise[0])
        for w in (plain, moved)
    ]
    assert centred[0] == pytest.approx(centred[1], rel=0.01)


def test_planted_noise_and_clusters_must_fit():
    with pytest.raises(SymbreakError, match="at most 5 labels"):
        block_matrix((4, 2), n_labels=5)
    with pytest.raises(SymbreakError, match="room for 0 noise"):
        block_matrix((5,), n_labels=5, noise=1)


def test_uniformity_p_values_are_uniform_under_the_null():
    generator = np.random.default_rng(0)
    n_labels, n_matrices, n_worlds = 20, 60, 2_000
    diagonal = generator.integers(0, 15, n_matrices)
    ranks = generator.random((n_worlds, n_matrices, n_labels)).argsort(axis=2)
    appearance = (ranks < diagonal[:, None]).sum(axis=1)
    result = uniformity(appearance, np.tile(diagonal, (n_worlds, 1)))
    assert result.statistic.mean() == pytest.approx(19, abs=4 * np.sqrt(2 * 19 / n_worlds))
    for level in (0.05, 0.2, 0.5, 0.8):
        expected = np.sqrt(level * (1 - level) / n_worlds)
        assert abs((result.p_value < level).mean() - level) < 4 * expected + 0.01
    assert (uniformity(appearance, n_matrices=n_matrices).p_value >= result.p_value - 1e-12).all()
    assert (
        uniformity(appearance).p_value >= uniformity(appearance, n_matrices=n_matrices).p_value - 1e-12
    ).all()


def test_uniformity_limits():
    everything = uniformity([5, 5, 5], diagonal=[3, 3, 3, 3, 3])
    assert (everything.statistic, everything.p_value) == (0, 1)
    nothing = uniformity(np.zeros((2, 4)), np.zeros((2, 7)))
    np.testing.assert_array_equal(nothing.p_value, [1, 1])
    world = linear_gaussian(seed=0)
    found = scan(world.true_mean, world.readout, [0.3]).isel(threshold=0)
    tested = uniformity(found.appearance, found.diagonal)
    assert tested.mean == pytest.approx(float(found.appearance.mean()))
    assert tested.variation_null == pytest.approx(1 / np.sqrt(tested.mean), rel=0.1)
    for arguments, message in (
        (([5.0],), "fewer than two labels"),
        (([1, 2], [1, 1]), "does not add up"),
        (([5, 5], None, 4), "more appearances than"),
    ):
        with pytest.raises(SymbreakError, match=message):
            uniformity(*arguments)


def test_robustness_holds_what_separate_calls_give():
    world = linear_gaussian(n_labels=30, n_nodes=50, seed=2)
    table = robustness(world.true_mean, world.readout, 0.4, world.bias)
    for rule, bias, centred in (("first_fit", "silenced", 0), ("min_cover", "kept", 1)):
        direct = jackknife_statistics(
            world.true_mean, world.readout, [0.4], rule=rule, centred=bool(centred),
            bias=world.bias if bias == "kept" else None,
        ).isel(threshold=0)  # fmt: skip
        row = table.sel(rule=rule, bias=bias, centred=centred, matrices="all")
        for name in ("n_clusters", "cluster_size", "diagonal", "noise", "snr"):
            assert float(row[name]) == float(direct[name])
    cover, authors = table.n_clusters.sel(rule="min_cover"), table.n_clusters.sel(rule="first_fit")
    assert (cover <= authors).all()
    first = table.noise.values.flat[0]
    expected = np.nanmax(np.abs(table.noise.values / first - 1))
    assert float(table.largest_change.sel(variable="noise")) == pytest.approx(expected)
    silenced = robustness(world.true_mean, world.readout, 0.4)
    assert list(silenced["bias"].values) == ["silenced"]


def test_empty_matrices_lower_means_but_not_the_ratio_of_means():
    mean, readout = np.array([[1.0, -1.0], [0.9, -1.0]]), np.ones((2, 2))
    table = robustness(mean, readout).sel(rule="first_fit", bias="silenced", centred=0)
    assert float(table.diagonal.sel(matrices="all")) == 1
    assert float(table.diagonal.sel(matrices="with_clusters")) == 2
    np.testing.assert_allclose(*table.snr.values)
