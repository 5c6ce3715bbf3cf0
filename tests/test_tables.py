"""Tables: means and errors, printed values in their rows, nulls, HTML, and the verbs that write them."""

from html import escape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import planted_results as planted
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from symbreak.cli import main
from symbreak.clusters import scan
from symbreak.config import Statistics
from symbreak.errors import SymbreakError
from symbreak.observables import (
    best_threshold,
    block_statistics,
    block_tables,
    pooled_moments,
    signal_to_noise,
)
from symbreak.planted import matched_gaussian, null_statistics
from symbreak.planted.matched import separation_for
from symbreak.printed import published_table
from symbreak.results.averages import mean_and_error, repetitions
from symbreak.results.render import columns_of, to_html, with_error
from symbreak.results.tables.comparisons import null_table, robustness_table
from symbreak.results.tables.nodes import CLUSTER_COLUMNS, SNR_COLUMNS, cluster_table, snr_table, tap_table
from symbreak.store.schema import KINDS


@pytest.fixture(scope="module")
def statistics():
    return planted.joined()[0]


def test_means_and_errors_are_those_over_seeds(statistics):
    table = cluster_table(statistics, threshold=0.3)
    at = statistics.sel(threshold=0.3, method="nearest")
    assert table.block.tolist() == [2, 1], "the last block first, as in print"
    for name in CLUSTER_COLUMNS:
        values = at[name].sel(block=table.block.to_numpy()).transpose("block", "seed").values
        np.testing.assert_allclose(table[name], values.mean(axis=1))
        np.testing.assert_allclose(table[f"{name}_error"], np.abs(np.diff(values))[:, 0] / 2, atol=1e-12)
    assert table.error.unique().tolist() == ["standard error of the mean over 2 seeds"]


def test_one_seed_has_the_jackknife_error_and_says_so(statistics):
    for one in (statistics.isel(seed=0), statistics.isel(seed=[0])):
        table = snr_table(one)
        expected = one.snr_stderr.sel(threshold=0.3).sel(block=table.block.to_numpy()).values.ravel()
        np.testing.assert_array_equal(table.snr_error, expected)
        assert "images" in table.error[0] and table.seeds[0] == 1


def test_what_is_infinite_for_a_seed_has_no_mean():
    dataset = xr.Dataset({"snr": (("seed", "block"), [[1.0, np.inf], [2.0, 5.0]])})
    mean, error = mean_and_error(dataset, "snr")
    assert mean[0] == 1.5 and np.isnan(mean[1]) and np.isnan(error[1])


def test_threshold_is_the_nearest_scanned_one_and_named(statistics):
    assert cluster_table(statistics, threshold=0.33).threshold.unique().tolist() == [0.3]


def test_best_threshold_is_that_of_the_observables(statistics):
    table = snr_table(statistics)
    expected = best_threshold(statistics).sel(block=table.block.to_numpy())
    mean = expected.mean("seed", skipna=False)
    np.testing.assert_allclose(table.best_threshold, mean)


@pytest.mark.parametrize(("make", "printed"), [(cluster_table, "table1"), (snr_table, "table2")])
def test_printed_values_stand_in_the_row_of_their_block(statistics, make, printed):
    seven = statistics.isel(block=[0] * 8).assign_coords(block=range(1, 9))
    table = make(seven, paper="P1").set_index("block")
    for row in published_table("P1", printed):
        for name in set(row) - {"block"}:
            assert table.loc[row["block"], f"{name}_printed"] == row[name]
    assert table.filter(like="_printed").loc[8].isna().all(), "the paper has seven blocks"


def test_printed_values_only_where_they_belong(statistics):
    for table in (cluster_table(statistics), cluster_table(statistics, paper="P1", tap="attention")):
        assert not [name for name in table if name.endswith("_printed")]
    linear = cluster_table(statistics.assign_coords(block=[6, 7]), paper="P1", tap="linear1")
    assert linear.noise_printed[0] == 58 and np.isnan(linear.noise_printed[1])


def test_taps_side_by_side_keep_order_and_tell_the_skip(statistics):
    table = tap_table(dict.fromkeys(("attention", "linear2", "block"), statistics), paper="P1")
    assert table.tap.tolist() == ["attention", "linear2", "block"]
    assert table["skip"].tolist() == ["", "excluded", "included"]
    assert table.diagonal_printed.tolist()[1:] == [8, 14.6] and table.noise_printed.tolist()[1:] == [
        326,
        417.2,
    ]
    assert list(table.columns).index("noise_printed") == list(table.columns).index("noise_error") + 1
    with pytest.raises(SymbreakError, match="no block 5"):
        tap_table({"block": statistics}, block=5)


