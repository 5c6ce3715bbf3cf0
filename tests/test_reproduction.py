"""The page of what was run: claims judged by stated rules on planted statistics."""

import numpy as np
import pytest
import xarray as xr

from symbreak.config import Experiment, Statistics
from symbreak.errors import SymbreakError
from symbreak.observables import block_tables
from symbreak.papers.claims.claim import AS_CHANCE, FAILS, HOLDS, UNDECIDED, UNTESTABLE
from symbreak.papers.claims.heads import judge_heads
from symbreak.papers.claims.nodes import judge_nodes
from symbreak.papers.claims.pruning import judge_pruning
from symbreak.papers.claims.trends import beyond_chance, trend
from symbreak.papers.reproduction import reproduction_page
from symbreak.papers.scorecard import scorecard
from symbreak.planted import moments_example, pruning_example
from symbreak.planted.votes import committee_example
from symbreak.store import provenance, write_dataset


def planted(rising=True, scatter=0.01, peak=0.3):
    """Statistics of seven blocks and three seeds whose SNR rises (or falls) from 1 to 3."""
    thresholds = np.arange(1, 20) / 20
    snr = np.linspace(1, 3, 7) if rising else np.linspace(3, 1, 7)
    seeds = scatter * np.array([-1.0, 0.0, 1.0])
    shape = snr[None, :, None] * np.ones(19) + seeds[:, None, None]
    minimum = 2 - 10 * (thresholds - peak) ** 2 + np.zeros((3, 7, 19))
    values = {"accuracy": shape[..., 0] / 4, "best_threshold": np.full((3, 7), peak)}
    dataset = xr.Dataset(
        dict.fromkeys(("snr", "diagonal", "n_clusters"), (("seed", "block", "threshold"), shape))
        | {"noise": (("seed", "block", "threshold"), 600 - 50 * shape)}
        | {"cluster_size": (("seed", "block", "threshold"), 5 - shape)}
        | {"snr_minimum": (("seed", "block", "threshold"), minimum)}
        | {name: (("seed", "block"), value) for name, value in values.items()},
        coords={"seed": [1, 2, 3], "block": np.arange(1, 8), "threshold": thresholds},
    )
    return dataset


def planted_heads(owned, chance, p):
    values = {"n_owned_total": owned, "n_owned_total_null": chance, "n_owned_total_p": p}
    values |= {"owner_agreement": 0.9, "owner_agreement_null": 0.3, "owner_agreement_p": 0.001}
    ramp = {"n_owned_total": np.linspace(chance, owned, 7)}
    return xr.Dataset(
        {
            name: (("seed", "block"), np.tile(ramp.get(name, np.full(7, value)), (3, 1)))
            for name, value in values.items()
        },
        coords={"seed": [1, 2, 3], "block": np.arange(1, 8)},
    )


def judge(statistics, heads=None):
    return judge_nodes(statistics, 0.3) + ([] if heads is None else judge_heads(heads, 0.3))


def verdicts(claims):
    return {claim.claim: claim.verdict for claim in claims}


def test_planted_rise_holds_and_planted_fall_does_not():
    assert set(verdicts(judge(planted())).values()) == {HOLDS}
    fallen = verdicts(judge(planted(rising=False)))
    assert fallen["SNR rises along the blocks"] == FAILS
    assert fallen["the rise of SNR is robust for thresholds in [0.2, 0.4]"] == FAILS


def test_a_rise_within_the_errors_does_not_count():
    noisy = verdicts(judge(planted(scatter=50.0)))
    assert noisy["SNR rises along the blocks"] == HOLDS, (
        "seeds may differ in level: differences are within them"
    )
    rng = np.random.default_rng(1)
    dataset = planted()
    dataset["snr"] = dataset.snr + 10 * rng.normal(size=(3, 7, 1))
    assert verdicts(judge(dataset))["SNR rises along the blocks"] == UNDECIDED


def test_a_peak_elsewhere_or_nowhere_is_said():
    name = "SNR_MIN is largest at a threshold near 0.3 in the last block"
    assert verdicts(judge(planted(peak=0.6)))[name] == FAILS
    nowhere = planted()
    nowhere["best_threshold"] = nowhere.best_threshold * np.nan
    assert verdicts(judge(nowhere))[name] == UNTESTABLE


