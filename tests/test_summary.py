"""The summary of an experiment: the answer first, and of a half-finished experiment what is there."""

import shutil

import planted_results as planted
import pytest

from symbreak.cli import main
from symbreak.observables import block_sentences, head_tables
from symbreak.store import open_dataset, write_dataset
from symbreak.store.joining import join_seeds


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "tiny"
    planted.network_folder(folder, ("attention", "block"))
    settings = (planted.EXPERIMENT.statistics, planted.EXPERIMENT.heads)
    heads = join_seeds(
        [head_tables(planted.moments(seed), *settings) for seed in planted.SEEDS], planted.SEEDS
    )
    facts = planted.facts(1, "attention") | {"seed": list(planted.SEEDS)}
    write_dataset(folder / "small" / "heads" / "attention.nc", heads, "heads", facts | heads.attrs)
    return folder


def summary(folder):
    assert main(["results", "--folder", str(folder), "--names", "summary"]) == 0
    return (folder / "summary.html").read_text(encoding="utf-8")


def test_the_answer_of_every_block_stands_above_pictures_and_claims(finished):
    page = summary(finished)
    with open_dataset(finished / "small" / "heads" / "attention.nc", "heads") as heads:
        answers = [found.sentence.split(":")[0] + ":" for found in block_sentences(heads.load())]
    places = [page.index(words) for words in (*answers, "<img", "Claims of the papers", "Please cite")]
    assert len(answers) == 2 and places == sorted(places)
    assert 4 <= page.count("data:image/png") <= 6 and 'src="http' not in page and "<script" not in page


@pytest.mark.parametrize("missing", ["small/heads", "small/statistics", "small"])
def test_a_half_finished_experiment_has_a_page_of_what_is_there(missing, finished, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(finished, folder)
    shutil.rmtree(folder / missing)
    page = summary(folder)
    assert ("have been measured yet" in page) == (missing != "small/statistics")
    assert ("not measured yet" in page) == (missing != "small/heads")


def test_where_says_the_answer_and_names_the_page(finished, capsys):
    summary(finished)
    capsys.readouterr()
    assert main(["where", str(finished)]) == 0
    said = capsys.readouterr().out
    assert "small:\n  Block 2: the heads divide the labels" in said and "summary.html" in said
