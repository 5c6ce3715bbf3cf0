"""Soft committees: planted outputs with known agreement and gain, limits, invariances, brute force."""

import shutil
from itertools import combinations, pairwise

import numpy as np
import pytest
import xarray as xr
from tiny import SETTINGS

from symbreak.cli import main
from symbreak.config import Committee, Network, dump, parse
from symbreak.errors import SymbreakError
from symbreak.observables import (
    agreement,
    all_committees,
    bootstrap_intervals,
    committee_tables,
    correct_committees,
    grow_committee,
)
from symbreak.observables.committees.members import same_and_diverse
from symbreak.observables.committees.outputs import Outputs
from symbreak.papers.claims.claim import HOLDS, UNDECIDED
from symbreak.papers.claims.committees import judge_committees
from symbreak.planted import committee_example, independent_members
from symbreak.results.figures import plot_committees, plot_pareto
from symbreak.results.figures.latency import front
from symbreak.results.tables.committees import agreement_table, group_table, member_table, size_table
from symbreak.store import open_dataset, provenance, write_dataset

QUICK = Committee(n_bootstrap=99)


def test_members_that_do_not_fit_in_memory_make_the_same_table(monkeypatch):
    """They are read one by one, and again some images at a time from a temporary file."""
    members = independent_members(accuracies=[0.6, 0.7, 0.8], images=300, seeds=5)
    plain = committee_tables(members, QUICK)
    monkeypatch.setattr(Outputs.__init__, "__defaults__", (10_000,))
    streamed = committee_tables(iter(members), QUICK)
    assert plain.identical(streamed)


def test_search_is_among_the_most_accurate():
    members = independent_members(accuracies=[0.5, 0.6, 0.7, 0.8], images=400, seeds=3)
    table = committee_tables(members, Committee(n_bootstrap=99, exhaustive=3, largest_search=5))
    assert table.sizes["committee_size"] == 5
    best = set(np.argsort(-table.member_accuracy.values, kind="stable")[:5] + 1)
    of_size = table.best_committee.values
    chosen = table.is_member.sel(committee=of_size[-1])
    assert set(chosen.member.values[chosen.values == 1].tolist()) == best


def test_agreement_of_pairs_is_the_mean_over_all_of_them():
    members = independent_members(accuracies=[0.6, 0.8, 0.9], images=200, seeds=2)
    table = committee_tables(members, QUICK)
    network = table.network.values
    pairs = list(combinations(range(6), 2))
    for name, wanted in (("same", True), ("diverse", False)):
        chosen = [pair for pair in pairs if (network[pair[0]] == network[pair[1]]) == wanted]
        mean = np.mean([table.agreement.values[pair] for pair in chosen])
        assert float(table[f"{name}_agreement"]) == pytest.approx(mean, abs=1e-12)


def fields_of(members):
    return np.stack([member.fields for member in members]), members[0].truth


def random_fields(members=4, images=60, labels=5, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, labels, images)
    fields = rng.normal(size=(members, images, labels)).astype(np.float32)
    fields[:, np.arange(images), truth] += 0.7
    return fields, truth


def test_every_committee_equals_brute_force():
    fields, truth = random_fields()
    asked = all_committees(4)
    assert len(asked) == 2**4 - 1
    correct = correct_committees(fields, truth, asked)
    for committee, row in zip(asked, correct):
        by_hand = fields[list(committee)].astype(float).sum(axis=0).argmax(axis=1) == truth
        np.testing.assert_array_equal(row, by_hand)
    shuffled = [asked[place] for place in np.random.default_rng(1).permutation(len(asked))]
    again = dict(zip(shuffled, correct_committees(fields, truth, shuffled)))
    assert all((again[committee] == row).all() for committee, row in zip(asked, correct))


