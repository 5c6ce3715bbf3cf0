"""Any trained network and any labelled data: heads with null models, tables and a page."""

import json
import os

import numpy as np
import pytest
import torch
from families import FAMILIES, images
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import symbreak
from symbreak import cli
from symbreak.config import Heads, Statistics
from symbreak.data.given import open_sets
from symbreak.data.given.folder import read_image
from symbreak.door.files import study_files
from symbreak.errors import SymbreakError
from symbreak.models import build, official, save
from symbreak.store import open_dataset, write_dataset

QUICK = {"heads": Heads(n_shuffles=99), "statistics": Statistics(thresholds=9)}
TIMM = {"img_size": 16, "patch_size": 4, "embed_dim": 32, "num_heads": 4, "depth": 2, "num_classes": 4}


def batches(inputs, count=5, size=12, labels=4):
    """Inputs like those given, each shifted by its label, so that there is something to find."""
    found = []
    for number in range(count):
        generator = torch.Generator().manual_seed(number)
        truth = torch.arange(size) % labels
        if isinstance(inputs, dict) and "input_ids" in inputs:
            ids = torch.randint(10, 50, (size, 7), generator=generator)
            ids[:, 1] = 3 + truth
            mask = torch.ones_like(ids)
            mask[::3, 5:] = 0
            found.append(({"input_ids": ids.masked_fill(mask == 0, 0), "attention_mask": mask}, truth))
            continue
        name, tensor = next(iter(inputs.items())) if isinstance(inputs, dict) else ("", inputs)
        shape = (size, *tensor.shape[1:])
        prototypes = torch.randn(labels, *shape[1:], generator=torch.Generator().manual_seed(9))
        shifted = torch.randn(shape, generator=generator) + prototypes[truth]
        found.append(({name: shifted} if name else shifted, truth))
    return found


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_carried_through_to_heads_with_null_models(name):
    if name.startswith("timm"):
        pytest.importorskip("timm")
    elif name.startswith(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) and "symbreak" not in name:
        pytest.importorskip("transformers")
    torch.manual_seed(0)
    model, inputs = FAMILIES[name]()
    found = symbreak.study(model.eval(), batches(inputs), taps=["attention", "block"], **QUICK)
    heads = found.heads("attention")
    assert heads.sizes["block"] >= 2 and heads.sizes["label"] == 4
    assert np.isfinite(heads.n_owned_total_p).all() and np.isfinite(heads.potts_order_null).all()
    assert np.isfinite(found.statistics("block").snr.isel(threshold=2)).any()
    assert found.moments("attention").accuracy.max() > 0.3


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build("cct_2_3x1", labels=4, dim=32, heads=4, image_size=16).eval()


@pytest.fixture(scope="module")
def found(network):
    names = ["a,b", "c/d", "$x$", "花"]
    return symbreak.study(
        network, batches(images()), label_names=names, superclass=["u", "u", "v", "v"], **QUICK
    )


def test_study_measures_the_network_and_its_null_models(found, network):
    assert found.taps == ("attention", "attention_rotated", "attention_rotated_within", "block")
    assert found.headed_taps == found.taps[:3]
    moments = found.moments("attention")
    assert json.loads(moments.attrs["config"])["probes"]["trained_on"] == "every second input of a label"
    assert moments.attrs["source"] == "CCT on list" and int(moments["count"].sum()) == 30 - 2
    assert 0 <= float(moments.network_accuracy) <= 1
    assert "filling_count" in found.heads("attention")
    rotated = found.moments("attention_rotated_within").accuracy
    assert np.allclose(rotated, moments.accuracy)  # ridge does not see a rotation
    plain, within = (found.moments(t).head_label_accuracy for t in found.taps[0:3:2])
    assert np.allclose(plain, within)  # nor do heads


def test_tables_of_units_and_the_page_are_written(found, tmp_path):
    folder = found.save(tmp_path / "results")
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "CCT on list" in page and "labels have an owner" in page and page.count("<img") >= 5
    assert "Rotated within" in page
    table = found.units("attention")
    assert set(table.unit) == {"head", "node"}
    heads = table[table.unit == "head"]
    appearance = found.heads("attention").appearance
    assert heads.strength.sum() == int(appearance.sum())
    assert heads.owned.sum() == int(found.heads("attention").n_owned.sum())
    nodes = table[table.unit == "node"]
    assert len(nodes) == int(appearance.sum()) and nodes.strength.between(0.3, 1).all()
    assert (folder / "units" / "block.csv").read_text().startswith("block,unit,number,label,label_name")
    with open_dataset(folder / "heads" / "attention.nc", "heads") as written:
        assert written.attrs["title"] == "heads at attention"