def test_ownership_needs_more_than_chance():
    name = "heads of the last block own labels, at twice the count of any other"
    assert verdicts(judge(planted(), planted_heads(74, 3, 0.001)))[name] == HOLDS
    assert verdicts(judge(planted(), planted_heads(40, 39, 0.4)))[name] == UNDECIDED
    assert verdicts(judge(planted(), planted_heads(40, 39, np.nan)))[name] == UNTESTABLE


def test_labels_by_lot_appear_almost_equally_and_chosen_ones_do_not():
    name = "each label appears almost equally in the clusters of the last block"
    rng = np.random.default_rng(3)
    for share, verdict in ((np.full(100, 0.1), HOLDS), (np.repeat([0.02, 0.18], 50), FAILS)):
        counts = rng.binomial(256, np.broadcast_to(share, (3, 7, 19, 100)))
        dataset = planted().assign(
            appearance=(("seed", "block", "threshold", "label"), counts),
            n_matrices=(("seed", "block"), np.full((3, 7), 256)),
        )
        assert verdicts(judge(dataset))[name] == verdict


def test_superclasses_and_matrices_of_heads_are_judged_beside_chance():
    thresholds, ramp = np.arange(1, 20) / 20, np.linspace(1, 0.2, 7)
    shape = np.broadcast_to(ramp[None, :, None], (3, 7, 19))
    block = ("seed", "block")
    scanned = (*block, "threshold")
    heads = planted_heads(74, 3, 0.001).assign_coords(threshold=thresholds)
    heads = heads.assign(
        pairs_total=(block, np.full((3, 7), 24.0)),
        pairs_total_null=(block, np.full((3, 7), 6.0)),
        pairs_total_p=(block, np.full((3, 7), 0.001)),
        head_noise=(scanned, 235 * shape),
        head_cluster_size=(scanned, 1 + shape),
        agreement=(scanned, 0.7 + 0 * shape),
        agreement_other_heads=(scanned, 0.1 + 0 * shape),
    )
    judged = verdicts(judge(planted(), heads))
    untested = {name for name, verdict in judged.items() if verdict != HOLDS}
    assert len(judged) > 12 and {judged[name] for name in untested} == {UNDECIDED}
    assert len(untested) == 3 and all(
        any(word in name for name in untested) for word in ("recognises it best", "superclasses", "HP")
    ), "their null does not test heads"
    null = heads.assign(
        head_noise_null=(block, 235 * shape[..., 0] + 20), head_cluster_size_null=(block, np.ones((3, 7)))
    )
    found = verdicts(judge(planted(), null))
    assert found["noise n of the matrices of heads (SHP) falls along the blocks"] == AS_CHANCE
    assert found["C_s of the matrices of heads (SHP) falls to 1 along the blocks"] == HOLDS


def test_the_scorecard_takes_what_there_is(tmp_path):
    config = {"networks": {"a": {}, "b": {"trained": False}}, "statistics": {"reference_threshold": 0.3}}
    config["pruning"] = {"studies": {"last": {}, "missing": {}}}
    known = provenance(Experiment(name="x", networks={"a": {}}), title="t", source="planted") | {"seed": 1}
    facts = dict.fromkeys(("dataset", "dataset_sha256", "precision", "device"), "none")
    tables = block_tables(moments_example(), Statistics(thresholds=9))[0]
    for network in config["networks"]:
        write_dataset(tmp_path / network / "statistics" / "block.nc", tables, "statistics", known | facts)
    nodes = scorecard(tmp_path, config)
    assert set(nodes.network) == {"a"} and set(nodes.verdict) == {UNTESTABLE, UNDECIDED}, "one seed"
    write_dataset(
        tmp_path / "a/pruning/last.nc",
        pruning_example(seeds=3),
        "pruning",
        known | facts | {"seed": [1, 2, 3]},
    )
    sure = known | facts | {"confidence": 0.95}
    write_dataset(tmp_path / "committee.nc", committee_example(), "committee", sure)
    everything = scorecard(tmp_path, config)
    ours = nodes.columns.drop("p_holm")  # adjusted over more claims now
    assert everything[ours].iloc[: len(nodes)].equals(nodes[ours])
    assert (everything.p_holm >= everything.p).sum() == everything.p.notna().sum() > 1
    added = everything.iloc[len(nodes) :].set_index("claim")
    assert added.verdict["ANDC is more accurate than random pruning at equal kept weights (last)"] == HOLDS
    assert (added.network == "all").sum() == 3
    assert added.verdict["a soft committee is more accurate than its members"] == HOLDS