def test_order_of_members_labels_and_images_changes_nothing():
    fields, truth = random_fields(seed=2)
    whole = correct_committees(fields, truth, [(0, 1, 2, 3), (0, 2)])
    turned = correct_committees(fields[::-1], truth, [(3, 2, 1, 0), (3, 1)])
    np.testing.assert_array_equal(whole, turned)
    names = np.random.default_rng(0).permutation(5)
    renamed = np.empty_like(fields)
    renamed[:, :, names] = fields
    np.testing.assert_array_equal(whole, correct_committees(renamed, names[truth], [(0, 1, 2, 3), (0, 2)]))
    images = np.random.default_rng(3).permutation(len(truth))
    moved = correct_committees(fields[:, images], truth[images], [(0, 1, 2, 3), (0, 2)])
    np.testing.assert_array_equal(whole[:, images], moved)


def test_identical_members_agree_always_and_gain_nothing():
    one = independent_members([0.6], images=300)[0]
    table = committee_tables([one, one._replace(seed=2), one._replace(seed=3)])
    assert (table.agreement == 1).all()
    np.testing.assert_allclose(table.gain, 0, atol=1e-12)
    np.testing.assert_allclose(table.gain_best, 0, atol=1e-12)
    np.testing.assert_allclose(table.error_correlation, 1)
    assert table.group_gain_lower.item() == table.group_gain_upper.item() == 0


@pytest.mark.parametrize("shared", [0.0, 0.6, 1.0])
def test_planted_agreement_is_recovered(shared):
    images, accuracies = 40_000, (0.7, 0.8)
    members = independent_members(accuracies, images, labels=3, shared=shared, seeds=2)
    fields, truth = fields_of(members)
    pairs = agreement(correct_committees(fields, truth, [(place,) for place in range(4)]))
    error = 5 * 0.5 / np.sqrt(images)
    for number, accuracy in enumerate(accuracies):
        independent = accuracy**2 + (1 - accuracy) ** 2
        planted = shared**2 + (1 - shared**2) * independent
        assert abs(pairs.observed[2 * number, 2 * number + 1] - planted) < error
        assert abs(pairs.independent[2 * number, 2 * number + 1] - independent) < error
    between = accuracies[0] * accuracies[1] + 0.3 * 0.2
    np.testing.assert_allclose(pairs.observed[:2, 2:], between, atol=error)
    np.testing.assert_allclose(pairs.correlation[:2, 2:], 0, atol=2 * error)


def test_gain_of_independent_majorities_is_the_binomial_one():
    """Three members of equal weight err independently with two labels: right if two or more are right."""
    p, images = 0.8, 40_000
    members = independent_members([p] * 3, images, labels=2)
    hard = [one._replace(fields=(one.fields > 0.5).astype(float)) for one in members]
    table = committee_tables(hard, QUICK)
    expected = p**3 + 3 * p**2 * (1 - p)
    assert table.committee_accuracy.values[-1] == pytest.approx(expected, abs=0.01)
    assert table.gain.values[-1] == pytest.approx(expected - p, abs=0.01)


def test_greedy_never_beats_all_committees_and_its_committees_grow():
    fields, truth = random_fields(members=6, seed=5)
    grown = grow_committee(fields, truth)
    accuracy = correct_committees(fields, truth, grown).mean(axis=1)
    every = all_committees(6)
    exact = correct_committees(fields, truth, every).mean(axis=1)
    for size, (committee, reached) in enumerate(zip(grown, accuracy), 1):
        assert len(committee) == size and reached <= max(exact[[len(c) == size for c in every]])
    assert accuracy[0] == exact[:6].max()
    assert all(set(small) < set(large) for small, large in pairwise(grown))


def test_greedy_adds_what_helps_most():
    fields, truth = random_fields(members=5, images=200, seed=9)
    first, second = grow_committee(fields, truth)[:2]
    pairs = [tuple(sorted((first[0], other))) for other in range(5) if other != first[0]]
    best = correct_committees(fields, truth, pairs).mean(axis=1).max()
    assert correct_committees(fields, truth, [second]).mean() == best


