"""Networks by their name, weights from files as people have them."""

import argparse
import pickle
import sys

import numpy as np
import pytest
import torch
from families import SHAPE, images
from safetensors.torch import save_file
from torch import nn

from symbreak.errors import SymbreakError
from symbreak.models import build, official, save
from symbreak.models.foreign import resolve
from symbreak.models.tensors import read_tensors

TIMM = {"img_size": 16, "patch_size": 4, "embed_dim": 32, "num_heads": 4, "depth": 2, "num_classes": 5}


def timm_vit(**options):
    timm = pytest.importorskip("timm")
    torch.manual_seed(3)
    return timm.create_model("vit_tiny_patch16_224", **(TIMM | options)).eval()


def outputs(network, inputs=None):
    with torch.no_grad():
        return network(images() if inputs is None else inputs)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"state_dict": s, "epoch": 3, "args": argparse.Namespace(lr=0.1)},
        lambda s: {"model": {f"module.{k}": v for k, v in s.items()}, "best": np.float64(0.5)},
        lambda s: {"model_ema": {f"_orig_mod.module.{k}": v for k, v in s.items()}},
        lambda s: {
            "state_dict_ema": {f"module.{k}": v for k, v in s.items()} | {"n_averaged": torch.tensor(3)}
        },
    ],
)
def test_weights_of_timm_in_wrappers_that_people_have(tmp_path, wrap):
    model = timm_vit()
    torch.save(wrap(model.state_dict()), tmp_path / "weights.pth")
    found = resolve("timm:vit_tiny_patch16_224", tmp_path / "weights.pth", TIMM)
    assert torch.equal(outputs(found.model), outputs(model))
    assert not found.model.training


def test_safetensors_and_the_transform_of_timm(tmp_path):
    from PIL import Image

    model = timm_vit()
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    found = resolve("timm:vit_tiny_patch16_224", tmp_path / "weights.safetensors", TIMM)
    assert torch.equal(outputs(found.model), outputs(model))
    assert found.transform(Image.new("RGB", (50, 40), "red")).shape == (3, 16, 16)
    assert found.facts == {"weights": str(tmp_path / "weights.safetensors")}


def test_of_several_state_dicts_one_must_be_named(tmp_path):
    model, path = timm_vit(), tmp_path / "both.pth"
    zeros = {name: torch.zeros_like(tensor) for name, tensor in model.state_dict().items()}
    torch.save({"model": zeros, "model_ema": model.state_dict()}, path)
    with pytest.raises(SymbreakError, match=r"several state dicts \(model, model_ema\); name one"):
        resolve("timm:vit_tiny_patch16_224", path, TIMM)
    found = resolve("timm:vit_tiny_patch16_224", f"{path}#model_ema", TIMM)
    assert torch.equal(outputs(found.model), outputs(model))
    with pytest.raises(SymbreakError, match="no entry 'x'"):
        read_tensors(f"{path}#x")


def test_positions_of_another_image_size(tmp_path):
    torch.save(timm_vit(img_size=24).state_dict(), tmp_path / "w.pth")
    with pytest.raises(SymbreakError, match="ask for `positions: interpolate`"):
        resolve("timm:vit_tiny_patch16_224", tmp_path / "w.pth", TIMM)
    found = resolve("timm:vit_tiny_patch16_224", tmp_path / "w.pth", TIMM, positions="interpolate")
    from timm.layers import resample_abs_pos_embed

    expected = resample_abs_pos_embed(timm_vit(img_size=24).pos_embed, (4, 4), num_prefix_tokens=1)
    assert torch.allclose(found.model.pos_embed, expected, atol=1e-6)


def test_weights_that_do_not_fit_are_named(tmp_path):
    state = timm_vit().state_dict()
    state["extra"] = state.pop("head.bias")
    state["head.weight"] = torch.zeros(7, 32)
    torch.save(state, tmp_path / "w.pth")
    message = r"1 missing \(head.bias\); 1 unexpected \(extra\); 1 of another shape \(head.weight \(7, 32\)"
    with pytest.raises(SymbreakError, match=message):
        resolve("timm:vit_tiny_patch16_224", tmp_path / "w.pth", TIMM)


class Malice:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda path: torch.save({"model": Malice()}, path), "could run programs"),
        (
            lambda path: path.write_bytes(pickle.dumps({"a": 1})),
            "not a readable checkpoint|no state dict|programs",
        ),
        (lambda path: path.write_bytes(b"nonsense"), "not a readable checkpoint|could run programs"),
        (lambda path: torch.save({"state_dict": {}}, path), "no state dict of tensors"),
        (lambda path: torch.save([torch.zeros(1)], path), "no state dict of tensors"),
    ],
)
def test_files_that_are_no_weights_are_refused(tmp_path, capsys, content, message):
    path = tmp_path / "w.pth"
    content(path)
    with pytest.raises(SymbreakError, match=message) as error:
        read_tensors(path)
    assert "\n" not in str(error.value) and capsys.readouterr().out == ""