def test_moments_on_disk_are_studied_without_the_network(network, tmp_path):
    for seed in (1, 2):
        found = symbreak.study(network, batches(images()), taps=["attention"], seed=seed, **QUICK)
        table = found.moments("attention")
        path = tmp_path / "net" / f"seed{seed}" / "moments" / "attention.nc"
        write_dataset(path, table, "moments", table.attrs)
    pages = study_files(tmp_path / "net", **QUICK)
    assert [page.parent.name for page in pages] == ["seed1", "seed2", "net"]
    explorer = (tmp_path / "net" / "explorer.html").read_text(encoding="utf-8")
    assert explorer.count('"mean":"') == 4 and '"said":"Block 2: ' in explorer
    with open_dataset(tmp_path / "net" / "heads" / "attention.nc", "heads") as joined:
        assert joined.sizes["seed"] == 2
    with pytest.raises(SymbreakError, match="no moments files"):
        study_files(tmp_path)


def test_training_inputs_may_be_others(network):
    train, validation = batches(images(), count=4), batches(images(), count=9)[4:]
    found = symbreak.study(network, validation, train, taps=["attention"], features=True, **QUICK)
    moments = found.moments("attention")
    assert int(moments["count"].sum()) == 60
    features = found.features("attention")
    assert features.pooled_feature.dims == ("block", "sample", "node")
    mean = features.pooled_feature.sel(block=2).values[features.truth == 3].mean(0)
    pooled = (moments.feature_mean * moments["count"]).sum("fold") / moments["count"].sum("fold")
    assert np.allclose(pooled.sel(block=2, label=3).transpose("node"), mean, atol=1e-5)
    again = symbreak.study(network, validation, train, taps=["attention"], **QUICK)
    assert moments.identical(again.moments("attention").assign_attrs(moments.attrs))
    with pytest.raises(SymbreakError, match="were kept"):
        again.features("attention")


@pytest.mark.parametrize("solver", ["ridge", "lbfgs", "adamw"])
def test_solvers_agree_about_what_is_easy(network, solver):
    found = symbreak.study(network, batches(images(), count=9), taps=["attention"], solver=solver, **QUICK)
    assert (found.moments("attention").accuracy > 0.6).all()


def test_a_class_token_is_pooled_where_there_is_one(network):
    torch.manual_seed(0)
    model, inputs = FAMILIES["torchvision ViT"]()
    options = {"taps": ["attention"], "features": True, **QUICK}
    token = symbreak.study(model, batches(inputs), pooling="cls", **options).features("attention")
    mean = symbreak.study(model, batches(inputs), **options).features("attention")
    assert not np.allclose(token.pooled_feature, mean.pooled_feature)
    with pytest.raises(SymbreakError, match="has no class token"):
        symbreak.study(network, batches(images()), pooling="cls", **QUICK)


def test_padding_never_counts():
    pytest.importorskip("transformers")
    torch.manual_seed(0)
    model, inputs = FAMILIES["BertForSequenceClassification"]()
    short = batches(inputs)
    longer = []
    for given, truth in short:
        ids = nn.functional.pad(given["input_ids"], (0, 4))
        mask = nn.functional.pad(given["attention_mask"], (0, 4))
        longer.append(({"input_ids": ids, "attention_mask": mask}, truth))
    one, two = (
        symbreak.study(model.eval(), data, taps=["attention"], **QUICK).moments("attention")
        for data in (short, longer)
    )
    assert np.allclose(one.feature_mean, two.feature_mean, atol=1e-5)


def test_the_same_network_by_four_ways_has_the_same_results(network, tmp_path):
    """A trained network of ours: as a module, by its file, by a factory, and published as .pth."""
    save(tmp_path / "network.safetensors", network)
    torch.save({"state_dict": official.export_official(network)}, tmp_path / "published.pth")
    (tmp_path / "factory.py").write_text(
        "from symbreak.models import load\n\ndef make(path):\n    return load(path)[0]\n"
    )
    options = {"taps": ["attention"], **QUICK}
    data = batches(images())
    weights = tmp_path / "network.safetensors"
    results = [
        symbreak.study(network, data, **options),
        symbreak.study("cct_2_3x1", data, weights=weights, **options),
        symbreak.study(
            f"python:{tmp_path / 'factory.py'}:make",
            data,
            weights="random",
            options={"path": str(weights)},
            **options,
        ),
        symbreak.study(
            "cct_2_3x1",
            data,
            weights=tmp_path / "published.pth",
            options={"heads": 4, "image_size": 16},
            **options,
        ),
    ]
    first, *others = (result.heads("attention").drop_attrs() for result in results)
    assert all(first.identical(other) for other in others)


class Outputs(nn.Module):
    """Our network with some number of outputs."""

    def __init__(self, network, outputs):
        super().__init__()
        self.network, self.outputs = network, outputs

    def forward(self, pixels):
        return self.network(pixels).repeat(1, 3)[:, : self.outputs]