def test_beyond_the_limit_committees_are_greedy_and_say_so():
    members = independent_members([0.6, 0.7, 0.65], images=200, seeds=2)
    every, greedy = committee_tables(members), committee_tables(members, Committee(exhaustive=5))
    assert (every.attrs["search"], greedy.attrs["search"]) == ("all", "greedy")
    assert every.sizes["committee"] == 63 and greedy.sizes["committee"] < 30
    assert (greedy.best_accuracy <= every.best_accuracy + 1e-12).all()
    assert greedy.split_half_accuracy.notnull().all()


def test_the_best_of_many_is_flattered_by_its_images():
    """Ten equal members: the best single one looks better where it was chosen than on other images."""
    table = committee_tables(independent_members([0.5] * 10, images=400, labels=4, seed=1), QUICK)
    assert table.best_accuracy[0] > 0.52
    assert table.split_half_accuracy[0] < table.best_accuracy[0] - 0.01
    assert table.split_half_accuracy[0] == pytest.approx(0.5, abs=0.03)
    assert table.best_accuracy[-1] == pytest.approx(float(table.split_half_accuracy[-1]), abs=1e-12)


def test_diverse_networks_gain_more_than_seeds_where_it_was_planted():
    found = committee_tables(independent_members([0.7] * 3, 4000, shared=0.9, seeds=3), QUICK)
    three = found.sel(committee_size=3)
    assert three.gain_difference_lower > 0 and three.diverse_gain > three.same_gain
    assert found.agreement_difference_upper < 0
    alike = committee_tables(independent_members([0.7] * 3, 4000, shared=0.0, seeds=3), QUICK).sel(
        committee_size=3
    )
    assert alike.gain_difference_lower < 0 < alike.gain_difference_upper


def test_unequal_members_are_not_taken_for_diverse_ones():
    """A network that errs often speaks softly: the committee is the other one, and gains on the mean only."""
    strong, again, weak, soft = independent_members([0.9, 0.5], 4000, seeds=2)
    quiet = [one._replace(fields=0.01 * one.fields) for one in (weak, soft)]
    found = committee_tables([strong, again, *quiet], QUICK)
    two = found.sel(committee_size=2)
    assert two.gain_difference_lower > 0.1, "over the mean member"
    assert abs(two.diverse_gain_best) < 0.01 and two.gain_best_difference_lower < 0
    assert found.agreement_difference_upper < 0, "as must be, for 0.9 and 0.5 agree less than 0.9 and 0.9"
    verdicts = [claim.verdict for claim in judge_committees(found)[1:]]
    assert verdicts == [UNDECIDED, UNDECIDED]
    planted = committee_tables(independent_members([0.7] * 3, 4000, shared=0.9, seeds=3), QUICK)
    assert [claim.verdict for claim in judge_committees(planted)[1:]] == [UNDECIDED, HOLDS], (
        "two members cannot outvote each other: only more of them gain"
    )


def test_seeds_and_networks_are_compared_at_equal_size():
    members = independent_members([0.7] * 3, 20, seeds=2)
    names = [member.network for member in members]
    for size in (2, 3):
        same, diverse = same_and_diverse(members, size, draws=1000)
        assert all(len({names[place] for place in one}) == 1 for one in same)
        assert all(len({names[place] for place in one}) == size for one in diverse)
        assert len(diverse) == len(list(combinations(range(3), size))) * 2**size
    assert same_and_diverse(members, 3, draws=1000)[0] == []
    drawn = same_and_diverse(members, 2, draws=4)
    assert len(drawn[1]) == 4 and drawn == same_and_diverse(members, 2, draws=4)


def test_bootstrap_covers_what_it_should():
    rng = np.random.default_rng(0)
    worlds = rng.random((100, 300)) < 0.7
    low, high = np.array([bootstrap_intervals(world[None], n_draws=300)[:, 0] for world in worlds]).T
    assert 85 <= ((low <= 0.7) & (high >= 0.7)).sum() <= 100