def test_torchvision_by_name(tmp_path):
    torch.manual_seed(0)
    found = resolve("torchvision:resnet18", options={"num_classes": 5})
    save_file(found.model.state_dict(), tmp_path / "w.safetensors")
    again = resolve("torchvision:resnet18", tmp_path / "w.safetensors", {"num_classes": 5})
    assert torch.equal(outputs(found.model, images(32)), outputs(again.model, images(32)))
    assert found.transform is not None


def test_transformers_by_folder(tmp_path):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.ViTConfig(image_size=16, patch_size=4, num_labels=5, **SHAPE)
    model = transformers.ViTForImageClassification(config).eval()
    model.save_pretrained(tmp_path / "vit")
    found = resolve(f"transformers:{tmp_path / 'vit'}", "pretrained")
    assert torch.equal(outputs(found.model).logits, outputs(model).logits)
    assert found.transform is None  # no processor lies there
    config.architectures = ["ViTForImageClassification"]
    transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(tmp_path / "bare")
    bare = transformers.AutoConfig.from_pretrained(tmp_path / "bare")
    bare.architectures = ["ViTForImageClassification"]
    bare.save_pretrained(tmp_path / "bare")
    with pytest.raises(SymbreakError, match="which would stay random"):
        resolve(f"transformers:{tmp_path / 'bare'}", "pretrained")


def test_factories_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "mynet.py").write_text(
        "from torch import nn\n\ndef make(width=4):\n    return nn.Linear(width, 2)\n\n"
        "def wrong():\n    return 1\n"
    )
    found = resolve(f"python:{tmp_path / 'mynet.py'}:make", options={"width": 3})
    assert found.model.in_features == 3
    monkeypatch.syspath_prepend(str(tmp_path))
    assert resolve("python:mynet:make").model.in_features == 4
    with pytest.raises(SymbreakError, match=r"gave int, not a torch\.nn\.Module"):
        resolve("python:mynet:wrong")
    with pytest.raises(SymbreakError, match="has no 'other'"):
        resolve("python:mynet:other")


def test_our_own_weights_and_published_ones_give_one_network(tmp_path):
    torch.manual_seed(0)
    model = build("cct_2_3x1", labels=5, dim=32, heads=2, image_size=16).eval()
    save(tmp_path / "network.safetensors", model)
    torch.save({"state_dict": official.export_official(model)}, tmp_path / "published.pth")
    ours = resolve("cct_2_3x1", tmp_path / "network.safetensors").model
    options = {"heads": 2, "image_size": 16}
    published = resolve("cct_2_3x1", tmp_path / "published.pth", options).model
    assert torch.equal(outputs(ours), outputs(published))
    with pytest.raises(SymbreakError, match="does not tell its number of heads"):
        resolve("cct_2_3x1", tmp_path / "published.pth", {"image_size": 16})
    with pytest.raises(SymbreakError, match="not cct_7_3x1; name it so"):
        resolve("cct_7_3x1", tmp_path / "network.safetensors")


def test_module_objects_are_taken_as_they_are():
    model = nn.Linear(2, 2)
    assert resolve(model).model is model


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("hub:x", {}, "no source 'hub'"),
        ("timm:vit_tiny_patch17", {}, "timm has no network 'vit_tiny_patch17'; it has vit_"),
        ("torchvision:nothing", {}, "no classifier 'nothing'"),
        ("transformers:/nowhere/at/all", {}, "Cannot build the network"),
        ("python:x", {}, "names no factory"),
        ("python:nowhere.py:make", {}, "no file nowhere.py"),
        ("python:no_such_package:make", {}, "No module named"),
        ("timm:vit_tiny_patch16_224", {"depth": "x"}, "Cannot build the network"),
        ("cct_7_3x1", {"heads": 3}, "heads"),
    ],
)
def test_impossible_names_are_one_sentence(name, options, message):
    if name.startswith(("timm", "transformers")):
        pytest.importorskip(name.split(":")[0])
    with pytest.raises(SymbreakError, match=message) as error:
        resolve(name, options=options)
    assert "\n" not in str(error.value)


def test_a_missing_library_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(
        SymbreakError, match=r"timm is not installed; get it by `pip install 'symbreak\[timm\]'`"
    ):
        resolve("timm:vit_tiny_patch16_224")


def test_weights_are_never_invented():
    with pytest.raises(SymbreakError, match="publishes no weights"):
        resolve("cct_7_3x1", "pretrained")
    with pytest.raises(SymbreakError, match=r"There are no weights at nowhere\.pth"):
        resolve("cct_7_3x1", "nowhere.pth")