FALL = np.linspace(5, 2, 7)
STEPS = np.array([[0.0, 0.3, -0.3, 0.1, 0.0, 0.2, -0.1], [0.1, 0.0, 0.2, -0.2, 0.1, 0.0, 0.1]])


def test_a_trend_needs_seeds_and_blocks():
    assert trend(FALL[None], -1).verdict == UNTESTABLE, "one seed"
    assert trend([[1.0], [2.0], [1.5]], 1).verdict == UNTESTABLE, "one block"
    assert trend([[1.0, 2.0], [2.0, 3.1]], 1).verdict == UNTESTABLE, "two blocks"
    assert trend([FALL, np.where(FALL == 5, np.nan, FALL)], -1).verdict == UNTESTABLE, "a missing value"
    four = FALL + np.vstack([STEPS, -STEPS])
    assert trend(four, -1).verdict == HOLDS and trend(four, 1).verdict == FAILS
    assert trend(four / 100 + 5, -1).verdict == UNDECIDED, "smaller than what matters"


def test_two_standard_errors_of_two_seeds_do_not_hold():
    slopes = np.array([[0.5], [1.5]]) * 1.9  # mean difference 2.0 standard errors: t with 1 degree of freedom
    found = trend(10 + slopes * np.linspace(0, 1, 7), 1)
    assert found.difference.lower < 0 and found.p < 0.001 and found.verdict == UNDECIDED


def test_a_null_with_the_same_trend_is_said():
    four = FALL + np.vstack([STEPS, -STEPS])
    assert beyond_chance(four, FALL + 1 - np.vstack([STEPS, STEPS]), -1)[0] == AS_CHANCE
    assert beyond_chance(four, 3 + np.vstack([STEPS, STEPS]) / 10, -1)[0] == HOLDS
    flat = np.tile(FALL.mean(), (4, 7)) + 9 * np.random.default_rng(0).normal(size=(4, 7))
    assert beyond_chance(four, flat, -1)[0] == UNDECIDED, "neither beyond chance nor as chance does"


@pytest.mark.parametrize("walk", [False, True])
def test_trends_hold_by_chance_in_at_most_five_of_a_hundred(walk):
    """Also where blocks are steps of a random walk, for which Page's test alone is far too liberal."""
    noise = np.random.default_rng(7).normal(size=(200, 3, 7))
    values = np.cumsum(noise, axis=2) if walk else noise
    held = [trend(seeds, 1, smallest=0.0).verdict == HOLDS for seeds in values]
    assert np.mean(held) <= 0.05


def test_a_lead_needs_errors_and_seeds():
    def verdict(study):
        return judge_pruning(study, "last")[0].verdict

    study = pruning_example(seeds=3)
    assert verdict(study) == HOLDS and verdict(pruning_example()) == UNDECIDED
    assert verdict(study.assign(pruned_accuracy_stderr=study.pruned_accuracy_stderr * 0)) == UNTESTABLE
    assert verdict(study.assign(pruned_accuracy_stderr=study.pruned_accuracy_stderr * np.nan)) == UNTESTABLE
    tiny = study.pruned_accuracy.where(
        study.chosen_by == "andc", study.pruned_accuracy.sel(chosen_by="andc") - 1e-6
    )
    assert verdict(study.assign(pruned_accuracy=tiny)) == UNDECIDED, "a difference of 1e-6"


def test_missing_files_are_named(tmp_path):
    with pytest.raises(SymbreakError, match=r"experiment\.yaml"):
        reproduction_page([tmp_path])
