"""Any network is opened at its taps, its heads are proved, and it stays as it was."""

import copy
import importlib.util

import pytest
import torch
from families import FAMILIES, Attending, Encoder, images
from torch import nn

from symbreak import taps
from symbreak.errors import SymbreakError
from symbreak.models import build

OWN_TAPS = [
    "attention_norm",
    "query",
    "key",
    "value",
    "qkv",
    "attention",
    "attention_rotated",
    "attention_rotated_within",
    "projection",
    "projection_skip",
    "feedforward_norm",
    "linear1",
    "linear2",
    "block",
]


def made(name):
    if name.startswith("timm"):
        pytest.importorskip("timm")
    elif name[:2].isupper() is False and importlib.util.find_spec("transformers") is None:
        pytest.importorskip("transformers")
    torch.manual_seed(0)
    model, inputs = FAMILIES[name]()
    return model.eval(), inputs


@pytest.mark.parametrize("name", FAMILIES)
def test_heads_of_every_family_are_proved(name):
    model, inputs = made(name)
    anatomy = taps.find(model)
    assert len(anatomy.heads) == len(anatomy.blocks) >= 2
    assert taps.prove(model, inputs, anatomy) < 1e-5
    assert taps.require_proved(model, inputs) < 1e-5


@pytest.mark.parametrize("name", FAMILIES)
def test_every_tap_of_every_family_is_reached_and_has_one_shape(name):
    model, inputs = made(name)
    anatomy = taps.find(model)
    tokens, output = taps.capture(model, inputs)
    assert set(tokens) == set(anatomy.places()) and output is not None
    for block in range(1, len(anatomy.blocks) + 1):
        shapes = {tap: tokens[block, tap].shape[:2] for tap in anatomy.taps}
        assert len(set(shapes.values())) == 1, shapes
        assert shapes["attention"][0] == 3


@pytest.mark.parametrize("name", FAMILIES)
def test_residual_stream_adds_up(name):
    """Taps of the branches are those of this block: skip connections join them."""
    model, inputs = made(name)
    anatomy = taps.find(model)
    tokens, _ = taps.capture(model, inputs)
    scaled = any(word in name for word in ("Dinov2", "dinov2", "beit", "eva"))  # branches have gains
    for block in range(1, len(anatomy.blocks) + 1):
        if scaled or "linear2" not in anatomy.taps:
            continue
        before = "feedforward_norm" if _replaced(name) else "projection_skip"
        stream = tokens[block, before] + tokens[block, "linear2"]
        if _normed_last(name):
            stream = nn.functional.layer_norm(stream, stream.shape[-1:], eps=1e-12)
        assert torch.allclose(stream, tokens[block, "block"], atol=2e-4)
        first = tokens[block, "linear1"]
        assert first.shape[-1] != stream.shape[-1]


def _replaced(name):
    return _normed_last(name) or name.startswith("CCT")


def _normed_last(name):
    return "Bert" in name or "Roberta" in name or name == "nn.TransformerEncoder batch first"


def test_taps_of_our_own_network_are_those_of_its_definition():
    model, inputs = made("CCT of symbreak")
    assert list(taps.find(model).taps) == OWN_TAPS
    tokens, output = taps.capture(model, inputs)
    assert torch.equal(output, model(inputs))
    block = model.blocks[1]
    stream = tokens[1, "block"]
    attended = tokens[2, "attention"]
    qkv = block.qkv(block.attention_norm(stream))
    assert torch.equal(qkv, tokens[2, "qkv"])
    assert torch.equal(qkv.chunk(3, dim=-1)[1], tokens[2, "key"])
    assert torch.equal(stream + block.projection(attended), tokens[2, "projection_skip"])
    assert torch.equal(block.linear2(tokens[2, "linear1"]), tokens[2, "linear2"])
    assert torch.equal(tokens[2, "feedforward_norm"] + tokens[2, "linear2"], tokens[2, "block"])


def test_filters_of_our_own_convolutional_networks():
    model = build("resnet_20", labels=5, image_size=16).eval()
    anatomy = taps.find(model)
    assert anatomy.taps == ("filters",) and anatomy.heads == ()
    tokens, _ = taps.capture(model, images(), [(9, "filters")])
    assert tokens[9, "filters"].shape == (3, 16, 64)
    with pytest.raises(SymbreakError, match="nothing to prove"):
        taps.prove(model, images())


@pytest.mark.parametrize("name", [n for n in FAMILIES if "win" in n.lower()])
def test_windows_go_back_to_their_image(name):
    """The output projection acts on each token alone: put back, it is what the skip connection adds."""
    model, inputs = made(name)
    tokens, _ = taps.capture(model, inputs)
    anatomy = taps.find(model)
    checked = 0
    for block in range(2, len(anatomy.blocks) + 1):
        before, after = tokens[block - 1, "block"], tokens.get((block, "projection_skip"))
        if after is not None and before.shape == after.shape:
            assert torch.allclose(before + tokens[block, "projection"], after, atol=1e-5)
            checked += 1
    assert checked or "swinv2" in name


