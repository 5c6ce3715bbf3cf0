"""Which weights stay: the intersect rule, its controls, thresholds; arrays only, no training."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import SETTINGS, experiment

from symbreak.clusters import partitions
from symbreak.config import METHODS, Pruning, Statistics, Study, parse
from symbreak.errors import SymbreakError
from symbreak.observables import best_threshold, block_statistics, pooled_moments, threshold_grid
from symbreak.planted import moments_example
from symbreak.pruning.controls import artificial_pairs, choose_pairs, exactly, largest_weights
from symbreak.pruning.places import (
    OWN_HEAD,
    Layer,
    _scan,
    describe_nodes,
    kept_pairs,
    layers_of,
    places_of,
    sets_at,
    thresholds_of,
)
from symbreak.pruning.sets import (
    Nodes,
    balanced_sets,
    expected_fraction,
    intersect,
    label_sets,
    mean_size_for,
)

SIZES = st.integers(1, 9)
STATISTICS = Statistics(thresholds=19)


def sets_strategy(nodes, labels):
    return st.lists(st.sets(st.integers(0, labels - 1)), min_size=nodes, max_size=nodes)


def as_array(sets, labels):
    array = np.zeros((len(sets), labels), dtype=bool)
    for node, own in enumerate(sets):
        array[node, list(own)] = True
    return array


@given(st.data(), st.integers(1, 140))
@settings(max_examples=60, deadline=None)
def test_the_intersect_rule_equals_sets_intersected_one_by_one(data, labels):
    outputs = data.draw(sets_strategy(data.draw(SIZES), labels))
    inputs = data.draw(sets_strategy(data.draw(SIZES), labels))
    brute = np.array([[bool(ours & theirs) for theirs in inputs] for ours in outputs])
    np.testing.assert_array_equal(intersect(as_array(outputs, labels), as_array(inputs, labels)), brute)


def test_sets_of_different_labels_are_refused():
    with pytest.raises(SymbreakError, match="3 and 4 labels"):
        intersect(np.ones((1, 3), bool), np.ones((1, 4), bool))


@pytest.mark.parametrize(("a", "b"), [(0, 3), (2, 3), (4, 4), (6, 1)])
def test_expected_fraction_equals_the_count_of_all_pairs_of_sets(a, b):
    labels = 6
    ours, theirs = list(combinations(range(labels), a)), list(combinations(range(labels), b))
    meeting = np.mean([bool(set(x) & set(y)) for x in ours for y in theirs])
    found = expected_fraction(as_array([set(range(a))], labels), as_array([set(range(b))], labels))
    assert found == pytest.approx(meeting) and found == pytest.approx(
        1 - comb(labels - a, b) / comb(labels, b)
    )


def test_p1_five_of_a_hundred_labels_keep_a_fifth():
    """Diagonals of 4.7 labels keep about 20 % (notes on section 3), and the inverse finds 4.7 again."""
    sets = balanced_sets(400, 100, 1880, np.random.default_rng(0))
    fraction = expected_fraction(sets, sets)
    assert fraction == pytest.approx(0.2, abs=0.01)
    assert mean_size_for(fraction, sets) == pytest.approx(4.7, abs=0.01)
    assert intersect(sets, balanced_sets(400, 100, 1880, np.random.default_rng(1))).mean() == pytest.approx(
        fraction, abs=0.01
    )


@given(st.integers(1, 20), st.integers(1, 12), st.data())
@settings(max_examples=60, deadline=None)
def test_balanced_sets_use_every_label_equally_often(nodes, labels, data):
    total = data.draw(st.integers(0, nodes * labels))
    sets = balanced_sets(nodes, labels, total, np.random.default_rng(data.draw(st.integers(0, 99))))
    assert sets.sum() == total
    assert np.ptp(sets.sum(0)) <= 1 and np.ptp(sets.sum(1)) <= 1


def test_balanced_sets_are_random_and_refuse_too_much():
    """Over many draws all pairs of nodes share labels alike, about as often as independent sets do."""
    draws = [balanced_sets(40, 10, 120, np.random.default_rng(seed)) for seed in range(200)]
    apart = np.mean([intersect(sets, sets) for sets in draws], axis=0)[~np.eye(40, dtype=bool)]
    assert apart.std() < 0.05 and apart.mean() == pytest.approx(1 - comb(7, 3) / comb(10, 3), abs=0.03)
    with pytest.raises(SymbreakError, match="do not fit"):
        balanced_sets(2, 3, 7, np.random.default_rng(0))


@pytest.fixture(scope="module")
def nodes():
    """Nodes of two blocks at four taps and before the readout, planted."""
    found = {}
    for number, (tap, nodes) in enumerate(
        {"attention_norm": 12, "qkv": 36, "linear1": 24, "block": 12}.items()
    ):
        moments = moments_example(blocks=2, labels=20, nodes=nodes, heads=2, seed=number)
        for block in (1, 2):
            found[block, tap] = Nodes(*pooled_moments(moments, block))
        found[block, "feedforward_norm"] = found[block, "attention_norm"]
        found[1, "feedforward_norm"] = found[1, "attention_norm"]
    found[OWN_HEAD] = found[2, "block"]
    return found


STUDY = Study(
    layers=["qkv", "linear1", "linear2", "readout"], blocks="all", kept=[0.1, 0.3], snr_minimum=True
)
LAYERS = layers_of(STUDY, 2)


def test_label_sets_are_labels_whose_own_element_is_above_threshold(nodes):
    nodes = nodes[2, "block"]
    for cut in (0.1, 0.4, 0.8):
        sets = label_sets(nodes, cut)
        for node in range(sets.shape[0]):
            matrix = np.outer(nodes.feature_mean[:, node], nodes.readout[:, node])
            expected = np.diag(matrix) > cut * matrix.max() if matrix.max() > 0 else np.zeros(20, bool)
            np.testing.assert_array_equal(sets[node], expected)
        for rule in ("min_cover", "largest_first"):
            found = partitions(nodes.feature_mean, nodes.readout, cut, rule) > 0
            np.testing.assert_array_equal(found, sets)


def test_readout_keeps_each_nodes_own_labels(nodes):
    sets = sets_at(nodes, {OWN_HEAD: 0.3}, STATISTICS)
    kept = kept_pairs(Layer(0, "readout", OWN_HEAD, None), sets)
    for node in range(12):
        assert set(np.flatnonzero(kept[:, node])) == set(np.flatnonzero(sets[OWN_HEAD][node]))


def test_kept_fraction_is_the_nearest_that_one_threshold_gives(nodes):
    for setting, wished in (("kept 0.1", 0.1), ("kept 0.3", 0.3)):
        cuts = thresholds_of(setting, STUDY, LAYERS, nodes, STATISTICS)
        assert len(set(cuts.values())) == 1 and set(cuts) == set(places_of(LAYERS))

        def fraction(cut):
            sets = sets_at(nodes, dict.fromkeys(places_of(LAYERS), cut), STATISTICS)
            masks = [kept_pairs(layer, sets) for layer in LAYERS]
            return sum(mask.sum() for mask in masks) / sum(mask.size for mask in masks)

        found = fraction(next(iter(cuts.values())))
        best = min(abs(fraction(cut) - wished) for cut in np.linspace(0.001, 0.999, 400))
        assert abs(found - wished) <= best + 1e-12


def test_thresholds_by_snr_minimum_and_by_hand(nodes):
    cuts = thresholds_of("snr_minimum", STUDY, LAYERS, nodes, STATISTICS)
    for place, cut in cuts.items():
        table = block_statistics(_scan(nodes[place], threshold_grid(19), STATISTICS))
        best = float(best_threshold(table))
        assert cut == pytest.approx(0.3 if np.isnan(best) else best)
    limits = thresholds_of("snr_limit", STUDY, LAYERS, nodes, STATISTICS)
    for place, cut in limits.items():
        table = block_statistics(_scan(nodes[place], threshold_grid(19), STATISTICS)).snr_minimum
        if bool((table >= 1).any()):
            assert float(table.sel(threshold=cut)) >= 1 and cut >= cuts[place]
            assert not bool((table.sel(threshold=slice(cut + 1e-9, 1)) >= 1).any())
        else:
            assert cut == 0.3
    given_by_hand = Study(thresholds={"qkv": 0.45, "readout": 0.2}, kept=[])
    cuts = thresholds_of("given", given_by_hand, LAYERS, nodes, STATISTICS)
    assert cuts[1, "qkv"] == cuts[2, "qkv"] == 0.45 and cuts[2, "linear1"] == 0.3 and cuts[OWN_HEAD] == 0.2


def test_statistics_of_nodes_are_those_of_table_3(nodes):
    row = describe_nodes(nodes[1, "qkv"], 0.3, STATISTICS)
    assert row["n_clusters"] * row["cluster_size"] == pytest.approx(row["diagonal"])
    assert row["diagonal"] == pytest.approx(label_sets(nodes[1, "qkv"], 0.3).sum(1).mean())


def test_all_methods_keep_exactly_as_many_weights_of_every_layer(nodes):
    sets = sets_at(nodes, dict.fromkeys(places_of(LAYERS), 0.5), STATISTICS)
    generator = np.random.default_rng(1)
    weights = {layer: generator.normal(size=kept_pairs(layer, sets).shape) for layer in LAYERS}
    own, _ = choose_pairs("andc", LAYERS, sets, weights, generator)
    assert all(0 < mask.sum() < mask.size for mask in own.values())
    for method in METHODS:
        kept, adjusted = choose_pairs(method, LAYERS, sets, weights, np.random.default_rng(2))
        for layer in LAYERS:
            assert kept[layer].shape == own[layer].shape and kept[layer].sum() == own[layer].sum(), method
            assert abs(adjusted[layer]) < 0.2 * own[layer].size
        if method != "andc":
            assert any((kept[layer] != own[layer]).any() for layer in LAYERS)
    largest = choose_pairs("magnitude", LAYERS, sets, weights, generator)[0]
    for layer in LAYERS:
        size = np.abs(weights[layer])
        assert size[largest[layer]].min() >= size[~largest[layer]].max()


def test_artificial_sets_are_shared_by_the_layers_of_a_node(nodes):
    """Before the adjustment a weight of A-ANDC stays only if its nodes share one of their balanced labels."""
    sets = sets_at(nodes, dict.fromkeys(places_of(LAYERS), 0.5), STATISTICS)
    counts = {layer: int(kept_pairs(layer, sets).sum()) for layer in LAYERS}
    kept, adjusted = artificial_pairs(LAYERS, sets, counts, np.random.default_rng(3))
    readout = LAYERS[-1]
    assert adjusted[readout] == 0 and np.ptp(kept[readout].sum(1)) <= 1, "each label equally often"
    assert np.ptp(kept[readout].sum(0)) <= 1, "each node equally many labels"


def test_exactly_adds_and_drops():
    generator = np.random.default_rng(0)
    some = generator.random((9, 7)) < 0.5
    for count in (0, 5, int(some.sum()), 60, 63):
        found = exactly(some, count, generator)
        assert found.sum() == count
        assert (found & some).sum() == min(count, some.sum())


def test_largest_weights_break_ties_by_place():
    assert largest_weights(np.ones((2, 3)), 4).tolist() == [[True, True, True], [True, False, False]]


@pytest.mark.parametrize(
    ("study", "words"),
    [
        ({"kept": [1.5]}, "less than 1"),
        ({"kept": []}, "there is no setting"),
        ({"kept": [0.2, 0.2]}, "named twice"),
        ({"methods": ["random"]}, "lacks andc"),
        ({"blocks": [3]}, "no trained network has the layers and blocks"),
        ({"blocks": []}, "at least one block"),
        ({"layers": ["conv"]}, "layers.0"),
        ({"keep": [0.2]}, "did you mean `kept`"),
    ],
)
def test_wrong_studies_are_refused_in_one_sentence(study, words):
    with pytest.raises(SymbreakError, match=words):
        parse(SETTINGS | {"pruning": {"studies": {"mine": study}}})


def test_convolutional_networks_prune_their_readout_only():
    networks = {"small": SETTINGS["networks"]["small"], "vgg": {"architecture": "vgg_6", "inner_channels": 4}}
    studies = {"readout": {"layers": ["readout"]}, "last": {}}
    own = experiment(
        networks=networks, probes={"taps": ["attention", "filters"]}, pruning={"studies": studies}
    )
    assert own.studies_of("small") == ["readout", "last"] and own.studies_of("vgg") == ["readout"]
    untrained = SETTINGS["networks"]["small"] | {"trained": False}
    with pytest.raises(SymbreakError, match="no trained network"):
        experiment(networks={"small": untrained}, pruning={"studies": studies})


def test_nothing_is_pruned_by_default():
    assert experiment().studies_of("small") == [] and experiment().pruning == Pruning()


def test_the_last_of_many_labels_counts():
    sets = np.zeros((2, 130), bool)
    sets[0, 129] = sets[1, 129] = sets[1, 0] = True
    assert intersect(sets, sets).all()
