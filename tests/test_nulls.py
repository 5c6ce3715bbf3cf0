from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from symbreak.errors import SymbreakError
from symbreak.numerics import estimates
from symbreak.observables import appearance_of_heads, assign_nodes, ownership
from symbreak.observables.heads import chance, nulls
from symbreak.planted.specialised import binomial_heads


def enumerate_counts(total, nodes):
    """All ways to split the appearances over the heads, with their exact probability."""
    for split in product(*(range(size + 1) for size in nodes)):
        if sum(split) == total:
            ways = np.prod([comb(size, count) for size, count in zip(nodes, split)], dtype=object)
            yield np.array(split), ways / comb(sum(nodes), total)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.sampled_from([1.0, 1.5, 2.0, 2.5, 4.0]),
    st.data(),
)
def test_chance_against_enumeration(nodes, ratio, data):
    total = data.draw(st.integers(0, sum(nodes)))
    expected = np.zeros(len(nodes))
    for split, probability in enumerate_counts(total, nodes):
        owner = ownership(split[:, None], ratio)[0]
        if owner:
            expected[owner - 1] += probability
    np.testing.assert_allclose(
        chance.chance_of_ownership([total], nodes, ratio)[:, 0], expected, rtol=1e-11, atol=1e-15
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_label_p_value_against_enumeration(nodes, data):
    counts = np.array([data.draw(st.integers(0, size)) for size in nodes])
    tail = sum(p for split, p in enumerate_counts(counts.sum(), nodes) if split.max() >= counts.max())
    assert chance.label_p_values(counts[:, None], nodes)[0] == pytest.approx(tail, rel=1e-11)


def test_printed_chances():
    appearances = [5, 10, 15, 20, 25, 30, 37, 45]
    four = chance.chance_of_ownership(appearances, [64] * 4).sum(axis=0)
    assert four.round(3).tolist() == [0.531, 0.229, 0.123, 0.071, 0.042, 0.025, 0.011, 0.005]
    sixteen = chance.chance_of_ownership(appearances, [16] * 16).sum(axis=0)
    assert sixteen.round(3).tolist() == [0.434, 0.272, 0.094, 0.092, 0.039, 0.029, 0.016, 0.008]


def test_binomial_chance_is_the_hypergeometric_one_averaged():
    sizes = [5, 7, 4]
    for p in (0.1, 0.4):
        weights = [comb(16, a) * p**a * (1 - p) ** (16 - a) for a in range(17)]
        mixed = chance.chance_of_ownership(np.arange(17), sizes).sum(axis=0) @ weights
        assert chance.binomial_chance_of_ownership(p, sizes) == pytest.approx(mixed, rel=1e-10)


def test_binomial_chance_against_the_simulated_table():
    simulated = {
        0.5: 50.0,
        1: 54.8,
        2: 46.1,
        3: 33.7,
        4: 23.6,
        5: 17.6,
        6: 13.2,
        8: 7.3,
        10: 4.1,
        12: 2.7,
        14.6: 1.3,
    }
    exact = 100 * chance.binomial_chance_of_ownership(np.array(list(simulated)) / 100, [64] * 4)
    np.testing.assert_allclose(exact, list(simulated.values()), atol=1.0)
    for mean_size, value in zip((2, 5, 10), exact[[2, 5, 8]]):
        owned = [
            (ownership(appearance_of_heads(*binomial_heads(mean_size, seed=seed)[:2])) > 0).sum()
            for seed in range(60)
        ]
        assert abs(np.mean(owned) - value) < 4 * np.sqrt(value * (1 - value / 100) / 60)


def test_shuffled_nodes_follow_the_exact_law():
    rng = np.random.default_rng(4)
    heads = np.repeat([1, 2, 3], [10, 20, 30])
    membership = rng.random((60, 12)) < np.linspace(0.02, 0.9, 12)
    n = 20_000
    null = nulls.shuffle_nodes(membership, heads, n, seed=1)
    totals = membership.sum(axis=0)
    np.testing.assert_array_equal(null.sum(axis=1), np.broadcast_to(totals, (n, 12)))
    exact = chance.chance_of_ownership(totals, [10, 20, 30])
    owner = ownership(null)
    for head in (1, 2, 3):
        share = (owner == head).mean(axis=0)
        error = np.sqrt(exact[head - 1] * (1 - exact[head - 1]) / n)
        assert (abs(share - exact[head - 1]) <= 4.5 * error + 1e-12).all()
    mean = np.array([10, 20, 30])[:, None] / 60 * totals
    variance = mean * (1 - np.array([10, 20, 30])[:, None] / 60) * (60 - totals) / 59
    assert (abs(null.mean(axis=0) - mean) <= 4.5 * np.sqrt(variance / n) + 1e-12).all()
    apart = nulls.shuffle_nodes_per_label(totals, [10, 20, 30], n, seed=1)
    np.testing.assert_array_equal(apart.sum(axis=1), np.broadcast_to(totals, (n, 12)))
    assert (abs(apart.mean(axis=0) - mean) <= 4.5 * np.sqrt(variance / n) + 1e-12).all()


def test_only_the_node_shuffle_keeps_labels_together():
    membership = np.repeat(np.random.default_rng(0).random((64, 1)) < 0.2, 2, axis=1)
    heads = assign_nodes(64, 4)
    together = nulls.shuffle_nodes(membership, heads, 50)
    np.testing.assert_array_equal(together[:, :, 0], together[:, :, 1])
    apart = nulls.shuffle_nodes_per_label(membership.sum(axis=0), [16] * 4, 50)
    assert (apart[:, :, 0] != apart[:, :, 1]).any()


def test_seeds_fix_the_draws():
    world = binomial_heads(6.0)
    one, same = (nulls.shuffle_nodes(*world[:2], 5, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert (one != nulls.shuffle_nodes(*world[:2], 5, seed=4)).any()


def test_taxonomy_shuffle_keeps_sets_and_has_the_exact_mean():
    from symbreak.observables import superclass_law

    owner = np.repeat([1, 2, 0], [23, 15, 62])
    superclass = np.repeat(np.arange(20), 5)
    n = 20_000
    filling = nulls.shuffle_taxonomy(owner, superclass, 2, n, seed=2)
    assert (filling.sum(axis=2) == 20).all()
    np.testing.assert_array_equal(filling @ np.arange(6), np.broadcast_to([23, 15], (n, 2)))
    for head, number in enumerate((23, 15)):
        error = filling[:, head].std(axis=0) / np.sqrt(n)
        assert (abs(filling[:, head].mean(axis=0) - superclass_law(number)) <= 4.5 * error + 1e-3).all()
    with_none = nulls.shuffle_taxonomy([1, 1, 1], [0, -1, -1], 1, 50)
    assert set((with_none @ np.arange(2)).ravel().tolist()) == {1}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_benjamini_hochberg_is_scipys(p_values):
    np.testing.assert_allclose(
        estimates.benjamini_hochberg(p_values), false_discovery_control(p_values), rtol=1e-12, atol=0
    )


def test_benjamini_hochberg_by_hand_over_blocks_and_heads():
    table = np.array([[0.001, 0.02], [np.nan, 0.03], [0.04, 0.9]])
    adjusted = estimates.benjamini_hochberg(table)
    np.testing.assert_allclose(adjusted, [[0.005, 0.05], [np.nan, 0.05], [0.05, 0.9]])
    assert estimates.benjamini_hochberg([np.nan]).tolist() != [0]
    with pytest.raises(SymbreakError, match=r"outside \[0, 1\]"):
        estimates.benjamini_hochberg([1.5])


def test_p_value_rule():
    assert estimates.permutation_p_value(5.0, np.zeros(99)) == 0.01
    assert estimates.permutation_p_value(0.0, np.zeros(99)) == 1
    tie = 0.1 + 0.2
    assert estimates.permutation_p_value(tie, [0.3]) == 1 and estimates.permutation_p_value(0.3, [tie]) == 1
    assert np.isnan(estimates.permutation_p_value(np.nan, [1.0]))
    assert estimates.permutation_p_value(1.0, [np.nan]) == 1
    assert estimates.permutation_p_value([1.0, 3.0], [[0.0, 4.0]]).tolist() == [0.5, 1.0]
    with pytest.raises(SymbreakError, match="do not fit"):
        estimates.permutation_p_value([1.0], [1.0])


def test_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=(2, 30))
    left_out = [(values.sum() - v) / 59 for v in values.ravel()]
    assert estimates.jackknife_error(left_out) == pytest.approx(values.std(ddof=1) / np.sqrt(60))
    means = values.mean(axis=1)
    # Half the sum of two stratum means: the errors of the strata add in squares.
    strata = [
        (30 * m - v) / 29 / 2 + other / 2
        for m, other, row in ((*means, values[0]), (*means[::-1], values[1]))
        for v in row
    ]
    error = np.sqrt((values.var(axis=1, ddof=1) / 30).sum()) / 2
    assert estimates.jackknife_error(strata, np.repeat([1, 2], 30)) == pytest.approx(error)
    assert np.isnan(estimates.jackknife_error([1.0]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: chance.chance_of_ownership([300], [64] * 4), "more than 256 nodes"),
        (lambda: chance.chance_of_ownership([3], [0, 4]), "positive integer"),
        (lambda: chance.chance_of_ownership([3], [4, 4], 0.9), "at least 1"),
        (lambda: chance.binomial_chance_of_ownership(1.2, [4, 4]), r"\[0, 1\]"),
        (lambda: chance.label_p_values([[3], [1]], [4]), "do not fit"),
        (lambda: chance.label_p_values([[5], [1]], [4, 4]), "more node matrices"),
        (lambda: nulls.shuffle_nodes([[1]], [1], 0), "no null model"),
        (lambda: nulls.shuffle_nodes_per_label([9], [2, 2]), "more than 4 nodes"),
        (lambda: nulls.shuffle_taxonomy([3], [0], 2), "heads 1 to 2"),
        (lambda: nulls.shuffle_taxonomy([1], [-1], 1), "No label has a superclass"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, words):
    with pytest.raises(SymbreakError, match=words):
        call()
