import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from symbreak.errors import SymbreakError
from symbreak.observables import (
    appearance_of_heads,
    committee_contrast,
    count_nodes,
    mutual_information,
    shuffle_nodes,
    shuffle_nodes_per_label,
)
from symbreak.observables.heads import local_order, order
from symbreak.planted.specialised import binomial_heads, specialised_heads

block = hnp.arrays(
    np.int64, st.tuples(st.integers(2, 6), st.integers(1, 8)), elements=st.integers(0, 20)
).filter(lambda counts: counts.sum() > 1)

symmetric = np.full((4, 12), 16)
perfect = np.kron(np.eye(4, dtype=int), np.full((1, 3), 64))


@pytest.mark.parametrize("name", order.ORDER_PARAMETERS)
def test_limits(name):
    measure = order.ORDER_PARAMETERS[name]
    # The unbiased estimates remove a bias that exactly equal counts do not have: they fall below 0 by 1/a.
    assert -0.03 < measure(symmetric) < 1e-12
    assert measure(perfect) == pytest.approx(1, abs=0.03)
    exact = {"edwards_anderson_unbiased": 1e4, "mutual_information": 1e4}.get(name, 1)
    assert measure((symmetric * exact).astype(int)) == pytest.approx(0, abs=1e-5)
    assert measure((perfect * exact).astype(int)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", order.ORDER_PARAMETERS)
@given(counts=block, seed=st.integers(0, 99))
def test_order_ignores_the_names_of_heads_and_labels(name, counts, seed):
    rng = np.random.default_rng(seed)
    measure = order.ORDER_PARAMETERS[name]
    renamed = counts[rng.permutation(len(counts))][:, rng.permutation(counts.shape[1])]
    np.testing.assert_allclose(measure(renamed), measure(counts), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", order.ORDER_PARAMETERS)
def test_leading_dimensions_are_many_blocks(name):
    stack = np.random.default_rng(0).integers(0, 9, (3, 2, 4, 10))
    values = order.ORDER_PARAMETERS[name](stack)
    assert values.shape == (3, 2)
    assert values[2, 1] == pytest.approx(float(order.ORDER_PARAMETERS[name](stack[2, 1])))


@given(block)
def test_bounds_and_identities(counts):
    n_heads = len(counts)
    potts, glass = local_order.local_potts_order(counts), local_order.local_edwards_anderson(counts)
    appear = counts.sum(axis=0) > 0
    assert (np.isnan(potts) == ~appear).all()
    for values in (potts, glass, local_order.local_entropy_order(counts)):
        assert (values[appear] >= -1e-12).all() and (values[appear] <= 1 + 1e-12).all()
    # sum p^2 lies between max p squared and max p.
    assert (glass[appear] <= potts[appear] + 1e-12).all()
    shares = local_order.head_shares(counts)[:, appear]
    around = n_heads / (n_heads - 1) * ((shares - 1 / n_heads) ** 2).sum(axis=0)
    np.testing.assert_allclose(glass[appear], around, atol=1e-12)
    weights = counts.sum(axis=0)[appear]
    assert committee_contrast(counts) == pytest.approx(np.average(potts[appear], weights=weights))


@given(block)
def test_information_is_that_of_the_joint_law(counts):
    joint = counts / counts.sum()
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    cells = joint > 0
    expected = (joint[cells] * np.log(joint[cells] / independent[cells])).sum()
    found = mutual_information(counts, corrected=False, normalised=False)
    assert found == pytest.approx(expected, abs=1e-12)
    bias = ((counts.sum(axis=1) > 0).sum() - 1) * ((counts.sum(axis=0) > 0).sum() - 1) / (2 * counts.sum())
    assert mutual_information(counts, normalised=False) == pytest.approx(expected - bias, abs=1e-12)


def test_unbiased_order_and_information_vanish_under_the_null():
    totals = np.full(100, 35)
    null = shuffle_nodes_per_label(totals, [64] * 4, 4000, seed=2)
    unbiased = local_order.edwards_anderson(null, unbiased=True)
    error = unbiased.std() / np.sqrt(4000)
    # Exactly -1/(D - 1): two appearances of a label never share a node.
    assert abs(unbiased.mean() + 1 / 255) < 4 * error
    plain = mutual_information(null, corrected=False, normalised=False).mean()
    assert plain == pytest.approx(0.0377, abs=2e-3)
    corrected = mutual_information(null, n_nodes=256, normalised=False)
    assert abs(corrected.mean()) < 0.03 * plain
    without_factor = mutual_information(null, normalised=False)
    assert without_factor.mean() < -0.1 * plain
    # The value that finite counts alone give to the Potts order at 35 appearances.
    assert local_order.potts_order(null).mean() == pytest.approx(0.11, abs=0.01)


@pytest.mark.parametrize("planted", [0.0, 0.3, 0.6, 1.0])
def test_planted_order_is_recovered(planted):
    values = []
    for seed in range(10):
        world = specialised_heads(planted, mean_size=20, seed=seed)
        counts = appearance_of_heads(world.membership, world.head_of_node)
        # The planted owner is no choice made on these counts, so the contrast is unbiased.
        owner = world.owner if planted else np.random.default_rng(seed).integers(1, 5, 100)
        values.append(
            [local_order.edwards_anderson(counts, unbiased=True), committee_contrast(counts, owner)]
        )
    mean, error = np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / np.sqrt(10) + 1e-9
    # Shares are ratios: their own bias is of the order of 1/D.
    assert (abs(mean - [planted**2, planted]) < 4 * error + 0.006).all(), mean


def test_order_comes_with_error_null_and_p_value():
    world = specialised_heads(0.6, seed=1)
    counts = appearance_of_heads(world.membership, world.head_of_node)
    null = shuffle_nodes(world.membership, world.head_of_node, 199)
    found = order.order_parameters(counts, null, n_nodes=256)
    for name, estimate in found.items():
        assert estimate.p_value == 1 / 200, name
        assert estimate.value > estimate.null + 10 * estimate.null_deviation
        assert 0 < estimate.standard_error < 0.1 * estimate.value
    local = local_order.local_potts_order(counts)
    assert found["potts_order"].standard_error == pytest.approx(local.std(ddof=1) / 10)
    assert found["mutual_information"].value == pytest.approx(float(mutual_information(counts, 256)))
    assert np.isnan(order.order_parameters(counts)["potts_order"].p_value)


def test_p_values_without_order_are_uniform():
    p_values = []
    for seed in range(60):
        world = binomial_heads(8.0, seed=seed)
        counts = appearance_of_heads(world.membership, world.head_of_node)
        null = shuffle_nodes(world.membership, world.head_of_node, 99, seed)
        found = order.order_parameters(counts, null, names=("potts_order", "mutual_information"))
        p_values.append([estimate.p_value for estimate in found.values()])
    assert (abs(np.mean(p_values, axis=0) - 0.5) < 4 * 0.29 / np.sqrt(60)).all()


@pytest.mark.parametrize("over", ["label", "node"])
def test_jackknife_error_is_the_spread_between_worlds(over):
    values, errors = [], []
    for seed in range(60):
        world = specialised_heads(0.5, mean_size=12, n_labels=40, head_size=16, seed=seed)
        counts = appearance_of_heads(world.membership, world.head_of_node)
        nodes = world._asdict() if over == "node" else {"membership": None, "head_of_node": None}
        found = order.order_parameters(
            counts,
            names=["edwards_anderson_unbiased"],
            membership=nodes["membership"],
            head_of_node=nodes["head_of_node"],
        )["edwards_anderson_unbiased"]
        values.append(found.value)
        errors.append(found.standard_error)
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.35)


def test_node_jackknife_leaves_out_one_node_at_a_time():
    world = specialised_heads(0.5, n_labels=6, head_size=3, mean_size=2, seed=2)
    left_out = order.without_each_node(world.membership, world.head_of_node)
    for node in range(12):
        kept = np.delete(np.arange(12), node)
        expected = appearance_of_heads(world.membership[kept], world.head_of_node[kept])
        np.testing.assert_array_equal(left_out[node], expected)


def test_single_heads_and_silent_blocks_have_no_order():
    for estimate in order.order_parameters([[3, 5]], np.ones((4, 1, 2), dtype=int)).values():
        assert np.isnan(estimate).all()
    silent = order.order_parameters(np.zeros((4, 3), dtype=int), np.zeros((5, 4, 3), dtype=int))
    for estimate in silent.values():
        assert np.isnan(estimate).all()
    for measure in order.ORDER_PARAMETERS.values():
        assert np.isnan(measure(np.ones((1, 4), dtype=int)))


def test_blocks_with_different_numbers_of_heads():
    for n_heads in (2, 8, 32):
        world = specialised_heads(1.0, 3.0, n_heads=n_heads, head_size=256 // n_heads, seed=1)
        counts = appearance_of_heads(world.membership, world.head_of_node)
        null = shuffle_nodes(world.membership, world.head_of_node, 99)
        found = order.order_parameters(counts, null, n_nodes=256)
        assert found["potts_order"].value == 1 and found["potts_order"].p_value == 0.01
        assert count_nodes(world.head_of_node).tolist() == [256 // n_heads] * n_heads


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: order.order_parameters(symmetric, names=["temperature"]),
            "no order parameter 'temperature'",
        ),
        (lambda: order.order_parameters(symmetric, np.ones((3, 2, 12), int)), "do not fit a block"),
        (lambda: order.order_parameters(symmetric[None]), "one block"),
        (lambda: committee_contrast(symmetric, np.full(12, 5)), "do not fit"),
        (lambda: mutual_information(symmetric, n_nodes=20), "n_nodes is too small"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, words):
    with pytest.raises(SymbreakError, match=words):
        call()