def state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def traces(model):
    hooks = [
        (len(m._forward_hooks), len(m._forward_pre_hooks), m.training, m._compiled_call_impl)
        for m in model.modules()
    ]
    return hooks, torch.backends.mha.get_fastpath_enabled(), nn.functional.scaled_dot_product_attention


@pytest.mark.parametrize("name", ["nn.TransformerEncoder batch first", "BertForSequenceClassification"])
def test_nothing_stays_in_the_network(name):
    model, inputs = made(name)
    model.train()
    next(model.children()).eval()  # modes that differ are put back one by one
    before, kept = traces(model), state(model)
    taps.capture(model, inputs)
    taps.prove(model, inputs)
    with pytest.raises(RuntimeError, match="stop"), taps.opened(model, None, _stop) as run:
        run(inputs)
    assert traces(model) == before
    assert all(torch.equal(kept[k], v) for k, v in model.state_dict().items())


def _stop(place, tensor):
    raise RuntimeError("stop")


def test_statistics_of_batch_norm_stay():
    model = build("resnet_20", labels=5, image_size=16).train()
    kept = state(model)
    taps.capture(model, images())
    assert model.training and all(torch.equal(kept[k], v) for k, v in model.state_dict().items())


def test_attention_that_is_asked_for_weights_gives_them_and_its_heads():
    model, inputs = made("nn.MultiheadAttention")
    tokens, (output, weights) = taps.capture(model, inputs)
    expected, expected_weights = model(inputs)
    assert torch.equal(output, expected) and torch.equal(weights, expected_weights)
    layer = model.layers[0]
    projected = layer.out_proj(tokens[1, "attention"])
    assert torch.allclose(projected, tokens[1, "projection"], atol=1e-6)


def test_a_stream_is_opened_once_for_many_passes():
    model, _ = made("CCT of symbreak")
    sums = {}

    def add(place, tokens):
        sums[place] = sums.get(place, 0) + tokens.mean(1).sum(0)

    batches = images(count=6).split(2)
    with taps.opened(model, [(1, "attention"), (2, "block")], add) as run:
        outputs = [run(batch) for batch in batches]
    tokens, output = taps.capture(model, images(count=6), [(2, "block")])
    assert torch.allclose(torch.cat(outputs), output, atol=1e-6)
    assert torch.allclose(sums[2, "block"], tokens[2, "block"].mean(1).sum(0), atol=1e-5)


def test_wrapped_networks_are_opened_within():
    model, inputs = made("CCT of symbreak")
    tokens, _ = taps.capture(torch.compile(nn.DataParallel(model)), inputs, [(1, "attention")])
    assert torch.equal(tokens[1, "attention"], taps.capture(model, inputs)[0][1, "attention"])