def test_latency_is_the_slowest_member_or_the_sum():
    table = committee_tables(independent_members([0.6, 0.7, 0.8], 100))
    last = table.isel(committee=-1)
    assert (last.nominal_latency_parallel, last.nominal_latency_serial) == (30, 60)
    assert np.isnan(last.measured_latency_serial)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: {"fields": one.fields[:, :3]}, "has 3 labels"),
        (lambda one: {"images": "other images"}, "measured on other images"),
        (lambda one: {"truth": one.truth[::-1]}, "measured on other images"),
        (lambda one: {"network": "a", "seed": 1}, "comes twice"),
        (lambda one: {"fields": np.full_like(one.fields, np.nan)}, "not finite"),
    ],
)
def test_members_that_do_not_fit_are_refused_in_one_sentence(change, words):
    one, two = independent_members(images=50)
    with pytest.raises(SymbreakError, match=words):
        committee_tables([one, two._replace(**change(two))])


def test_impossible_committees_are_refused():
    fields, truth = random_fields()
    for wrong in ((), (0, 0), (4,), (-1,)):
        with pytest.raises(SymbreakError, match="is no committee"):
            correct_committees(fields, truth, [wrong])
    with pytest.raises(SymbreakError, match="two members or more and here is one"):
        committee_tables(independent_members([0.5], 20))


def test_front_holds_what_nobody_beats():
    rng = np.random.default_rng(1)
    latency, accuracy = rng.integers(1, 20, 50).astype(float), rng.random(50)
    kept = front(latency, accuracy)
    for place in range(50):
        beaten = (
            (latency <= latency[place])
            & (accuracy >= accuracy[place])
            & ((latency < latency[place]) | (accuracy > accuracy[place]))
        ).any()
        assert (place in kept) == (not beaten)


def test_tables_and_figures_show_what_the_file_holds():
    table = committee_example()
    members = member_table(table)
    assert members.latency.tolist() == [6, 11] and members.snr.isna().all()
    groups = group_table(table)
    assert groups.kind.tolist() == ["seeds", "seeds", "networks", "all"]
    np.testing.assert_allclose(groups.gain, groups.accuracy - groups.mean_member)
    assert (groups.latency_parallel <= groups.latency_serial).all()
    sizes = size_table(table)
    assert (sizes.best_accuracy >= sizes.mean_accuracy - 1e-12).all()
    pairs = agreement_table(table)
    assert pairs.pairs.tolist() == [2, 4, 0, 1, 4, 1]
    assert len(plot_committees(table).axes) == 4 and len(plot_pareto(table, "P2").axes) == 2
    timed = table.copy()
    for name in ("measured_latency", "measured_latency_parallel", "measured_latency_serial"):
        timed[name] = table[name.replace("measured", "nominal")] / 1000
    for way in ("parallel", "serial"):
        timed[f"group_measured_latency_{way}"] = timed[f"group_nominal_latency_{way}"] / 1000
    assert len(plot_pareto(timed).axes) == 4


NETWORKS = {
    "deep": {"architecture": "cct_2_3x2", "dim": 16, "heads": 2, "inner_channels": 8},
    "flat": {"architecture": "cct_1_3x2", "dim": 16, "heads": 4, "inner_channels": 8},
}


def saved(folder, name="tiny", change=None, **settings):
    """Logits files of two networks and two seeds, and the experiment file."""
    keys = SETTINGS | {"name": name, "networks": NETWORKS} | settings
    config = folder / f"{name}.yaml"
    config.write_text(dump(keys))
    experiment = parse(keys)
    for member in independent_members([0.6, 0.7], 100, labels=4, shared=0.5, seeds=2):
        network = {"a": "deep", "b": "flat"}[member.network]
        facts = {"seed": member.seed, "dataset": "none", "dataset_sha256": "0"}
        attributes = provenance(
            experiment, title="outputs", source="planted", precision="fp32", device="cpu", **facts
        )
        logits = xr.Dataset(
            {"logits": (("sample", "output"), member.fields), "truth": ("sample", member.truth)},
            {"sample": np.arange(100), "output": np.arange(4)},
        )
        if change:
            logits = change(logits)
        path = folder / "results" / name / network / f"seed{member.seed}" / "logits" / "network.nc"
        write_dataset(path, logits, "logits", attributes)
    return config, folder / "results" / name