def test_outputs_that_are_not_those_of_the_labels(network):
    many = symbreak.study(Outputs(network, 9), batches(images()), taps=["attention"], **QUICK)
    assert "network_accuracy" not in many.moments("attention")
    with pytest.raises(SymbreakError, match="3 outputs and the data 4 labels"):
        symbreak.study(Outputs(network, 3), batches(images()), taps=["attention"], **QUICK)


def folder_of_images(root, labels=("rose", "a,b c", "花"), per_label=8, parts=("",), size=20):
    generator = np.random.default_rng(0)
    for part in parts:
        for number, label in enumerate(labels):
            (root / part / label).mkdir(parents=True)
            for index in range(per_label):
                pixels = generator.integers(0, 60 + 80 * number, (size, size + index, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / part / label / f"{index}.png")
    return root


def test_a_folder_of_images_and_one_command(tmp_path, capsys):
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", **(TIMM | {"num_classes": 3}))
    torch.save({"model": model.state_dict()}, tmp_path / "vit.pth")
    data = folder_of_images(tmp_path / "flowers")
    options = [f"{key}={value}" for key, value in (TIMM | {"num_classes": 3}).items()]
    arguments = ["study", "timm:vit_tiny_patch16_224", "--weights", str(tmp_path / "vit.pth")]
    arguments += ["--options", *options, "--data", str(data), "--output", str(tmp_path / "out")]
    status = cli.main([*arguments, "--shuffles", "99", "--taps", "attention"])
    captured = capsys.readouterr()
    assert status == 0 and captured.out.strip() == str(tmp_path / "out" / "page.html")
    assert " Block 2: the heads divide the labels " in captured.err
    with open_dataset(tmp_path / "out" / "moments" / "attention.nc", "moments") as moments:
        assert moments.label_name.values.tolist() == sorted(["rose", "a,b c", "花"])
        assert moments.attrs["source"] == "timm:vit_tiny_patch16_224 on flowers"
    assert cli.main(["study", str(tmp_path / "out"), "--shuffles", "99"]) == 0


def test_five_lines_of_python(tmp_path):
    timm = pytest.importorskip("timm")
    data = folder_of_images(tmp_path / "flowers", parts=("train", "validation"))
    model = timm.create_model("vit_tiny_patch16_224", **(TIMM | {"num_classes": 3}))
    page = symbreak.study(model, data, taps=["attention"], **QUICK).page(tmp_path / "vit.html")
    assert "VisionTransformer on flowers" in page.read_text(encoding="utf-8")


def test_superclasses_of_nested_folders(tmp_path):
    for above in ("plants", "animals"):
        folder_of_images(tmp_path / "data" / above, labels=("small", "large"))
    _, images_ = open_sets(str(tmp_path / "data"), lambda image: torch.zeros(1))
    assert images_.classes == ["animals/large", "animals/small", "plants/large", "plants/small"]
    assert images_.superclasses == ["animals", "animals", "plants", "plants"]


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "LA", "1", "I;16"])
def test_images_of_every_mode_are_read(tmp_path, mode):
    grey = np.tile(np.linspace(0, 255, 12).astype(np.uint8), (9, 1))
    suffix = "jpg" if mode == "CMYK" else "png"
    image = Image.fromarray(grey)
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    image.save(tmp_path / f"image.{suffix}")
    read = read_image(tmp_path / f"image.{suffix}")
    assert read.mode == "RGB" and read.size == (12, 9)
    assert np.asarray(read)[:, -1].mean() > 200 > 60 > np.asarray(read)[:, 0].mean()


def test_images_are_upright(tmp_path):
    image = Image.new("RGB", (12, 9))
    exif = image.getexif()
    exif[0x0112] = 6  # turned by a quarter
    image.save(tmp_path / "image.jpg", exif=exif)
    assert read_image(tmp_path / "image.jpg").size == (9, 12)


def test_broken_images_are_named_or_skipped(tmp_path, capsys):
    timm = pytest.importorskip("timm")
    data = folder_of_images(tmp_path / "data")
    (data / "rose" / "3.png").write_bytes(b"nothing")
    model = timm.create_model("vit_tiny_patch16_224", **(TIMM | {"num_classes": 3}))
    with pytest.raises(SymbreakError, match=r"rose.3\.png cannot be read"):
        symbreak.study(model, data, **QUICK)
    weights = tmp_path / "w.pth"
    torch.save(model.state_dict(), weights)
    options = [f"{key}={value}" for key, value in (TIMM | {"num_classes": 3}).items()]
    arguments = ["study", "timm:vit_tiny_patch16_224", "--weights", str(weights), "--options", *options]
    arguments += ["--data", str(data), "--output", str(tmp_path / "out"), "--on-error", "skip"]
    assert cli.main([*arguments, "--taps", "attention", "--shuffles", "99"]) == 0
    assert "1 of 24 inputs could not be read" in capsys.readouterr().err