class Layer(nn.Module):
    """Attention of somebody's own, gated or normalised across heads if asked for."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.norm = kind, nn.LayerNorm(16)
        self.qkv, self.out, self.gate = nn.Linear(16, 48), nn.Linear(16, 16), nn.Linear(16, 16)
        self.mix = nn.Linear(4, 4)

    def forward(self, tokens):
        query, key, value = self.qkv(tokens).unflatten(-1, (3, 4, 4)).permute(2, 0, 3, 1, 4)
        weights = (query @ key.transpose(-1, -2) / 2).softmax(-1)
        if self.kind == "talking":
            weights = self.mix(weights.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        heads = (weights @ value).transpose(1, 2)
        if self.kind == "scrambled":
            heads = heads.transpose(2, 3)
        heads = heads.flatten(2)
        if self.kind == "gated":
            heads = heads * self.gate(tokens).sigmoid()
        if self.kind == "normalised":
            heads = self.norm(heads)
        return tokens + self.out(heads)


def stacked(kind):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), Layer(kind), Layer(kind)).eval(), torch.randn(2, 5, 8)


def test_patterns_open_any_network():
    model, inputs = stacked("plain")
    patterns = {
        "attention": {"module": "{block}.out", "side": "input", "heads": 4},
        "key": {"module": "{block}.qkv", "part": (1, 3), "heads": 4},
    }
    anatomy = taps.find(model, patterns)
    assert anatomy.blocks == ("1", "2") and anatomy.heads == (4, 4)
    assert taps.require_proved(model, inputs, anatomy) < 1e-5
    tokens, _ = taps.capture(model, inputs, anatomy=anatomy)
    assert torch.equal(tokens[2, "key"], model[2].qkv(model[1](model[0](inputs)))[..., 16:32])


@pytest.mark.parametrize("kind", ["gated", "normalised", "talking", "scrambled"])
def test_heads_that_are_none_are_refused(kind):
    model, inputs = stacked(kind)
    anatomy = taps.find(model, {"attention": {"module": "{block}.out", "side": "input", "heads": 4}})
    with pytest.raises(SymbreakError, match="The heads of block 1 at attention are not proved, "):
        taps.require_proved(model, inputs, anatomy)


def test_a_wrong_number_of_heads_is_refused():
    model, inputs = stacked("plain")
    for heads, message in ((2, "not proved"), (3, "do not divide into 3 heads")):
        anatomy = taps.find(model, {"attention": {"module": "{block}.out", "side": "input", "heads": heads}})
        with pytest.raises(SymbreakError, match=message):
            taps.require_proved(model, inputs, anatomy)


def test_timm_attention_normalised_across_heads_is_refused():
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    options = {"img_size": 16, "patch_size": 4, "embed_dim": 32, "num_heads": 4, "depth": 2}
    model = timm.create_model("vit_tiny_patch16_224", scale_attn_norm=True, **options).eval()
    with pytest.raises(SymbreakError, match="norm across heads"):
        taps.require_proved(model, images())


def test_attention_that_calls_no_module_is_refused():
    from torchvision.models.swin_transformer import SwinTransformer

    model = SwinTransformer([2, 2], 16, [2], [2], [4, 4]).eval()
    with pytest.raises(SymbreakError, match=r"features.1.0.attn.proj was not reached"):
        taps.require_proved(model, images(32))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = Layer("plain")

    def forward(self, tokens):
        return self.layer(self.layer(tokens))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: taps.find(nn.Linear(2, 2)), "no attention that is known"),
        (lambda: taps.find(nn.Linear(2, 2), {}), "No tap is named"),
        (lambda: taps.find(nn.Linear(2, 2), {"a": {"module": "x"}}), "no module is called 'x'"),
        (lambda: taps.find(nn.Linear(2, 2), {"a": {"path": "x"}}), "unknown key 'path'"),
        (lambda: taps.find(nn.Linear(2, 2), {"a": {"side": "input"}}), "names no `module`"),
        (lambda: taps.find(nn.Linear(2, 2), {"a": {"module": "", "side": "left"}}), "choose among input"),
        (lambda: taps.find(nn.Linear(2, 2), {"a": {"module": "", "heads": 0}}), "1 or more"),
        (lambda: taps.find(nn.Linear(2, 2), {"a b": {"module": ""}}), "cannot name a tap"),
        (lambda: taps.find(nn.Linear(2, 2), {"a": {"module": "", "layout": "windows"}}), "name the `block`"),
        (lambda: taps.find(nn.Linear(2, 2), within="x"), "no part 'x'"),
        (
            lambda: taps.capture(Attending(), torch.zeros(1, 2, 32), [(3, "attention")]),
            "no tap 'attention' in block 3",
        ),
        (lambda: taps.find(Attending()).places(["filters"]), "no tap 'filters'"),
    ],
)
def test_bad_requests_are_one_sentence(call, message):
    with pytest.raises(SymbreakError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_layers_that_share_weights_are_refused():
    patterns = {"attention": {"module": "layer.out", "side": "input", "heads": 4}}
    model = Shared()
    with pytest.raises(SymbreakError, match="used twice in a pass"):
        taps.capture(model, torch.randn(1, 3, 16), anatomy=taps.find(model, patterns))


def test_two_encoders_need_a_choice():
    model = nn.ModuleDict({"left": Encoder(True, True), "right": Encoder(True, True)})
    with pytest.raises(SymbreakError, match="2 places"):
        taps.find(model)
    assert taps.find(model, within="right").blocks == ("right.encoder.layers.0", "right.encoder.layers.1")


def test_grouped_queries_have_fewer_heads_of_keys():
    model, _ = made("LlamaForSequenceClassification")
    anatomy = taps.find(model)
    assert anatomy.heads_at("query") == (4, 4) and anatomy.heads_at("key") == (2, 2)


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("timm deit_tiny_distilled_patch16_224", 2),
        ("timm vit_small_patch14_reg4_dinov2", 5),
        ("Dinov2WithRegistersForImageClassification", 3),
        ("DeiTForImageClassificationWithTeacher", 2),
        ("CLIPVisionModel", 1),
        ("torchvision ViT", 1),
        ("timm swin_tiny_patch4_window7_224", 0),
        ("BertForSequenceClassification", 0),
    ],
)
def test_tokens_before_those_of_the_image_are_counted(name, tokens):
    model, _ = made(name)
    assert taps.find(model).prefix == tokens


def test_rotation_within_heads_keeps_what_heads_say():
    model, inputs = made("CCT of symbreak")
    tokens, _ = taps.capture(model, inputs)
    plain, rotated = (tokens[1, t].unflatten(-1, (4, 8)) for t in ("attention", "attention_rotated_within"))
    assert torch.allclose(plain.norm(dim=-1), rotated.norm(dim=-1), atol=1e-5)
    assert not torch.allclose(plain, rotated, atol=1e-2)


def test_deep_copies_are_opened_alike():
    model, inputs = made("nn.TransformerEncoder norm first")
    one, two = (taps.capture(m, inputs)[0] for m in (model, copy.deepcopy(model)))
    assert all(torch.equal(one[place], two[place]) for place in one)