def test_verbs_write_file_tables_and_figures(tmp_path):
    config, folder = saved(tmp_path, published="P2", committee={"groups": {"both": ["deep", "flat"]}})
    assert main(["committee", "--config", str(config), "--folder", str(folder)]) == 0
    with open_dataset(folder / "committee.nc", "committee") as table:
        assert table.member.size == 4 and table.nominal_latency.values.tolist() == [11, 11, 7, 7]
        assert table.attrs["seed"].tolist() == [1, 2]
        for name in table.data_vars:
            assert {"long_name", "units", "symbol", "equation"} <= set(table[name].attrs), name
        assert table.group_name.values.tolist() == ["deep", "flat", "both", "both"]
    tables, figures = folder / "tables", folder / "figures"
    assert main(["committee-results", "--config", str(config), "--folder", str(folder)]) == 0
    assert {path.name for path in figures.iterdir()} == {"committees.png", "pareto.png"}
    assert len(list(tables.glob("committee_*.html"))) == len(list(tables.glob("committee_*.csv"))) == 4


def test_members_of_other_experiments_vote_if_their_images_are_the_same(tmp_path, capsys):
    _, other = saved(tmp_path, "other")
    config, folder = saved(tmp_path, committee={"others": [str(other)]})
    assert main(["committee", "--config", str(config), "--folder", str(folder)]) == 0
    with open_dataset(folder / "committee.nc") as table:
        assert table.network.values.tolist()[4:] == ["other/deep"] * 2 + ["other/flat"] * 2
        # the same outputs under other names: they agree with themselves
        assert float(table.agreement.sel(member=1, other_member=5)) == 1
    data = SETTINGS["data"] | {"seed": 1}
    _, foreign = saved(tmp_path, "foreign", data=data)
    config, folder = saved(tmp_path, committee={"others": [str(foreign)]})
    assert main(["committee", "--config", str(config), "--folder", str(folder)]) == 2
    assert "foreign/deep (seed 1) was measured on other images" in capsys.readouterr().err
    config, folder = saved(tmp_path, committee={"others": [str(tmp_path / "nowhere")]})
    assert main(["committee", "--config", str(config), "--folder", str(folder)]) == 2
    message = capsys.readouterr().err
    assert "committee.others" in message and message.count("\n") == 1


def test_pruned_networks_of_one_seed_are_members_of_different_names(tmp_path):
    _, other = saved(tmp_path, "other")
    files = []
    for study in ("readout", "last"):
        place = other / "deep" / "seed1" / "pruning" / study / "logits" / "network.nc"
        place.parent.mkdir(parents=True)
        shutil.copy(other / "deep" / "seed1" / "logits" / "network.nc", place)
        files.append(str(place))
    config, folder = saved(tmp_path, committee={"others": files})
    assert main(["committee", "--config", str(config), "--folder", str(folder)]) == 0
    with open_dataset(folder / "committee.nc") as table:
        assert table.network.values.tolist()[4:] == ["other/deep/readout", "other/deep/last"]
        assert (table.nominal_latency[4:] == table.nominal_latency[0]).all()


def test_committees_need_two_trained_members_and_may_be_left_out():
    alone = SETTINGS | {"seeds": [1]}
    assert parse(alone).committee_of() == []
    assert parse(SETTINGS).committee_of() == ["small"]
    assert parse(SETTINGS | {"committee": None}).committee_of() == []
    untrained = {**NETWORKS, "flat": NETWORKS["flat"] | {"trained": False}}
    assert parse(alone | {"networks": untrained}).committee_of() == []
    with pytest.raises(SymbreakError, match="no trained network here"):
        parse(SETTINGS | {"networks": untrained, "committee": {"groups": {"x": ["flat"]}}})
    assert Network(architecture="cct_2_3x5").nominal_latency == 14
