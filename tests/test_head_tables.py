"""The analysis of heads from moments to tables: planted divisions, invariances, bad input, pages."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from symbreak.cli import main
from symbreak.config import Experiment, Heads, Statistics, dump
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head, nodal
from symbreak.numerics.combining import combine_seeds
from symbreak.observables import (
    averaged_nodes,
    benjamini_hochberg,
    block_sentences,
    common_share,
    head_tables,
    replica_tables,
)
from symbreak.observables.heads.resemblance import compare_matrices
from symbreak.planted import head_tables_example, moments_example
from symbreak.results.tables.heads import (
    filling_table,
    head_network_table,
    matrix_table,
    ownership_table,
    sentences,
)
from symbreak.results.tables.order import order_table
from symbreak.store import describe, open_dataset, provenance, write_dataset
from symbreak.store.joining import join_seeds

SETTINGS, HEADS = Statistics(thresholds=9), Heads(n_shuffles=199)
LABELS, NODES, N_HEADS = 20, 64, 4


def planted_moments(division, blocks=1, heads=N_HEADS, seed=0):
    """Moments in which every node stands for a few labels of those that `division` gives to its head.

    division : (labels,) head from 1 of every label, or None: every node draws from all labels.
    """
    random = np.random.default_rng(seed)
    head_of_node = np.repeat(np.arange(1, heads + 1), NODES // heads)
    mean = 0.01 * random.uniform(size=(blocks, NODES, LABELS, 5))
    readout = np.zeros((blocks, NODES, LABELS))
    for block in range(blocks):
        for node in range(NODES):
            pool = np.arange(LABELS) if division is None else np.flatnonzero(division == head_of_node[node])
            chosen = random.choice(pool, 3, replace=False)
            mean[block, node, chosen] += 1.0
            readout[block, node, chosen] = 1.0
    moments = moments_example(blocks, LABELS, NODES, heads)
    moments["feature_mean"] = (moments.feature_mean.dims, mean)
    moments["readout"] = (moments.readout.dims, readout)
    return moments.assign_coords(superclass_of_label=("label", np.repeat(np.arange(4), 5)))


DIVISION = np.repeat(np.arange(1, N_HEADS + 1), LABELS // N_HEADS)


def test_planted_division_is_found_and_beyond_chance():
    table = head_tables(planted_moments(DIVISION), SETTINGS, HEADS).isel(block=0)
    np.testing.assert_array_equal(table.owner, DIVISION)
    np.testing.assert_array_equal(table.n_owned, 5)
    assert table.n_owned_total == LABELS and table.n_owned_total_p == pytest.approx(1 / 200)
    assert table.potts_order == pytest.approx(1) and table.potts_order_p == pytest.approx(1 / 200)
    # Each head has one whole superclass.
    np.testing.assert_array_equal(table.filling_count, np.tile([3, 0, 0, 0, 0, 1], (4, 1)))
    assert (table.pairs_p < 0.01).all() and table.pairs_total_p == pytest.approx(1 / 200)


def test_without_division_heads_own_what_chance_gives():
    table = head_tables(planted_moments(None, blocks=6, seed=3), SETTINGS, HEADS)
    excess = (table.n_owned_total - table.n_owned_total_null) / table.n_owned_total_null_deviation
    assert abs(float(excess.mean())) < 1.5 and (table.n_owned_total_q > 0.05).all()
    assert abs(float((table.potts_order - table.potts_order_null).mean())) < 0.1
    # The exact expectation agrees with the mean of the shuffles.
    spread = table.n_owned_total_null_deviation / np.sqrt(HEADS.n_shuffles)
    drawn = table.n_owned_curve_null.sel(ratio=2.0)
    np.testing.assert_allclose(drawn, table.n_owned_total_null)
    assert (spread > 0).all()


def test_matrices_of_divided_heads_hold_different_labels_beyond_chance():
    divided = head_tables(planted_moments(DIVISION, seed=4), SETTINGS, HEADS).isel(block=0)
    assert divided.head_exclusive == LABELS and divided.head_exclusive_p <= 0.01
    assert divided.head_exclusive_null < LABELS - 5 * divided.head_exclusive_null_deviation + 1e-9
    assert divided.head_diagonal_p <= 0.01 and divided.head_diagonal_null > 5
    alike = head_tables(planted_moments(None, blocks=6, seed=5), SETTINGS, HEADS)
    assert (alike.head_exclusive_p > 0.01).all() and (alike.head_diagonal_p > 0.01).all()
    table = matrix_table(divided.expand_dims("block").assign_attrs(seed=1))
    assert table.exclusive[0] == LABELS and table.exclusive_p[0] <= 0.01
    assert table.noise_by_chance[0] == pytest.approx(float(divided.head_noise_null))


def test_renaming_heads_and_shuffling_nodes_within_heads_changes_nothing():
    moments = planted_moments(DIVISION, seed=1)
    within = np.concatenate([np.random.default_rng(h).permutation(16) + 16 * h for h in (2, 0, 3, 1)])
    renamed = moments.copy()
    for name in ("feature_mean", "readout"):
        renamed[name] = (moments[name].dims, moments[name].values[:, within])
    one, two = (head_tables(data, SETTINGS, HEADS).isel(block=0) for data in (moments, renamed))
    np.testing.assert_array_equal(one.appearance.values[[2, 0, 3, 1]], two.appearance.values)
    for name in ("n_owned_total", "n_owned_total_null", "potts_order", "mutual_information", "pairs_total"):
        assert float(one[name]) == pytest.approx(float(two[name]))
    np.testing.assert_allclose(one.head_diagonal, two.head_diagonal)


def test_blocks_of_different_head_counts_are_padded():
    moments = planted_moments(None, blocks=3)
    heads = np.stack([np.repeat(np.arange(1, h + 1), NODES // h) for h in (4, 2, 1)]).astype("int32")
    moments = moments.drop_vars("head_of_node").assign_coords(head_of_node=(("block", "node"), heads))
    table = head_tables(moments, SETTINGS, HEADS)
    assert table.n_heads.values.tolist() == [4, 2, 1]
    assert (table.n_nodes.values == [[16, 16, 16, 16], [32, 32, 0, 0], [64, 0, 0, 0]]).all()
    assert (table.appearance.sel(block=2, head=[3, 4]) == 0).all()
    assert table.n_owned_null.sel(block=2).isnull().values.tolist() == [False, False, True, True]
    assert table.n_owned_p.notnull().sum("head").values.tolist() == [4, 2, 0]
    assert np.isnan(table.potts_order.sel(block=3)) and np.isnan(table.label_p.sel(block=3)).all()
    # One head owns whatever appears, and so it does by chance.
    last = table.sel(block=3)
    assert (
        last.n_owned_total
        == (last.appearance.sum("head") > 0).sum()
        == round(float(last.n_owned_total_null), 9)
    )
    rows = ownership_table(table.assign_attrs(seed=1)).groupby("block").size()
    assert rows.to_dict() == {1: 5, 2: 3, 3: 2}
    assert "a single head has nothing to divide the labels with" in sentences(table)[0]
    assert np.isnan(block_sentences(table)[0].q) and not block_sentences(table)[0].beyond_chance


def test_sentence_of_a_block_needs_both_orders_and_combines_seeds():
    table = head_tables(planted_moments(None, blocks=2), SETTINGS, HEADS)
    weaker = np.maximum(table.mutual_information_p, table.edwards_anderson_unbiased_p).values
    found = block_sentences(table)[::-1]
    np.testing.assert_allclose([one.q for one in found], benjamini_hochberg(weaker))
    seeds = xr.concat([table, table], "seed")
    seeds.mutual_information_p[:] = seeds.edwards_anderson_unbiased_p[:] = 0.06
    together = block_sentences(seeds)[0]
    assert together.beyond_chance and together.share == 0 and "in 0 of 2 seeds alone" in together.sentence
    seeds.mutual_information_p[0] = np.nan
    assert np.isnan(block_sentences(seeds)[0].p) and "not testable" in block_sentences(seeds)[0].sentence
    with pytest.raises(SymbreakError, match="of the folder `heads`"):
        block_sentences(table.drop_vars("mutual_information"))


def test_adjusted_over_blocks_and_heads():
    table = head_tables(planted_moments(None, blocks=2), SETTINGS, HEADS)
    p = np.sort(table.n_owned_p.values.ravel())
    largest = (p * p.size / np.arange(1, p.size + 1))[::-1]
    expected = np.minimum(np.minimum.accumulate(largest)[::-1], 1)
    np.testing.assert_allclose(np.sort(table.n_owned_q.values.ravel()), expected)


def test_files_without_heads_or_superclasses():
    moments = moments_example()
    assert "filling_count" not in head_tables(moments, SETTINGS, HEADS)
    with pytest.raises(SymbreakError, match="belong to no heads; give the moments of one of attention"):
        head_tables(moments.drop_vars("head_of_node"), SETTINGS, HEADS)
    with pytest.raises(SymbreakError, match="no superclasses"):
        filling_table(head_tables(moments, SETTINGS, HEADS))
    unknown = moments.assign_coords(superclass_of_label=("label", np.full(10, -1)))
    assert "pairs" not in head_tables(unknown, SETTINGS, HEADS)


@pytest.mark.parametrize("bias", [None, np.linspace(-0.5, 0.5, 6)])
def test_averaged_nodes_equal_the_literal_average(bias):
    random = np.random.default_rng(2)
    mean, readout = random.normal(size=(6, 8)), random.normal(size=(6, 8))
    mean[:, 3] = 0.0  # a silent node has no positive maximum without bias
    heads = np.repeat([1, 2], 4)
    matrices = nodal(mean, readout, bias)
    largest = matrices.max(axis=(1, 2))
    scaled = np.where(
        largest[:, None, None] > 0, matrices / np.where(largest > 0, largest, 1)[:, None, None], 0
    )
    literal = np.stack([scaled[heads == h].mean(axis=0) for h in (1, 2)])
    np.testing.assert_allclose(averaged_nodes(mean, readout, heads, bias), literal)
    raw = averaged_nodes(mean, readout, heads, bias, normalised=False)
    np.testing.assert_allclose(raw, np.stack([matrices[heads == h].mean(axis=0) for h in (1, 2)]))
    if bias is None:
        np.testing.assert_allclose(raw * 4, by_head(mean, readout, heads))


def test_agreement_of_matrices():
    random = np.random.default_rng(5)
    one, two = random.uniform(size=(3, 7, 7)), random.uniform(size=(3, 7, 7))
    above, other = one > 0.5, two > 0.5
    shares = common_share(above, other)
    for h in range(3):
        union = (above[h] | other[h]).sum()
        assert shares[h, 1] == pytest.approx((above[h] & other[1]).sum() / (above[h] | other[1]).sum())
        assert union > 0
    result = compare_matrices(one, one, two, [0.2, 0.7])
    np.testing.assert_allclose(result["agreement"], 1)
    assert (result["agreement_other_heads"] < 0.9).all() and (result["agreement_raw"] < 0.9).all()
    table = head_tables(planted_moments(None), SETTINGS, HEADS)
    np.testing.assert_allclose(table.agreement_raw, 1)  # a sum of raw node matrices is the matrix of the head


def _replicas(divisions, seeds):
    tables = [head_tables(planted_moments(d, seed=s), SETTINGS, HEADS) for d, s in zip(divisions, seeds)]
    return join_seeds(tables, seeds)


def test_replicas_that_divide_alike_overlap_and_others_do_not():
    renamed, unlike = np.array([0, 3, 1, 4, 2])[DIVISION], np.tile([1, 2, 3, 4], 5)
    joined = _replicas([DIVISION, renamed, unlike], [1, 2, 3])
    table = replica_tables(joined, HEADS).isel(block=0)
    assert table.overlap.values[0, 1] == pytest.approx(1) and table.overlap_q.values[0, 1] < 0.05
    assert table.overlap.values[0, 2] < 0.3 and table.overlap_q.values[0, 2] > 0.05
    np.testing.assert_array_equal(table.overlap.values, table.overlap.values.T)
    assert "at least 10 seeds and there are 3" in table.attrs["fluctuations"]
    with pytest.raises(SymbreakError, match="single seed"):
        replica_tables(joined.isel(seed=0), HEADS)


def test_fluctuations_need_ten_seeds():
    table = replica_tables(_replicas([DIVISION] * 10, range(1, 11)), Heads(n_shuffles=99))
    assert "fluctuations" not in table.attrs
    assert table.binder_cumulant.item() == pytest.approx(1) and table.binder_cumulant_null.item() < 0.9
    assert table.susceptibility.item() == pytest.approx(0) and table.binder_cumulant_p.item() == 0.01


def test_heads_of_different_seeds_are_not_averaged():
    heads = head_tables_example(seeds=3)
    table = ownership_table(heads)
    assert len(table) == 2 * 3 * 3 and set(table["head"]) == {"1", "2", "all"}
    totals = table[table["head"] == "all"].set_index(["block", "seed"]).owned
    heads_of = table[table["head"] != "all"].groupby(["block", "seed"]).owned.sum()
    pd.testing.assert_series_equal(totals.sort_index(), heads_of.sort_index(), check_names=False)
    order = order_table(heads).query("block == 2 and quantity == 'potts_order'").iloc[0]
    values = heads.potts_order.sel(block=2).values
    assert order.value == pytest.approx(values.mean())
    assert order.value_error == pytest.approx(values.std(ddof=1) / np.sqrt(3))
    assert order.p == pytest.approx(combine_seeds(heads.potts_order_p.sel(block=2)).p_value)
    assert matrix_table(heads).snr.notna().all() and filling_table(heads).owned_by_chance.notna().all()


def test_every_variable_has_a_meaning_and_every_count_a_chance_level():
    heads = head_tables_example()
    assert [n for n in heads.data_vars if "accuracy" not in n and "long_name" not in heads[n].attrs] == []
    for name in ("n_owned", "n_owned_total", "n_owned_curve", "n_owned_by_ratio", "filling_count", "pairs"):
        assert f"{name}_null" in heads
    with pytest.raises(SymbreakError, match="`strange` is not declared for heads"):
        describe(xr.Dataset({"strange": 1.0}), "heads")


def test_verbs_from_moments_to_pages(tmp_path, capsys):
    experiment = Experiment(
        name="mine",
        networks={"cct": {"architecture": "cct_2_3x1", "dim": 16, "heads": 2}},
        seeds=[1, 2],
        statistics={"thresholds": 9},
        heads={"n_shuffles": 99},
    )
    config = tmp_path / "experiment.yaml"
    config.write_text(dump(experiment.model_dump(mode="json")))
    network = tmp_path / "cct"
    facts = {"dataset": "letters", "dataset_sha256": "0", "precision": "fp32", "device": "cpu"}
    for seed in (1, 2):
        attributes = provenance(experiment, title="label means", source="cct on letters", seed=seed, **facts)
        place = network / f"seed{seed}"
        moments = moments_example(nodes=16, seed=seed).assign_coords(
            superclass_of_label=("label", np.repeat(np.arange(5), 2))
        )
        write_dataset(place / "moments" / "attention.nc", moments, "moments", attributes)
        assert main(["heads", "--config", str(config), "--folder", str(place)]) == 0
    seeds = [str(network / f"seed{seed}") for seed in (1, 2)]
    assert main(["join", *seeds, "--names", "heads/attention.nc", "--output", str(network)]) == 0
    assert main(["replicas", "--config", str(config), "--folder", str(network)]) == 0
    with open_dataset(network / "heads" / "attention.nc", "heads") as heads:
        assert heads.sizes["seed"] == 2 and heads.attrs["ratio"] == 2.0
        assert json.loads(heads.attrs["config"])["heads"]["n_shuffles"] == 99
    own = ["--config", str(config), "--folder", str(network), "--taps", "attention"]
    assert main(["head-results", *own]) == 0
    tables = tmp_path / "tables" / "cct" / "attention"
    figures = tmp_path / "figures" / "cct" / "attention"
    pages = sorted(path.name for path in tables.iterdir())
    assert len(pages) == 9 and len(list(figures.glob("heads_*.png"))) == 10
    csv, joined = tmp_path / "order.csv", str(network / "heads" / "attention.nc")
    assert main(["table", "heads-order", "--heads", joined, "--rotated", joined, "--output", str(csv)]) == 0
    order = pd.read_csv(csv)
    np.testing.assert_allclose(order.rotated, order.value)
    assert main(["table", "heads-order", "--rotated", joined]) == 2
    assert "give files of each" in capsys.readouterr().err
    page = (tables / "heads_sentences.html").read_text()
    assert page.count("by chance") >= 6 and "Seed 2, block 2: " in page
    table = pd.read_csv(tables / "heads_ownership.csv")
    assert {"owned", "by_chance", "p", "q"} <= set(table.columns)
    assert main(["heads", "--config", str(config), "--folder", str(place), "--taps", "block"]) == 2
    assert "There is no file" in capsys.readouterr().err


def test_rotation_keeps_information_and_differs_between_blocks():
    torch = pytest.importorskip("torch")
    from symbreak.models import build
    from symbreak.models.probe import rotation
    from symbreak.taps import capture

    network = build("cct_2_3x1", labels=10, dim=16, heads=2, image_size=16).eval()
    images = torch.rand(3, 3, 16, 16)
    heard, _ = capture(network, images, [(b, t) for b in (1, 2) for t in ("attention", "attention_rotated")])
    for block in (1, 2):
        plain, rotated = heard[block, "attention"], heard[block, "attention_rotated"]
        assert torch.allclose(rotated @ rotation(16, block).T, plain, atol=1e-5)
        assert (plain - rotated).abs().max() > 0.01
    assert not torch.allclose(rotation(16, 1), rotation(16, 2))


def test_heads_of_several_networks_stand_side_by_side(tmp_path):
    """P2 Table 2: the last block of each, few heads first, with errors; the verb writes CSV and HTML."""
    paths = []
    for heads in (8, 2, 4):
        table = head_tables(planted_moments(None, blocks=2, heads=heads), SETTINGS, HEADS)
        given = {"seed": 1, "dataset": "none", "dataset_sha256": "0", "precision": "fp32", "device": "cpu"}
        facts = provenance(Experiment(name="x", networks={"a": {}}), title="heads", source="planted", **given)
        paths.append(tmp_path / f"h{heads}" / "heads" / "attention.nc")
        write_dataset(paths[-1], table, "heads", facts | table.attrs)
    csv, html = tmp_path / "joint.csv", tmp_path / "joint.html"
    arguments = ["table", "head-networks", "--heads", *map(str, paths)]
    assert main([*arguments, "--output", str(csv), "--html", str(html)]) == 0
    table = pd.read_csv(csv)
    assert table[["network", "block", "heads", "head_size"]].values.tolist() == [
        ["h2", 2, 2, 32],
        ["h4", 2, 4, 16],
        ["h8", 2, 8, 8],
    ]
    np.testing.assert_allclose(table.signal, table.diagonal * table.heads / LABELS)  # P1 eq. 1
    assert (table.network_accuracy == 0.6).all() and table.snr_error.notna().all()
    assert "Head size" in html.read_text() and "N<sub>inter</sub>" in html.read_text()
    with pytest.raises(SymbreakError, match="no heads to put side by side"):
        head_network_table({})
