from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbreak.errors import SymbreakError
from symbreak.observables import (
    appearance_of_heads,
    coarse_grain,
    edwards_anderson,
    head_shares,
    shuffle_nodes,
)
from symbreak.observables.heads import replicas
from symbreak.planted.specialised import binomial_heads, specialised_heads


def appearances(world):
    return appearance_of_heads(world.membership, world.head_of_node)


def divide(owner, n_heads=4, count=20):
    return count * (np.asarray(owner) == np.arange(1, n_heads + 1)[:, None])


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 4), st.integers(1, 7), st.integers(0, 999))
def test_overlap_is_the_maximum_over_all_relabellings(n_heads, n_labels, seed):
    rng = np.random.default_rng(seed)
    one, two = rng.integers(1, 9, (2, n_heads, n_labels))
    first, second = head_shares(one) - 1 / n_heads, head_shares(two) - 1 / n_heads
    best = max(
        n_heads / (n_heads - 1) * (first * second[list(names)]).sum(axis=0).mean()
        for names in permutations(range(n_heads))
    )
    found = replicas.replica_overlap(one, two, n_shuffles=3)
    assert found.overlap.value == pytest.approx(best)
    back = replicas.replica_overlap(two[rng.permutation(n_heads)], one, n_shuffles=3)
    assert back.overlap.value == pytest.approx(best)


def test_a_replica_with_itself_is_edwards_anderson():
    counts = appearances(specialised_heads(0.4, seed=0))
    found = replicas.replica_overlap(counts, counts[[2, 0, 3, 1]], n_shuffles=99)
    assert found.overlap.value == pytest.approx(float(edwards_anderson(counts)))
    assert found.relabelling.tolist() == [2, 4, 1, 3]
    assert found.overlap.p_value == 0.01
    matrix = replicas.overlap_matrix([counts, counts[::-1]])
    np.testing.assert_allclose(matrix, float(edwards_anderson(counts)))


def test_independent_divisions_overlap_by_chance_only():
    rng = np.random.default_rng(1)
    found = [
        replicas.replica_overlap(divide(one), divide(two), n_shuffles=49, seed=k).overlap
        for k, (one, two) in enumerate(rng.integers(1, 5, (40, 2, 100)))
    ]
    # The maximum over relabellings is above 0 without any agreement; the null is just that.
    nulls = np.mean([overlap.null for overlap in found])
    values = np.array([overlap.value for overlap in found])
    assert 0.02 < nulls < 0.12
    assert abs(values.mean() - nulls) < 4 * values.std() / np.sqrt(40)
    assert abs(np.mean([overlap.p_value for overlap in found]) - 0.5) < 4 * 0.29 / np.sqrt(40)


def test_labels_that_one_replica_lacks_are_left_out():
    one, two = divide([1, 2, 3, 4, 0]), divide([1, 2, 3, 4, 4])
    found = replicas.replica_overlap(one, two, n_shuffles=9)
    assert found.n_labels == 4 and found.overlap.value == pytest.approx(1)
    silent = replicas.replica_overlap(one * 0, two)
    assert silent.n_labels == 0 and np.isnan(silent.overlap.value)
    alone = replicas.replica_overlap([[1, 2]], [[3, 4]])
    assert np.isnan(alone.overlap.value) and alone.relabelling.tolist() == [1]
    assert np.isnan(replicas.overlap_matrix([[[1, 2]], [[3, 4]]])).all()


def test_superclasses_may_be_divided_alike_though_labels_are_not():
    superclass = np.repeat(np.arange(20), 5)
    owner = np.repeat(np.random.default_rng(0).integers(1, 5, 20), 5)
    counts = coarse_grain(divide(owner), superclass)
    assert replicas.replica_overlap(counts, counts[::-1], n_shuffles=99).overlap.value == pytest.approx(1)


