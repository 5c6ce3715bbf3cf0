from collections import Counter
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbreak.errors import SymbreakError
from symbreak.observables import (
    fill_superclasses,
    full_superclasses_tail,
    shuffle_taxonomy,
    superclass_covariance,
    superclass_joint_law,
    superclass_law,
    superclass_monte_carlo,
    superclass_sizes,
    superclass_tail,
    superclass_test,
)

# Expected superclasses with 1/5 ... 5/5 labels of CIFAR-100 drawn (the middle of Table 4, exactly).
TABLE = {
    4: [3.5299, 0.2277, 0.0048, 0.0, 0.0],
    5: [4.2285, 0.3677, 0.0119, 0.0001, 0.0],
    6: [4.8606, 0.5341, 0.0232, 0.0004, 0.0],
    15: [8.0682, 2.755, 0.4315, 0.0308, 0.0008],
    21: [8.3819, 4.4115, 1.0886, 0.1256, 0.0054],
    23: [8.2684, 4.9163, 1.3766, 0.1811, 0.0089],
}

small = st.lists(st.integers(1, 4), min_size=1, max_size=4).filter(lambda sizes: sum(sizes) <= 9)


def all_fillings(sizes, n):
    """Number of superclasses with 0..s labels, for every one of the C(L, n) draws."""
    label = np.repeat(np.arange(len(sizes)), sizes)
    for drawn in combinations(range(sum(sizes)), n):
        count = np.bincount(label[list(drawn)], minlength=len(sizes)) if n else np.zeros(len(sizes), int)
        yield count, np.bincount(count, minlength=max(sizes) + 1)


@pytest.mark.parametrize("n", TABLE)
def test_printed_table(n):
    np.testing.assert_allclose(superclass_law(n)[1:], TABLE[n], atol=5.1e-5)


def test_printed_tails_and_deviations():
    for n, one, two in ((23, 8.93e-3, 1.26e-5), (21, 5.4e-3, 3.9e-6), (15, 8.0e-4, 3.3e-8)):
        tail = superclass_tail(n)
        assert tail[1] == pytest.approx(one, rel=1e-2) and tail[2] == pytest.approx(two, rel=2e-2)
    deviation = np.sqrt(np.diag(superclass_covariance(23)))
    assert deviation[1:].round(2).tolist() == [2.20, 1.64, 0.95, 0.41, 0.09]
    assert 20 - superclass_law(23)[0] == pytest.approx(14.75, abs=5e-3)