def test_wrong_file_is_named(statistics):
    with pytest.raises(SymbreakError, match="n_clusters"):
        cluster_table(statistics.drop_vars("n_clusters"))


def test_robustness_starts_from_the_default_and_diag_has_no_rule():
    moments = [planted.moments(seed) for seed in planted.SEEDS]
    table = robustness_table(moments, 0.3)
    first = table.groupby("block", sort=False).head(1).set_index("block")
    for block in (1, 2):
        expected = []
        for dataset in moments:
            mean, readout, _ = pooled_moments(dataset, block)
            expected.append(float(block_statistics(scan(mean, readout, [0.3])).snr[0]))
        assert first.loc[block, "snr"] == pytest.approx(np.mean(expected))
        assert first.loc[block, "snr_change"] == 0
    spread = table.groupby(["block", "bias", "centred", "matrices"]).diagonal.agg(np.ptp)
    np.testing.assert_allclose(spread, 0, atol=1e-12)
    with pytest.raises(SymbreakError, match="single nodes"):
        robustness_table([planted.filters()])


@pytest.mark.parametrize("accuracy", [0.05, 0.4, 0.8, 0.97])
def test_null_world_is_as_accurate_as_asked(accuracy):
    world = matched_gaussian(accuracy, n_labels=50, n_nodes=64, images_per_label=100, seed=3)
    assert abs(world.accuracy - accuracy) < 0.02


@given(st.integers(2, 200), st.floats(0, 1), st.floats(0, 1))
def test_separation_rises_with_accuracy(n_labels, one, other):
    low, high = sorted((one, other))
    assert 0 <= separation_for(low, n_labels) <= separation_for(high, n_labels)
    assert separation_for(1 / n_labels, n_labels) < 1e-4, "chance needs none"


def test_separation_of_two_labels_is_the_error_function():
    from scipy.special import ndtr

    for distance in (0.3, 1.0, 2.5):
        assert separation_for(float(ndtr(distance / np.sqrt(2))), 2) == pytest.approx(distance, abs=1e-6)


def test_null_has_the_shape_of_the_network_and_is_repeatable():
    settings, moments = Statistics(thresholds=9), planted.moments()
    network, null = block_tables(moments, settings)[0], null_statistics(moments, settings, seed=4)
    assert set(null.data_vars) >= {
        "n_clusters",
        "snr",
        "snr_stderr",
        "snr_minimum",
        "accuracy",
        "best_threshold",
    }
    assert null.snr.dims == network.snr.dims
    xr.testing.assert_identical(null, null_statistics(moments, settings, seed=4))
    table = null_table(network, null)
    own = table[table.origin == "null"]
    ratio = signal_to_noise(own.diagonal, own.noise, own.cluster_size, moments.sizes["node"], 12).snr
    np.testing.assert_allclose(ratio, own.snr)
    with pytest.raises(SymbreakError, match="other blocks"):
        null_table(network, null.isel(block=[0]))
    with pytest.raises(SymbreakError, match="not for filters"):
        null_statistics(planted.filters(), settings)


@given(st.floats(-1e4, 1e4), st.floats(1e-5, 1e3))
def test_shown_digits_keep_the_value_within_its_error(value, error):
    digits, shown = with_error(value, error)
    assert abs(float(digits) - value) <= 0.51 * error
    assert float(shown) == pytest.approx(error, rel=0.5)


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [(np.nan, 1.0, "–"), (np.inf, np.nan, "∞"), (12345.6, np.nan, "12346"), (0.5, 0.0, "0.5")],
)
def test_shown_digits_without_error(value, error, expected):
    assert with_error(value, error)[0] == expected


class Cells(HTMLParser):
    """Text of the cells of a table, and whether all tags are closed."""

    def __init__(self):
        super().__init__()
        self.open, self.cells, self.heads = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag in ("td", "th"):
            (self.cells if tag == "td" else self.heads).append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for kind, cells in (("td", self.cells), ("th", self.heads)):
            if kind in self.open:
                cells[-1] += data


