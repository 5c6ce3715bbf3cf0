"""Nulls that test the question asked: known answers, invariances, and their size where nothing is there."""

from itertools import permutations

import numpy as np
import pytest

from symbreak.errors import SymbreakError
from symbreak.numerics.combining import combine_seeds, equivalent, holm, paired_difference, trend_test
from symbreak.observables import (
    appearance_of_heads,
    architecture_test,
    head_label_accuracy,
    overlap_test,
    owner_accuracy_test,
    ownership,
    superclass_pairs_test,
)
from symbreak.observables.committees.pairings import groupings, n_groupings
from symbreak.observables.heads.surrogates import similar_groups, similar_permutation
from symbreak.observables.superclasses.pairs import pairs_of_uniform_labels
from symbreak.planted import calibrate, copula_null, divided_labels, linear_gaussian
from symbreak.planted.calibration import cases
from symbreak.planted.copula import copula_arrays, score_correlation
from symbreak.planted.divided import scaled_labels

SIZES = [case.test for case in cases() if case.kind == "size"]


@pytest.mark.slow
@pytest.mark.parametrize("test", list(dict.fromkeys(SIZES)))
def test_no_test_rejects_too_often_where_nothing_is_there(test):
    table = calibrate(400, [test], kinds=["size"])
    assert len(table) == SIZES.count(test)
    assert (table.n_worlds >= 360).all()
    assert (table.rate_05 <= 0.075).all(), table.to_string()


def test_planted_order_is_seen():
    table = calibrate(40, ["mutual information", "pairs in superclasses"], kinds=["power"])
    strongest = table.groupby("test").last()
    assert len(strongest) == 2 and (strongest.rate_05 >= 0.8).all(), table.to_string()
    assert (table.groupby("test").first().rate_05 < strongest.rate_05).all()


def test_the_copula_keeps_marginals_and_correlation_and_nothing_else():
    world = linear_gaussian(n_labels=100, n_nodes=40, seed=3)
    mean, readout = copula_arrays(world.true_mean, world.readout, seed=1)
    for ours, theirs in ((mean, world.true_mean), (readout, world.readout)):
        np.testing.assert_array_equal(np.sort(ours, 0), np.sort(theirs, 0))
        assert not np.array_equal(ours, theirs)
    np.testing.assert_allclose(
        score_correlation(mean, readout), score_correlation(world.true_mean, world.readout), atol=0.1
    )


def test_labels_at_different_scales_exceed_the_copula_null_and_marginals_do_not():
    mean, readout = scaled_labels(n_labels=40, n_nodes=60, n_own=10)
    null = copula_null(mean, readout, [0.3], n_draws=39, seed=2)
    assert float(null.n_clusters_z[0]) > 4 and float(null.n_clusters_p[0]) == pytest.approx(1 / 40)
    assert float(null.cluster_excess[0]) == pytest.approx(
        float(null.n_clusters_z[0] * null.n_clusters_deviation[0])
    )
    again = copula_null(*copula_arrays(mean, readout, seed=5), [0.3], n_draws=39, seed=2)
    assert abs(float(again.n_clusters_z[0])) < 4


def test_the_copula_null_does_not_see_offsets_in_the_centred_gauge():
    world = linear_gaussian(n_labels=20, n_nodes=16, seed=1)
    plain = copula_null(world.true_mean, world.readout, [0.3], n_draws=3, centred=True)
    shifted = copula_null(world.true_mean + 7.0, world.readout - 2.0, [0.3], n_draws=3, centred=True)
    np.testing.assert_allclose(plain.snr, shifted.snr, rtol=1e-9)


@pytest.mark.parametrize(
    ("arrays", "options", "sentence"),
    [
        (([[1.0], [2.0]], [[1.0]]), {}, "as many of each"),
        (([[1.0], [2.0]], [[1.0], [2.0]]), {"n_draws": 1}, "at least 2"),
        (([[1.0, 2.0]], [[1.0]]), {}, "nodes"),
    ],
)
def test_what_the_copula_null_cannot_answer_is_refused(arrays, options, sentence):
    with pytest.raises(SymbreakError, match=sentence):
        copula_null(*arrays, [0.3], **options)


