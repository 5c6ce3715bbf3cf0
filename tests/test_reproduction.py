"""The page of what was run: claims judged by stated rules on planted statistics."""

import numpy as np
import pytest
import xarray as xr

from symbreak.config import Experiment, Statistics
from symbreak.errors import SymbreakError
from symbreak.observables import block_tables
from symbreak.papers.claims.claim import FAILS, HOLDS, OPEN
from symbreak.papers.claims.heads import judge_heads
from symbreak.papers.claims.nodes import judge_nodes
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
    assert noisy["SNR rises along the blocks"] == FAILS


def test_a_peak_elsewhere_or_nowhere_is_said():
    name = "SNR_MIN is largest at a threshold near 0.3 in the last block"
    assert verdicts(judge(planted(peak=0.6)))[name] == FAILS
    nowhere = planted()
    nowhere["best_threshold"] = nowhere.best_threshold * np.nan
    assert verdicts(judge(nowhere))[name] == OPEN


def test_ownership_needs_more_than_chance():
    name = "heads of the last block own labels, at twice the count of any other"
    assert verdicts(judge(planted(), planted_heads(74, 3, 0.001)))[name] == HOLDS
    assert verdicts(judge(planted(), planted_heads(40, 39, 0.4)))[name] == FAILS


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
    assert len(judged) > 12 and set(judged.values()) == {HOLDS}
    alike = heads.assign(agreement_other_heads=heads.agreement, pairs_total=heads.pairs_total_null)
    alike["pairs_total_p"] = alike.pairs_total_p * 0 + 0.5
    lost = [claim for claim, verdict in verdicts(judge(planted(), alike)).items() if verdict == FAILS]
    assert len(lost) == 2 and "HP" in lost[1] and "superclasses" in lost[0]


def test_the_scorecard_takes_what_there_is(tmp_path):
    config = {"networks": {"a": {}, "b": {"trained": False}}, "statistics": {"reference_threshold": 0.3}}
    config["pruning"] = {"studies": {"last": {}, "missing": {}}}
    known = provenance(Experiment(name="x", networks={"a": {}}), title="t", source="planted") | {"seed": 1}
    facts = dict.fromkeys(("dataset", "dataset_sha256", "precision", "device"), "none")
    tables = block_tables(moments_example(), Statistics(thresholds=9))[0]
    for network in config["networks"]:
        write_dataset(tmp_path / network / "statistics" / "block.nc", tables, "statistics", known | facts)
    nodes = scorecard(tmp_path, config)
    assert set(nodes.network) == {"a"} and nodes.verdict.isin([HOLDS, FAILS, OPEN]).all()
    write_dataset(tmp_path / "a/pruning/last.nc", pruning_example(), "pruning", known | facts)
    write_dataset(tmp_path / "committee.nc", committee_example(), "committee", known | facts)
    everything = scorecard(tmp_path, config)
    assert everything.iloc[: len(nodes)].equals(nodes)
    added = everything.iloc[len(nodes) :].set_index("claim")
    assert added.verdict["ANDC is more accurate than random pruning at equal kept weights (last)"] == HOLDS
    assert (added.network == "all").sum() == 3
    assert added.verdict["a soft committee is more accurate than its members"] == HOLDS


def test_missing_files_are_named(tmp_path):
    with pytest.raises(SymbreakError, match=r"experiment\.yaml"):
        reproduction_page([tmp_path])
