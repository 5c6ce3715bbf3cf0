"""Attention maps: brute force, planted shares, invariances, and one pass over a real tiny network."""

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import SETTINGS, experiment

from symbreak import models
from symbreak.cli import main
from symbreak.config import dump
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning import train_network, train_probes
from symbreak.learning.engine.device import choose_engine
from symbreak.measure import measure
from symbreak.measure.attention import attention_maps, brightness, measure_attention
from symbreak.models import load_network
from symbreak.observables.heads.attention_scores import (
    attention_block,
    best_heads,
    map_criteria,
    map_scores,
    of_best_heads,
)
from symbreak.planted.maps import attention_example, planted_maps
from symbreak.results.figures.attention import plot_attention_maps as draw
from symbreak.results.tables.order import attention_table
from symbreak.store import open_dataset
from symbreak.taps import capture


def block_of(world, **options):
    return attention_block(**{name: part for name, part in world.items() if name != "shown"}, **options)


def test_scores_equal_literal_correlations():
    random = np.random.default_rng(3)
    maps, light = random.normal(size=(5, 3, 9)), random.normal(size=(5, 9))
    partner = np.array([1, 2, 3, 4, 0])
    scores = map_scores(maps, light, partner)
    for i in range(5):
        for h in range(3):
            others = [k for k in range(3) if k != h]
            own = np.mean([np.corrcoef(maps[i, h], maps[i, k])[0, 1] for k in others])
            apart = np.mean([np.corrcoef(maps[i, h], maps[partner[i], k])[0, 1] for k in others])
            assert scores["similarity"][i, h] == pytest.approx(own)
            assert scores["similarity_shuffled"][i, h] == pytest.approx(apart)
            image = np.corrcoef(maps[i, h], light[i])[0, 1]
            assert scores["image_similarity"][i, h] == pytest.approx(abs(image))
            mean = np.corrcoef(maps[i, h], maps[i].mean(axis=0))[0, 1]
            assert scores["mean_similarity"][i, h] == pytest.approx(mean)


def test_gain_and_offset_of_a_map_change_no_correlation():
    world = planted_maps(images=40)
    gain = np.random.default_rng(1).uniform(0.5, 2, size=(40, 4, 1))
    partner = np.roll(np.arange(40), 1)
    one = map_scores(world["maps"], world["brightness"], partner)
    two = map_scores(world["maps"] * gain + 3, 5 * world["brightness"] - 1, partner)
    for name in ("similarity", "similarity_shuffled", "image_similarity", "image_similarity_shuffled"):
        np.testing.assert_allclose(one[name], two[name], atol=1e-10)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_planted_share_of_images_is_found(share):
    world = planted_maps(share, images=800, side=6)
    table = block_of(world, n_shuffles=199)
    planted = world["shown"].mean()
    assert float(table.image_alone) == pytest.approx(planted, abs=0.03)
    assert float(table.image_alone_shuffled) < 0.06
    # Where it does not show the image, all maps are alike, and each head is the least similar by chance.
    assert float(table.apart) == pytest.approx(planted + (1 - planted) / 4, abs=0.06)
    if share:
        assert float(table.image_alone_p) == float(table.apart_p) == pytest.approx(1 / 200)
        assert float(table.image_lead) == pytest.approx(0.86 * planted, abs=0.06)
    else:
        assert abs(float(table.apart - table.apart_null)) < 4 * float(table.apart_null_deviation)


def test_a_head_apart_for_every_label_proves_nothing():
    """The null keeps how many labels each head has."""
    random = np.random.default_rng(0)
    maps = np.repeat(random.normal(size=(300, 1, 25)), 4, axis=1) + 0.1 * random.normal(size=(300, 4, 25))
    maps[:, 0] = random.normal(size=(300, 25))
    accuracy = np.full((4, 10), 0.1)
    accuracy[0, :8] = accuracy[1, 8:] = 0.9
    truth = np.arange(300) % 10
    table = attention_block(maps, random.normal(size=(300, 25)), truth, np.ones(300, bool), accuracy, 199)
    assert float(table.apart) == pytest.approx(0.8, abs=0.02)
    assert float(table.apart_null) == pytest.approx(0.8, abs=0.02) and float(table.apart_p) > 0.05


def test_only_recognised_images_of_labels_with_one_best_head_take_part():
    assert best_heads([[0.9, 0.5, 0.0, 0.2], [0.1, 0.5, 0.0, 0.3]]).tolist() == [1, 0, 0, 2]
    yes = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3)
    truth, kept = np.array([0, 0, 3, 3, 1, 2]), np.array([True, True, True, True, True, False])
    result = of_best_heads(yes, [1, 0, 0, 2], truth, kept, 99, 0)
    assert result.value == pytest.approx(3 / 4)
    assert np.isnan(of_best_heads(yes, [0, 0, 0, 0], truth, kept, 99, 0).value)
    assert np.isnan(of_best_heads(yes[:, :1], [1, 0, 0, 1], truth, kept, 99, 0).value)


def test_ties_are_shared_and_shapes_are_checked():
    maps = np.random.default_rng(2).normal(size=(6, 2, 9))
    criteria = map_criteria(map_scores(maps, maps[:, 0], np.arange(6)))
    np.testing.assert_array_equal(criteria["apart"], 0.5)  # of two heads neither is farther from the other
    np.testing.assert_allclose(map_scores(maps[:, :1], maps[:, 0], np.arange(6))["image_similarity"], 1)
    with pytest.raises(SymbreakError, match="give \\(images, heads, tokens\\)"):
        map_scores(maps, maps[:, 0, :4], np.arange(6))


