"""What the explorer holds: numbers of the package, the blocks that fit, and one sentence for bad input."""

import base64
import json
import re
import shutil

import numpy as np
import planted_results as planted
import pytest
import xarray as xr

from symbreak import planted as worlds
from symbreak.cli import main
from symbreak.clusters import scan
from symbreak.config import Heads, Statistics
from symbreak.explorer import Choice, explorer_page
from symbreak.explorer.choosing import BESIDES, EMPTY_PAGE, moments_files
from symbreak.matrices import by_head, centre
from symbreak.observables import head_tables, pooled_moments
from symbreak.results.figures.matrix import field_of
from symbreak.store import open_dataset, write_dataset


def data_of(page):
    found = re.search(r'id="symbreak-data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def floats(text, *shape):
    return np.frombuffer(base64.b64decode(text), "<f4").astype(float).reshape(shape)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("results") / "tiny"
    planted.network_folder(found, ("attention", "block"))
    return found


def test_the_verb_writes_one_offline_page_with_the_numbers_of_the_files(folder, capsys):
    assert main(["explore", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}/explorer.html (1.7 MB)\n"
    page = (folder / "explorer.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link)[^>]* (src|href)=", page) and len(page) < EMPTY_PAGE
    data = data_of(page)
    known = [(one["network"], one["seed"], one["tap"], one["block"]) for one in data["blocks"]]
    assert known == [
        ("small", seed, tap, block) for seed in (1, 2) for tap in ("attention", "block") for block in (1, 2)
    ]
    for block in data["blocks"]:
        place = folder / "small" / f"seed{block['seed']}" / "moments" / f"{block['tap']}.nc"
        with open_dataset(place, "moments") as moments:
            moments.load()
        mean, readout, _ = pooled_moments(moments, block["block"])
        np.testing.assert_allclose(floats(block["mean"], 16, 12), mean.T, rtol=1e-7)
        np.testing.assert_allclose(floats(block["readout"], 16, 12), readout.T, rtol=1e-7)
        heads = head_tables(moments, planted.EXPERIMENT.statistics, Heads(n_shuffles=99))
        assert block["owner"] == heads.owner.sel(block=block["block"]).values.tolist()
        with open_dataset(folder / "small" / "statistics" / f"{block['tap']}.nc") as statistics:
            curve = statistics.sel(seed=block["seed"], block=block["block"])
            for name in ("threshold", "snr", "snr_minimum"):
                truth = [value if np.isfinite(value) else None for value in curve[name].values]
                assert block["curve"][name] == pytest.approx(truth, rel=1e-4)


def test_gauge_bias_and_rule_are_those_of_the_experiment(tmp_path):
    bias = np.random.default_rng(0).normal(size=(2, 12))
    moments = planted.moments().assign(readout_bias=(("block", "output"), bias))
    path = tmp_path / "moments" / "attention.nc"
    write_dataset(path, moments, "moments", planted.facts(1, "attention"))
    settings = Statistics(centred=True, rule="min_cover", thresholds=9)
    page = explorer_page("T", [path], settings)
    assert (
        "those of the rule first_fit, curves and tables those of min_cover" in page and "are centred" in page
    )
    block = data_of(page)["blocks"][-1]
    mean, readout, offsets = centre(*pooled_moments(moments, 2))
    truth = scan(mean, readout, [0.4], "min_cover", offsets)
    assert block["curve"]["threshold"][3] == 0.4 and truth.sizes["node"] == block["nodes"]
    fields = floats(block["mean"], 16, 12).T @ floats(block["readout"], 16, 12) + floats(block["bias"], 12)
    whole = field_of(moments.assign_coords(head_of_node=("node", [1] * 16)), 2, "head", 1, centred=True)
    np.testing.assert_allclose(fields, whole, atol=1e-5)


def test_filters_of_many_positions_come_as_matrices(tmp_path):
    few = planted.filters()
    many = planted.moments(nodes=120, heads=2, blocks=1).drop_vars("head_of_node")
    many = many.assign_coords(filter_of_node=(("block", "node"), [np.repeat([1, 2], 60)]))
    for name, moments in (("cnn", few), ("vgg", many)):
        write_dataset(
            tmp_path / name / "seed1/moments/filters.nc", moments, "moments", planted.facts(1, "filters")
        )
    found = data_of(explorer_page("T", moments_files(tmp_path)))["blocks"]
    assert [sorted(set(block["filters"])) for block in found] == [[1, 2, 3, 4], [1, 2], [1, 2]]
    assert [("mean" in block, "matrices" in block) for block in found] == [(True, False)] * 2 + [
        (False, True)
    ]
    mean, readout, _ = pooled_moments(many, 1)
    stack = by_head(mean, readout, np.repeat([1, 2], 60))
    np.testing.assert_allclose(floats(found[2]["matrices"], 2, 12, 12), stack, rtol=1e-6)


def test_where_not_all_fits_last_blocks_come_first_and_the_page_says_so(folder):
    size = int(np.ceil(2 * 16 * 12 * 16 / 3)) + BESIDES
    asked = Choice(megabytes=(EMPTY_PAGE + 5 * size) / 1e6)
    page = explorer_page("T", moments_files(folder), asked=asked)
    data = data_of(page)
    known = {(one["seed"], one["tap"], one["block"]) for one in data["blocks"]}
    assert known == {(seed, tap, 2) for seed in (1, 2) for tap in ("attention", "block")} | {
        (1, "attention", 1)
    }
    assert "This page holds 5 of 8 blocks" in page
    less = data_of(explorer_page("T", moments_files(folder), asked=Choice(megabytes=0.1)))
    assert len(less["blocks"]) == 1 and less["total"] == 8
    chosen = explorer_page("T", moments_files(folder), asked=Choice(seeds=[2], taps=["block"], blocks=[1]))
    assert [one["block"] for one in data_of(chosen)["blocks"]] == [1] and "This page holds" not in chosen


def test_a_page_of_one_network_has_the_settings_that_its_files_keep(folder, tmp_path):
    net = tmp_path / "net"
    shutil.copytree(folder / "small", net)
    assert main(["explore", str(net), "--output", str(tmp_path / "page.html")]) == 0
    data = data_of((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(data["blocks"]) == 8 and len(data["blocks"][0]["curve"]["snr"]) == 9
    assert {one["network"] for one in data["blocks"]} == {"net"}


def test_a_half_finished_experiment_has_a_page_of_what_is_there(folder, tmp_path):
    half = tmp_path / "tiny"
    shutil.copytree(folder, half)
    for gone in ("statistics", "seed2", "seed1/moments/block.nc"):
        path = half / "small" / gone
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (half / "explorer.html").unlink(missing_ok=True)
    assert main(["results", "--folder", str(half), "--names", "explorer"]) == 0
    data = data_of((half / "explorer.html").read_text(encoding="utf-8"))
    assert [(one["seed"], one["tap"]) for one in data["blocks"]] == [(1, "attention")] * 2


def refused(words, capsys):
    assert main(["explore", *map(str, words)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0 and "Traceback" not in said
    return said


def test_bad_input_is_answered_in_one_sentence(folder, tmp_path, capsys):
    assert "There is no folder" in refused([tmp_path / "none"], capsys)
    assert "There are no moments files" in refused([tmp_path], capsys)
    assert "There is no tap key here; choose among attention, block" in refused(
        [folder, "--taps", "key"], capsys
    )
    assert "There is no seed 9 here" in refused([folder, "--seeds", 9], capsys)
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    file = old / "small/seed1/moments/attention.nc"
    with xr.open_dataset(file) as moments:
        changed = moments.load().assign_attrs(schema_version="0.1")
    file.unlink()
    changed.to_netcdf(file)
    assert "has schema version 0.1" in refused([old], capsys)
    file.write_bytes(b"nothing")
    assert "attention.nc" in refused([old], capsys)
    other = worlds.moments_example(blocks=2, labels=9, nodes=16)
    write_dataset(file, other, "moments", planted.facts(1, "attention"))
    assert "is about other labels than" in refused([old], capsys)
    (old / "experiment.yaml").write_text("nonsense: 1\n")
    assert "experiment.yaml: the key `name` is missing" in refused([old], capsys)