def test_html_is_whole_and_shows_value_error_and_print(statistics):
    seven = statistics.assign_coords(block=[6, 7])
    page = Cells()
    text = to_html(cluster_table(seven, paper="P1"), "a < b")
    page.feed(text)
    assert page.open == [] and "a &lt; b" in text
    assert page.heads == ["Block", "Accuracy", "Nc", "Cs", "diag", "n"]
    assert len(page.cells) == 12 and page.cells[0] == "7"
    assert page.cells[5].endswith(" 417.2") and " ± " in page.cells[5]
    assert repetitions(seven)[1] in text and "brown" in text


def test_html_says_what_is_missing():
    page = Cells()
    page.feed(to_html(pd.DataFrame({"block": [1], "snr": [np.nan], "snr_change": [0.123]}), "x"))
    assert page.cells == ["1", "–", "+12.3 %"]


def test_verbs_write_every_table(tmp_path, capsys):
    folder = tmp_path / "tiny" / "small"
    config = planted.network_folder(folder.parent)
    common = ["--config", str(config), "--folder", str(folder)]
    assert main(["null", *common, "--taps", "block"]) == 0
    assert main(["tables", *common, "--output", str(tmp_path / "out")]) == 0
    out = tmp_path / "out" / "tables" / "small"
    names = {path.relative_to(out).as_posix() for path in out.rglob("*.*")}
    stems = {"taps", "block/null"} | {
        f"{t}/{n}" for t in planted.TAPS for n in ("clusters", "snr", "robustness")
    }
    assert names == {f"{stem}{suffix}" for stem in stems for suffix in (".csv", ".html")}
    read = pd.read_csv(out / "block" / "snr.csv")
    assert [f"{name}_error" in read for name in SNR_COLUMNS] == [True] * 5
    assert read.signal_printed.tolist() == [24.5, 23.8]
    assert pd.read_csv(out / "taps.csv").tap.tolist() == list(planted.TAPS)
    capsys.readouterr()
    files = [str(folder / f"seed{seed}" / "statistics" / "block.nc") for seed in planted.SEEDS]
    assert main(["table", "snr", "--statistics", *files]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[:2] == ["block", "signal"] and len(printed) == 3


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    place = tmp_path_factory.mktemp("mistakes")
    return place, planted.network_folder(place, ("attention", "block"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["table", "snr", "--statistics", "{a}", "{b}"], "several taps (attention, block)"),
        (["table", "snr", "--statistics", "{b}", "{b}"], "joined over seeds already"),
        (["table", "snr", "--statistics", "{one}", "{one}"], "A seed comes twice"),
        (["table", "snr", "--statistics", "{b}", "--threshold", "1.5"], "between 0 and 1"),
        (["table", "clusters", "--statistics", "{nodes}"], "holds nodes"),
        (["tables", "--config", "{config}", "--folder", "{tmp}/none", "--output", "{tmp}/x"], "no files in"),
        (
            [
                "tables",
                "--config",
                "{config}",
                "--folder",
                "{tmp}/small",
                "--output",
                "{tmp}/x",
                "--taps",
                "query",
            ],
            "no tap 'query'",
        ),
        (
            [
                "tables",
                "--config",
                "{config}",
                "--folder",
                "{tmp}/small",
                "--output",
                "{tmp}/x",
                "--names",
                "snrr",
            ],
            "no result 'snrr'",
        ),
    ],
)
def test_mistakes_with_tables_give_one_sentence(network, capsys, arguments, words):
    tmp_path, config = network
    folder = tmp_path / "small"
    places = {
        "a": folder / "statistics" / "attention.nc",
        "b": folder / "statistics" / "block.nc",
        "one": folder / "seed1" / "statistics" / "block.nc",
        "nodes": folder / "seed1" / "nodes" / "block.nc",
        "config": config,
        "tmp": tmp_path,
    }
    assert main([word.format(**places) for word in arguments]) == 2
    message = capsys.readouterr().err.strip().splitlines()
    assert len(message) == 1 and words in message[0]
    assert not (tmp_path / "x").exists()


def test_headings_and_what_they_mean_come_from_the_registry_of_variables():
    table = pd.DataFrame({"block": [1], "n_clusters": [2.0], "potts_order": [0.1], "cut": [0.3]})
    block, clusters, potts, cut = columns_of(table)
    assert clusters.heading == KINDS["averages"].declared["n_clusters"].symbol == "N_c"
    assert potts.meaning.startswith(KINDS["heads"].declared["potts_order"].long_name)
    assert (block.heading, cut.heading, cut.meaning) == ("Block", "Threshold", "")
    assert f'title="{escape(clusters.meaning)}">N<sub>c</sub>' in to_html(table, "Blocks")