def test_arrays_of_a_file(tmp_path, network):
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 4
    pixels = (
        generator.integers(0, 100, (40, 16, 16, 3), dtype=np.uint8)
        + (labels * 40).astype(np.uint8)[:, None, None, None]
    )
    np.savez(tmp_path / "a.npz", images=pixels, labels=labels, label_names=list("abcd"))
    found = symbreak.study(network, tmp_path / "a.npz", taps=["attention"], **QUICK)
    assert found.moments("attention").label_name.values.tolist() == list("abcd")
    np.savez(tmp_path / "b.npz", x_train=pixels, y_train=labels, x_test=pixels, y_test=labels[:, None])
    found = symbreak.study(network, tmp_path / "b.npz", taps=["attention"], **QUICK)
    assert int(found.moments("attention")["count"].sum()) == 40


def test_loaders_of_torch_tell_the_names_of_labels(network):
    data = TensorDataset(images(count=40), torch.arange(40) % 4)
    data.classes = list("wxyz")
    found = symbreak.study(network, DataLoader(data, batch_size=7), taps=["attention"], **QUICK)
    assert found.moments("attention").label_name.values.tolist() == list("wxyz")


def test_import_then_study(tmp_path, capsys):
    generator = np.random.default_rng(0)
    labels = np.arange(120) % 6
    features = generator.normal(size=(6, 24))[labels] + generator.normal(size=(120, 24))
    np.savez(tmp_path / "features.npz", block1=features, block2=features[:, ::-1], labels=labels)
    for seed in (1, 2):
        target = tmp_path / "net" / f"seed{seed}"
        arguments = ["import", str(tmp_path / "features.npz"), "--heads", "4", "--output", str(target)]
        assert cli.main(arguments) == 0
        assert (target / "moments" / "attention.nc").is_file()
    assert cli.main(["study", str(tmp_path / "net"), "--shuffles", "99"]) == 0
    assert str(tmp_path / "net" / "page.html") in capsys.readouterr().out
    assert cli.main(["import", str(tmp_path / "no.npz"), "--output", str(tmp_path)]) == 2


RANDOM = ("--output", "o", "--weights", "random")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --data and --output"),
        (["--data", "d", "--output", "o"], "Say which weights"),
        (
            ["--data", "nothing", *RANDOM],
            "no data at 'nothing'",
        ),
        (
            ["--data", "empty", *RANDOM],
            "holds no images",
        ),
        (
            ["--data", "one", *RANDOM],
            "the label 'a' only",
        ),
        (["--data", "half", *RANDOM], "has train/ only"),
        (
            ["--data", "differ", *RANDOM],
            "different labels",
        ),
        (
            ["--data", "torchvision:No", *RANDOM],
            "no data set 'No'",
        ),
        (
            ["--data", "o.npz", *RANDOM],
            "no file of plain arrays",
        ),
    ],
)
def test_what_cannot_be_studied_is_one_sentence(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    os.makedirs("empty/x")
    folder_of_images(tmp_path / "one", labels=("a",), per_label=2)
    folder_of_images(tmp_path / "half", labels=("a", "b"), per_label=2, parts=("train",))
    folder_of_images(tmp_path / "differ", labels=("a", "b"), per_label=2, parts=("train",))
    folder_of_images(tmp_path / "differ", labels=("a", "c"), per_label=2, parts=("val",))
    np.savez("o.npz", images=np.array([{}], dtype=object), labels=[1])
    assert cli.main(["study", "cct_2_3x1", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ([torch.zeros(2, 3, 16, 16)], "must yield"),
        ([], "has no inputs"),
        ([(torch.zeros(2, 3, 16, 16), torch.tensor([0.5, 1.0]))], "no integers from 0"),
        ([(torch.zeros(8, 3, 16, 16), torch.zeros(8, dtype=torch.int64))], "one label only"),
        ([(torch.zeros(8, 3, 16, 16), torch.tensor([0, 2] * 4))], "no input to train"),
        ([(torch.zeros(3, 3, 16, 16), torch.tensor([0, 1, 1]))], "has 0 inputs to measure"),
        ([(torch.full((8, 3, 16, 16), torch.nan), torch.tensor([0, 1] * 4))], "not finite|not proved"),
    ],
)
def test_loaders_that_do_not_fit_are_one_sentence(network, validation, message):
    with pytest.raises(SymbreakError, match=message) as error:
        symbreak.study(network, validation, taps=["attention"], **QUICK)
    assert "\n" not in str(error.value)


def test_labels_that_training_lacks_are_refused(network):
    train = batches(images(), labels=3)
    with pytest.raises(SymbreakError, match="Label 3 of the validation inputs has no training input"):
        symbreak.study(network, batches(images()), train, taps=["attention"], **QUICK)