def test_pairs_of_uniform_labels_by_enumeration():
    sizes = [3, 2, 1]
    group = np.repeat([0, 1, 2], sizes)
    for n_owned in range(5):
        counts = []
        for order in permutations(range(6), n_owned):
            filled = np.bincount(group[list(order)], minlength=3)
            counts.append((filled * (filled - 1) // 2).sum())
        mean, deviation = pairs_of_uniform_labels([n_owned], sizes)
        assert float(mean) == pytest.approx(np.mean(counts))
        assert float(deviation) == pytest.approx(np.std(counts))


def test_pairs_count_labels_of_one_owner_and_superclass():
    world = divided_labels(order=1.0, by="superclass", seed=2)
    superclass = np.repeat(np.arange(12), 5)
    found = superclass_pairs_test(world.membership, world.head_of_node, superclass, n_shuffles=199)
    owner = ownership(appearance_of_heads(world.membership, world.head_of_node))
    one, other = np.triu_indices(60, 1)
    known = ((owner[one] == owner[other]) & (owner[one] > 0) & (superclass[one] == superclass[other])).sum()
    assert found.value == known and found.p_value == 1 / 200


def test_heads_that_prefer_labels_without_superclass_do_not_fill_superclasses():
    p_values = [
        superclass_pairs_test(
            *divided_labels(order=0.3, similarity=1.0, seed=seed)[:2], np.repeat(np.arange(12), 5), 2.0, 99
        ).p_value
        for seed in range(40)
    ]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.1


def test_accuracy_of_heads_is_that_of_their_nodes_alone():
    rng = np.random.default_rng(1)
    features, readout, truth = rng.normal(size=(60, 6)), rng.normal(size=(4, 6)), np.arange(60) % 4
    heads = np.array([1, 1, 2, 2, 2, 1])
    found = head_label_accuracy(features, readout, truth, heads)
    for head in (1, 2):
        silenced = np.where(heads == head, readout, 0.0)
        right = (features @ silenced.T).argmax(1) == truth
        np.testing.assert_allclose(found[head - 1], [right[truth == label].mean() for label in range(4)])


def test_owner_accuracy_needs_an_image_of_every_label():
    world = divided_labels(n_superclasses=2, head_size=4, order=1.0)
    features, readout = np.ones((10, 16)), np.ones((10, 16))
    with pytest.raises(SymbreakError, match="needs an image"):
        owner_accuracy_test(world.membership, world.head_of_node, features, readout, np.zeros(10, dtype=int))
    features[0, 0] = np.nan
    with pytest.raises(SymbreakError, match="not finite"):
        owner_accuracy_test(world.membership, world.head_of_node, features, readout, np.arange(10))


@pytest.mark.parametrize("sizes", [[5] * 6, [3, 5, 2, 7]])
def test_similar_labels_stay_together(sizes):
    group = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(4)
    for _ in range(20):
        order = similar_permutation(group, rng)
        assert sorted(order) == list(range(len(group)))
        if len(set(sizes)) == 1:
            assert all(np.unique(group[order[group == g]]).size == 1 for g in np.unique(group))
    alike = (group[:, None] == group).astype(float)
    np.testing.assert_array_equal(similar_groups(alike), group)
    noisy = alike + 0.01 * rng.normal(size=alike.shape)
    found = similar_groups((noisy + noisy.T) / 2)
    assert np.unique(found).size == max(2, len(group) // 5)


def test_the_order_of_labels_does_not_matter_to_the_overlap():
    worlds = [divided_labels(order=0.4, by="superclass", owner_seed=1, seed=seed) for seed in (3, 4)]
    one, two = (appearance_of_heads(world.membership, world.head_of_node) for world in worlds)
    group = np.repeat(np.arange(12), 5)
    alike = (group[:, None] == group).astype(float)
    found = overlap_test(one, two, alike, n_shuffles=199)
    order = np.random.default_rng(0).permutation(60)
    again = overlap_test(one[:, order], two[:, order], alike[np.ix_(order, order)], n_shuffles=199)
    assert found.value == pytest.approx(again.value) and found.p_value == again.p_value == 1 / 200
    with pytest.raises(SymbreakError, match="similarity of shape"):
        overlap_test(one, two, alike[:5])


def test_every_division_into_groups_comes_once():
    for sizes in ([2, 2, 2], [3, 2], [1, 1, 2], [4]):
        found = [tuple(division) for division in groupings(sizes)]
        assert len(set(found)) == len(found) == n_groupings(sizes)
        assert all(sorted(np.bincount(division)) == sorted(sizes) for division in found)


def test_architectures_are_tested_exactly_where_they_can_be():
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(6, 6))
    table, kind = (noise + noise.T) / 2, np.repeat([0, 1, 2], 2)
    found = architecture_test(table, kind)
    upper = np.triu_indices(6, 1)
    draws = []
    for order in permutations(range(6)):
        shuffled = kind[list(order)]
        same = (shuffled[:, None] == shuffled)[upper]
        draws.append(table[upper][same].mean() - table[upper][~same].mean())
    assert found.p_value == pytest.approx(np.mean(np.array(draws) >= found.value - 1e-12))
    assert np.isnan(architecture_test(table, np.arange(6)).p_value)


def test_more_seeds_make_an_effect_more_certain():
    assert combine_seeds([0.1] * 4).p_value < combine_seeds([0.1] * 2).p_value < 0.1
    assert combine_seeds([1.0, 1.0]).p_value > 0.99 and np.isnan(combine_seeds([np.nan]).p_value)
    assert combine_seeds([0.01, 0.5, np.nan]) == combine_seeds([0.01, 0.5])
    with pytest.raises(SymbreakError, match=r"outside \[0, 1\]"):
        combine_seeds([1.2])


def test_two_seeds_certify_little_and_one_seed_nothing():
    assert paired_difference([1.0, 1.2]).lower < 0 < paired_difference([1.0, 1.1, 0.9, 1.0]).lower
    assert np.isnan(paired_difference([1.0]).p_value) and paired_difference([0.0, 0.0]).p_value == 1
    assert np.isnan(trend_test([[1, 2, 3, 4]])) and np.isnan(trend_test([[1, 2], [2, 3], [3, 4]]))
    assert trend_test([[4, 3, 2, 1]] * 4, -1) < 0.01 < 0.9 < trend_test([[4, 3, 2, 1]] * 4)
    assert equivalent([0.1, 0.11, 0.09], 0.05) is False and equivalent([1e-3, -1e-3, 0.0], 0.05) is True


def test_holm_is_bonferroni_for_the_smallest_and_monotone():
    p_values = np.array([[0.2, 0.001], [0.03, np.nan]])
    adjusted = holm(p_values)
    assert adjusted[0, 1] == pytest.approx(0.003) and np.isnan(adjusted[1, 1])
    kept = ~np.isnan(p_values)
    assert (adjusted[kept][np.argsort(p_values[kept])] == np.sort(adjusted[kept])).all()