def test_binder_cumulant_limits():
    rng = np.random.default_rng(0)
    ordered = np.stack([divide(rng.integers(1, 5, 50)) for _ in range(12)])
    assert replicas.binder_cumulant(ordered).value == pytest.approx(1)
    assert replicas.binder_cumulant(ordered).standard_error == pytest.approx(0, abs=1e-12)
    # Equal multinomial counts fluctuate as a Gaussian in the simplex: U = 0.
    shares = rng.multinomial(4000, [0.25] * 4, size=(30, 200)).transpose(0, 2, 1)
    gaussian = replicas.binder_cumulant(shares)
    assert abs(gaussian.value) < 4 * gaussian.standard_error + 0.01
    assert gaussian.standard_error < 0.1
    renamed = np.stack([counts[rng.permutation(4)] for counts in shares])
    assert replicas.binder_cumulant(renamed).value == pytest.approx(gaussian.value)


def test_binder_cumulant_with_its_null():
    worlds = [specialised_heads(0.6, seed=seed) for seed in range(10)]
    counts = np.stack([appearances(world) for world in worlds])
    null = np.stack([shuffle_nodes(*world[:2], 49, seed) for seed, world in enumerate(worlds)], axis=1)
    found = replicas.binder_cumulant(counts, null)
    assert found.value > 0.8 and found.p_value == 1 / 50 and abs(found.null) < 0.5


def test_susceptibility_counts_fluctuations_of_seeds():
    levels = np.tile([0.2, 0.8], 6)
    counts = np.stack([appearances(specialised_heads(m, 20, seed=k)) for k, m in enumerate(levels)])
    steady = np.stack([appearances(specialised_heads(0.5, 20, seed=k)) for k in range(12)])
    wild, calm = replicas.susceptibility(counts), replicas.susceptibility(steady)
    assert wild.value == pytest.approx(100 * 0.3**2 * 12 / 11, rel=0.3)
    assert calm.value < 0.1 * wild.value and wild.standard_error > 0
    worlds = [binomial_heads(10.0, seed=seed) for seed in range(10)]
    null = np.stack([shuffle_nodes(*world[:2], 99, seed) for seed, world in enumerate(worlds)], axis=1)
    found = replicas.susceptibility(np.stack([appearances(world) for world in worlds]), null)
    assert found.p_value > 0.01 and found.null > 0


def test_overlap_susceptibility():
    owner = np.random.default_rng(0).integers(1, 5, (2, 100))
    alike = np.stack([divide(owner[0])] * 10)
    assert replicas.overlap_susceptibility(alike).value == pytest.approx(0, abs=1e-12)
    two_ways = np.stack([divide(owner[k % 2]) for k in range(10)])
    found = replicas.overlap_susceptibility(two_ways)
    overlap = replicas.overlap_matrix(two_ways)[np.triu_indices(10, 1)]
    assert found.value == pytest.approx(100 * overlap.var(ddof=1)) and found.value > 5
    null = np.stack([alike, two_ways])
    assert replicas.overlap_susceptibility(two_ways, null).p_value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "measure", [replicas.binder_cumulant, replicas.susceptibility, replicas.overlap_susceptibility]
)
def test_few_seeds_and_single_heads(measure):
    with pytest.raises(SymbreakError, match=r"at least 10 seeds and there are 9: .* train more seeds"):
        measure(np.ones((9, 4, 5), dtype=int))
    assert np.isnan(measure(np.ones((10, 1, 5), dtype=int))).all()
    with pytest.raises(SymbreakError, match="do not fit replicas"):
        measure(np.ones((10, 4, 5), dtype=int), np.ones((3, 9, 4, 5), dtype=int))
    with pytest.raises(SymbreakError, match=r"not \(seeds, heads, labels\)"):
        measure(np.ones((4, 5), dtype=int))


def test_replicas_with_different_heads_are_refused():
    with pytest.raises(SymbreakError, match="same number of heads"):
        replicas.replica_overlap(np.ones((4, 5), int), np.ones((8, 5), int))