def test_figure_shows_chosen_images_and_the_table_both_nulls():
    attention = attention_example(blocks=2)
    figure = draw(attention)
    panels = [axis for part in figure.subfigs for axis in part.axes]
    assert len([axis for axis in panels if axis.images]) == 4 * 6
    chosen = attention.sel(block=2)
    best = chosen.best_head.values[chosen.truth.values] - 1
    score = chosen.similarity.values[np.arange(400), best]
    shown = score[chosen.picture_sample.values]
    assert shown[0] == score.min() and shown[2] == score.max()
    assert shown[1] == pytest.approx(np.median(score), abs=0.05)
    table = attention_table([attention])
    assert table.block.tolist() == [2] * 5 + [1] * 5 and table.by_chance.notna().all()
    with pytest.raises(SymbreakError, match="no block 3"):
        draw(attention, block=3)
    with pytest.raises(SymbreakError, match="single head"):
        draw(attention.assign(n_heads=("block", [1, 1])))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seed1")
    settings = experiment(probes={"taps": ["attention"]})
    weights, probes = folder / "network.safetensors", folder / "probes" / "probes.safetensors"
    train_network(settings, "small", 1, weights, folder / "history.csv")
    probes.parent.mkdir()
    train_probes(settings, weights, probes, folder / "probes" / "history.csv")
    measure(settings, weights, probes, folder)
    return folder


def test_one_pass_gives_the_mean_over_the_nodes_of_each_head(folder):
    settings = experiment()
    network, _ = load_network(folder / "network.safetensors")
    images = load_configured(settings.data, "validation")
    maps, correct = attention_maps(network.eval(), images, choose_engine(settings.compute), settings, [1, 2])
    with open_dataset(folder / "logits" / "network.nc") as logits:
        np.testing.assert_array_equal(correct, logits.logits.argmax("output") == logits.truth)
    pixels = images.images[:7].double()
    normal = (pixels - pixels.mean((1, 2, 3), keepdim=True)) / pixels.std((1, 2, 3), keepdim=True)
    heard, _ = capture(network.double(), normal, [(2, "attention")])
    tokens = heard[2, "attention"]
    for head in range(4):
        literal = tokens[:, :, 4 * head : 4 * head + 4].mean(2).numpy()
        np.testing.assert_allclose(maps[2][:7, head], literal, atol=1e-3 * np.abs(literal).max())
    assert maps[1].shape == (500, 2, tokens.shape[1])
    side = int(tokens.shape[1] ** 0.5)
    blocks = pixels[0].mean(0).reshape(side, 32 // side, side, 32 // side).mean((1, 3)).flatten()
    np.testing.assert_allclose(brightness(images, side * side)[0], blocks, rtol=1e-5)


def test_verbs_from_weights_to_table_and_figure(folder, tmp_path):
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(SETTINGS | {"heads": {"n_shuffles": 99}}))
    assert main(["attention", "--config", str(config), "--folder", str(folder)]) == 0
    path = folder / "attention" / "attention.nc"
    with open_dataset(path, "attention") as found:
        assert found.similarity.dims == ("block", "sample", "head") and found.sizes["sample"] == 500
        assert found.similarity.sel(block=1, head=[3, 4]).isnull().all()  # block 1 has two heads
        assert found.n_heads.values.tolist() == [2, 4]
        assert found.image.dtype == np.uint8 and found.image.shape[-3:] == (32, 32, 3)
        assert found.apart_null.attrs["long_name"].startswith("mean under the null model of: share of images")
    csv, html, png = (tmp_path / f"maps.{suffix}" for suffix in ("csv", "html", "png"))
    table = ["table", "attention-maps", "--attention", str(path), "--output", str(csv), "--html", str(html)]
    assert main(table) == 0 and pd.read_csv(csv).block.unique().tolist() == [2, 1]
    assert main(["figure", "attention-maps", "--attention", str(path), "--output", str(png)]) == 0
    assert png.stat().st_size > 10000 and "best heads shuffled among labels" in html.read_text()
    assert main(["attention", "--config", str(config), "--folder", str(folder), "--block", "2"]) == 0
    with open_dataset(path) as found:
        assert found.block.values.tolist() == [2]
    wrong = ["attention", "--config", str(config), "--folder", str(folder), "--block", "3"]
    assert main(wrong) == 2


def test_a_network_without_heads_is_refused_in_one_sentence(tmp_path):
    network = models.build("vgg_6", labels=100, inner_channels=4)
    facts = {"name": "x", "seed": 1, "dataset": "diacritics", "dataset_sha256": "", "device": "cpu"}
    models.save(tmp_path / "network.safetensors", network, precision="fp32", **facts)
    with torch.no_grad(), pytest.raises(SymbreakError, match="convolutional network without attention"):
        measure_attention(experiment(), tmp_path / "network.safetensors", tmp_path)


def test_where_nothing_is_recognised_pictures_are_shown_and_nothing_is_claimed():
    world = planted_maps(images=40) | {"correct": np.zeros(40, dtype=bool)}
    table = block_of(world, n_shuffles=99)
    assert np.isnan(float(table.apart)) and np.isnan(float(table.apart_p))
    unknown = attention_example()
    unknown["correct"] = 0 * unknown.correct
    figure = draw(unknown)
    words = [axis.get_title() for axis in figure.subfigs[1].axes]
    assert words[0].startswith("No image is recognised")
    assert "least similar" not in figure.subfigs[0].axes[0].get_ylabel()