@given(st.integers(0, 100))
def test_sum_rules(n):
    law = superclass_law(n)
    assert law.sum() == pytest.approx(20) and law @ np.arange(6) == pytest.approx(n)
    covariance = superclass_covariance(n)
    # Both sums are fixed numbers, so they do not fluctuate.
    np.testing.assert_allclose(covariance.sum(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(covariance @ np.arange(6), 0, atol=1e-9)
    tail = superclass_tail(n, filling=2)
    assert tail[0] == 1 and (np.diff(tail) <= 0).all()
    assert tail[1:].sum() == pytest.approx(law[2])
    np.testing.assert_allclose(superclass_law(100 - n)[::-1], law, atol=1e-12)


def test_tail_is_the_inclusion_exclusion_formula():
    for n in (5, 23, 60, 95):
        for k in range(1, 8):
            exact = sum(
                (-1) ** (j - k) * comb(j - 1, k - 1) * comb(20, j) * comb(100 - 5 * j, n - 5 * j)
                for j in range(k, n // 5 + 1)
            )
            assert superclass_tail(n)[k] == pytest.approx(exact / comb(100, n), rel=1e-12)
            assert full_superclasses_tail([n])[k] == pytest.approx(superclass_tail(n)[k], rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(small, st.data())
def test_everything_against_enumeration_of_unequal_sizes(sizes, data):
    n = data.draw(st.integers(0, sum(sizes)))
    count, number = map(np.array, zip(*all_fillings(sizes, n)))
    np.testing.assert_allclose(superclass_law(n, superclass_size=sizes), number.mean(axis=0), atol=1e-12)
    covariance = np.atleast_2d(np.cov(number.T, bias=True))
    np.testing.assert_allclose(superclass_covariance(n, superclass_size=sizes), covariance, atol=1e-12)
    groups = np.arange(len(sizes) + 1)
    full = (count == np.array(sizes)).sum(axis=1)
    np.testing.assert_allclose(
        superclass_tail(n, superclass_size=sizes), (full[:, None] >= groups).mean(axis=0), atol=1e-12
    )
    for i in range(max(sizes) + 1):
        exactly = (number[:, i, None] >= groups).mean(axis=0)
        np.testing.assert_allclose(superclass_tail(n, superclass_size=sizes, filling=i), exactly, atol=1e-12)
        more = (number[:, i:].sum(axis=1)[:, None] >= groups).mean(axis=0)
        tail = superclass_tail(n, superclass_size=sizes, filling=i, at_least=True)
        np.testing.assert_allclose(tail, more, atol=1e-12)
    law = superclass_joint_law(n, superclass_size=sizes)
    seen = Counter(tuple(row[1:].tolist()) for row in number)
    assert dict(zip(map(tuple, law.numbers.tolist()), law.ways)) == dict(seen)


def test_joint_law_is_complete_and_has_the_right_means():
    for n in (0, 5, 23, 50, 100):
        law = superclass_joint_law(n)
        assert sum(law.ways) == comb(100, n)
        np.testing.assert_allclose(law.probability @ law.numbers, superclass_law(n)[1:], atol=1e-12)
        assert (law.numbers @ np.arange(1, 6) == n).all()
    full = superclass_joint_law(23)
    assert full.probability[full.numbers[:, 4] >= 2].sum() == pytest.approx(superclass_tail(23)[2])


def test_monte_carlo_agrees_with_the_exact_law():
    heads = [23, 15, 15, 21]
    sample = superclass_monte_carlo(heads, seed=7)
    n = 50_000
    assert (sample.histogram.sum(axis=2) == n).all() and sample.full_histogram.sum() == n
    for head, number in enumerate(heads):
        error = np.sqrt(np.diag(superclass_covariance(number)) / n)
        assert (abs(sample.mean[head] - superclass_law(number)) <= 4 * error).all()
        np.testing.assert_allclose(sample.standard_error[head][:4], error[:4], rtol=0.05)
    tail = full_superclasses_tail(heads)
    expected = n * tail[1]
    assert abs(sample.full_histogram[1:].sum() - expected) < 4 * np.sqrt(expected)
    again = superclass_monte_carlo(heads, seed=7)
    np.testing.assert_array_equal(sample.histogram, again.histogram)


def test_monte_carlo_of_unequal_sizes():
    sizes = [1, 2, 3, 4, 0]
    sample = superclass_monte_carlo(5, superclass_size=sizes, n_samples=40_000, seed=1)
    error = np.sqrt(np.diag(superclass_covariance(5, superclass_size=sizes)) / 40_000)
    assert (abs(sample.mean[0] - superclass_law(5, superclass_size=sizes)) <= 4 * error + 1e-12).all()
    tail = superclass_tail(5, superclass_size=sizes)
    np.testing.assert_allclose(sample.full_histogram[1:].sum() / 40_000, tail[1], atol=0.01)


def test_heads_together_against_enumeration():
    sizes, heads = [2, 2, 3], [3, 2]
    label = np.repeat(np.arange(3), sizes)
    full = []
    for one in combinations(range(7), heads[0]):
        for two in combinations(sorted(set(range(7)) - set(one)), heads[1]):
            counts = [np.bincount(label[list(owned)], minlength=3) for owned in (one, two)]
            full.append(sum((count == sizes).sum() for count in counts))
    exact = [(np.array(full) >= k).mean() for k in range(4)]
    np.testing.assert_allclose(full_superclasses_tail(heads, superclass_size=sizes), exact, atol=1e-12)


def test_filling_table_of_a_planted_division():
    superclass = np.repeat(np.arange(20), 5)
    owner = np.zeros(100, dtype=int)
    owner[:10] = 1  # two complete superclasses
    owner[10::5] = 2  # one label in each of the others
    table = superclass_test(owner, superclass, n_heads=3)
    assert table.filling.tolist() == [[18, 0, 0, 0, 0, 2], [2, 18, 0, 0, 0, 0], [20, 0, 0, 0, 0, 0]]
    assert table.n_owned.tolist() == [10, 18, 0] and table.pairs.tolist() == [20, 0, 0]
    assert table.p_value[0, 5] == superclass_tail(10)[2] and table.pairs_p_value[0] < 1e-6
    assert table.pairs_p_value[1] == 1 and table.p_value[1, 1] < 1e-3
    assert (table.p_value[2] == 1).all() and table.pairs_p_value[2] == 1
    law = superclass_law(10)
    pairs = law @ [0, 0, 1, 3, 6, 10]
    assert table.pairs_expected[0] == pytest.approx(pairs)
    np.testing.assert_allclose(table.expected[0], law)


def test_pairs_p_value_agrees_with_the_taxonomy_shuffle():
    rng = np.random.default_rng(3)
    superclass = rng.permutation(np.repeat(np.arange(20), 5))
    owner = np.where(rng.permutation(100) < 15, 1, 0)
    table = superclass_test(owner, superclass, n_heads=1)
    null = shuffle_taxonomy(owner, superclass, 1, 20_000, seed=1)[:, 0] @ [0, 0, 1, 3, 6, 10]
    share = (null >= table.pairs[0]).mean()
    p = table.pairs_p_value[0]
    assert abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / 20_000) + 1e-9
    assert abs(null.mean() - table.pairs_expected[0]) < 4.5 * null.std() / np.sqrt(20_000)


def test_renaming_changes_nothing():
    rng = np.random.default_rng(5)
    superclass, owner = rng.permutation(np.repeat(np.arange(6), [5, 4, 4, 3, 2, 2])), rng.integers(0, 4, 20)
    filling = fill_superclasses(owner, superclass, 3)
    labels, groups = rng.permutation(20), rng.permutation(6)
    np.testing.assert_array_equal(filling, fill_superclasses(owner[labels], superclass[labels], 3))
    np.testing.assert_array_equal(filling, fill_superclasses(owner, groups[superclass], 3))
    heads = np.array([0, 2, 3, 1])
    np.testing.assert_array_equal(filling, fill_superclasses(heads[owner], superclass, 3)[[1, 2, 0]])


def test_labels_without_superclass_are_left_out():
    table = superclass_test([1, 1, 1, 2], [0, 0, -1, 1], n_heads=2)
    assert table.n_owned.tolist() == [2, 1]
    assert table.filling.tolist() == [[1, 0, 1], [1, 1, 0]]
    np.testing.assert_allclose(table.expected[0], superclass_law(2, superclass_size=[2, 1]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: superclass_law(101), "cannot be drawn from 100"),
        (lambda: superclass_law(-1), "cannot be drawn"),
        (lambda: superclass_sizes(3, 0), "positive integers"),
        (lambda: superclass_sizes(superclass_size=[2.5]), "positive integers"),
        (lambda: full_superclasses_tail([60, 60]), "disjoint sets"),
        (lambda: superclass_monte_carlo([1], n_samples=0), "no simulation"),
        (lambda: superclass_test([1, 0], [-1, -1], 1), "No label has a superclass"),
        (lambda: superclass_test([2, 0], [0, 0], 1), "heads 1 to 1"),
        (lambda: superclass_test([1, 0], [0], 1), "2 labels"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, words):
    with pytest.raises(SymbreakError, match=words):
        call()
