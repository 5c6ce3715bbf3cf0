"""Flowers-102 from a counterfeit folder in torchvision's layout, and every way to fail."""

import hashlib
from urllib.error import URLError

import numpy as np
import plain_clusters as plain
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from tiny import SETTINGS
from torchvision import datasets

from symbreak.clusters import partition
from symbreak.config import Data, parse
from symbreak.data import load
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning import train_network, train_probes
from symbreak.measure import measure
from symbreak.observables import head_tables
from symbreak.results.tables.heads import ownership_table
from symbreak.store import open_dataset

LABELS, COPIES = 102, 5


def colour_of(label):
    return (2 * label, 255 - 2 * label, 40 + label)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Five images of each label, one for training, one of the official validation; their checksums."""
    root = tmp_path_factory.mktemp("flowers")
    folder = root / "flowers-102"
    (folder / "jpg").mkdir(parents=True)
    labels = np.tile(np.arange(LABELS), COPIES)
    shuffled = np.random.default_rng(1).permutation(labels.size)
    labels = labels[shuffled]
    for number, label in enumerate(labels, start=1):
        wide = number % 2
        image = Image.new("RGB", (60 + 20 * wide, 80 - 20 * wide), colour_of(int(label)))
        image.save(folder / "jpg" / f"image_{number:05d}.jpg", quality=95)
    order = np.argsort(labels, kind="stable").reshape(LABELS, COPIES) + 1
    parts = {"trnid": order[:, 0], "valid": order[:, 1], "tstid": order[:, 2:].ravel()}
    savemat(folder / "imagelabels.mat", {"labels": labels[None] + 1})
    savemat(folder / "setid.mat", {name: part[None] for name, part in parts.items()})
    sums = {
        name: hashlib.md5((folder / name).read_bytes()).hexdigest()
        for name in ("imagelabels.mat", "setid.mat")
    }
    return root, sums, labels


@pytest.fixture
def flowers(made, monkeypatch):
    root, sums, labels = made
    known = {"label": "imagelabels.mat", "setid": "setid.mat"}
    files = {kind: (name, sums[name]) for kind, name in known.items()}
    monkeypatch.setattr(datasets.Flowers102, "_file_dict", {"image": ("102flowers.tgz", "0" * 32), **files})

    def refuse(*arguments, **options):
        raise URLError("no network here")

    monkeypatch.setattr(datasets.flowers102, "download_and_extract_archive", refuse)
    return root, labels


def test_official_split_labels_and_pixels(flowers):
    root, _ = flowers
    train = load("flowers102", "train", root=str(root), image_size=24, progress=False)
    test = load("flowers102", "validation", root=str(root), image_size=24, progress=False)
    assert train.images.shape == (LABELS, 3, 24, 24) and train.n_labels == LABELS
    assert train.labels.bincount().tolist() == [1] * LABELS
    assert test.labels.bincount().tolist() == [3] * LABELS
    assert train.superclass == (-1,) * LABELS and train.superclass_names == ()
    assert train.label_names[0] == "pink primrose"
    wanted = torch.tensor([colour_of(int(label)) for label in test.labels])[:, :, None, None]
    assert (test.images.int() - wanted).abs().max() <= 6, "flat colours survive JPEG and resizing"


def test_the_central_square_is_kept(flowers, tmp_path):
    from symbreak.data.images.flowers import _square

    pixels = np.zeros((40, 100, 3), dtype=np.uint8)
    pixels[:, 30:70] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert _square(tmp_path / "a.png", 16).min() > 200


def test_limit_and_configuration_reach_the_reader(flowers):
    root, _ = flowers
    settings = Data(name="flowers102", root=str(root), image_size=16, validation_per_label=5)
    images = load_configured(settings, "validation", per_label=2)
    assert images.images.shape == (2 * LABELS, 3, 16, 16)
    assert settings.n_labels == images.n_labels and not settings.has_superclasses


def test_an_index_file_defines_the_other_split(flowers, tmp_path):
    root, labels = flowers
    index = tmp_path / "split.csv"
    parts = {"train": range(1, 300), "valid": range(300, 400), "test": range(400, 511)}
    rows = [f"{number},{name}" for name, numbers in parts.items() for number in numbers]
    index.write_text("image,split\n" + "\n".join(rows) + "\n")
    options = {"root": str(root), "division": "kaggle", "split_file": str(index), "image_size": 8}
    train = load("flowers102", "train", progress=False, **options)
    validation = load("flowers102", "validation", progress=False, **options)
    assert train.labels.tolist() == labels[:299].tolist()
    assert validation.labels.tolist() == labels[299:399].tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,split\n1,train\n1,train\n", "line 3: image 1 comes twice"),
        ("image,split\n9999,train\n", "line 2: give the number of an image, 1 to 510"),
        ("image,split\n1,training\n", "line 2: give the number"),
        ("number,part\n1,train\n", "line 2: give the number"),
        ("image,split\n1,test\n", "names no image of the split train"),
    ],
)
def test_an_index_that_does_not_fit_is_refused_in_one_sentence(flowers, tmp_path, text, words):
    root, _ = flowers
    index = tmp_path / "split.csv"
    index.write_text(text)
    with pytest.raises(SymbreakError, match=words) as caught:
        load("flowers102", "train", root=str(root), division="kaggle", split_file=str(index))
    assert "\n" not in str(caught.value)
    with pytest.raises(SymbreakError, match=r"none\.csv"):
        load("flowers102", "train", root=str(root), division="kaggle", split_file=str(tmp_path / "none.csv"))


def test_absence_and_damage_are_named_in_one_sentence(flowers, tmp_path):
    for download, reason in ((False, "download is off"), (True, "no network here")):
        with pytest.raises(SymbreakError, match=reason) as caught:
            load("flowers102", "train", root=str(tmp_path / "nowhere"), download=download)
        assert str(tmp_path / "nowhere" / "flowers-102") in str(caught.value)
        assert "data.root" in str(caught.value) and "\n" not in str(caught.value)
    root, _ = flowers
    copy = tmp_path / "copy" / "flowers-102"
    copy.mkdir(parents=True)
    for name in ("imagelabels.mat", "setid.mat"):
        (copy / name).write_bytes((root / "flowers-102" / name).read_bytes())
    (copy / "jpg").mkdir()
    with pytest.raises(SymbreakError, match=r"image_\d+\.jpg is missing"):
        load("flowers102", "train", root=str(tmp_path / "copy"), progress=False)
    (copy / "setid.mat").write_bytes(b"half")
    with pytest.raises(SymbreakError, match=r"setid\.mat is damaged"):
        load("flowers102", "train", root=str(tmp_path / "copy"), progress=False)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": "cifar100", "image_size": 64}, "image_size belongs to flowers102"),
        ({"name": "flowers102", "split": "kaggle"}, "split_file"),
        ({"name": "flowers102", "split_file": "a.csv"}, "split_file"),
    ],
)
def test_keys_of_flowers_are_checked(data, words):
    with pytest.raises(SymbreakError, match=words):
        parse({"name": "a", "networks": {"small": {}}, "data": data})


def test_102_labels_pass_from_training_to_the_table_of_owned_labels(flowers, tmp_path):
    root, _ = flowers
    settings = SETTINGS | {
        "data": {"name": "flowers102", "root": str(root), "image_size": 16},
        "networks": {
            "small": SETTINGS["networks"]["small"] | {"architecture": "cct_2_7x2", "image_size": 16}
        },
        "training": SETTINGS["training"] | {"epochs": 2, "mixup": 0.8},
        "probes": SETTINGS["probes"] | {"taps": ["attention"]},
    }
    experiment = parse(settings)
    weights, probes = tmp_path / "network.safetensors", tmp_path / "probes.safetensors"
    train_network(experiment, "small", 1, weights, tmp_path / "history.csv")
    train_probes(experiment, weights, probes, tmp_path / "probes.csv")
    measure(experiment, weights, probes, tmp_path)
    with open_dataset(tmp_path / "moments" / "attention.nc", "moments") as moments:
        moments.load()
    assert moments.sizes["label"] == moments.sizes["output"] == LABELS
    heads = head_tables(moments, experiment.statistics, experiment.heads)
    assert heads.sizes["label"] == LABELS and "filling_count" not in heads
    assert set(ownership_table(heads)["head"]) == {"1", "2", "3", "4", "all"}


def test_bit_rows_of_102_labels_agree_with_plain_python():
    """Two words of 64 bits hold a row; the labels behind the border and the last ones belong to clusters."""
    rng = np.random.default_rng(0)
    field = rng.normal(0.0, 0.12, (LABELS, LABELS))
    for group in ([0, 63, 64, 101], [62, 65, 100], [30, 31]):
        field[np.ix_(group, group)] = rng.uniform(0.7, 1.0, (len(group), len(group)))
    groups = plain.first_fit(plain.above(field, 0.3))
    assert [0, 63, 64, 101] in groups
    assert partition(field, 0.3).tolist() == plain.numbered(groups, LABELS).tolist()


def test_a_label_with_a_single_image_is_named_before_the_measuring_pass(flowers, tmp_path):
    root, _ = flowers
    data = {"name": "flowers102", "root": str(root), "image_size": 16}
    shape = SETTINGS["networks"]["small"] | {"image_size": 16, "trained": False}
    experiment = parse(
        SETTINGS
        | {"data": data, "networks": {"small": shape}, "measurement": {"inputs": "training"}}
        | {"probes": SETTINGS["probes"] | {"taps": ["attention"], "epochs": 1}}
    )
    weights, probes = tmp_path / "network.safetensors", tmp_path / "probes.safetensors"
    train_network(experiment, "small", 1, weights, tmp_path / "history.csv")
    train_probes(experiment, weights, probes, tmp_path / "probes.csv")
    with pytest.raises(SymbreakError, match=r"102 labels of flowers102 .* 'pink primrose'; set `measurement"):
        measure(experiment, weights, probes, tmp_path)
