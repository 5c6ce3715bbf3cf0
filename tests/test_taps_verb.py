"""The verb `taps` prints where a network can be opened, and refuses heads that are none."""

import pytest
from families import FAMILIES

from symbreak import cli, taps

TIMM = ["--options", "img_size=16", "patch_size=4", "embed_dim=32", "num_heads=4", "depth=2"]


def test_a_network_of_timm(capsys):
    pytest.importorskip("timm")
    assert cli.main(["taps", "timm:vit_tiny_patch16_224", *TIMM]) == 0
    said = capsys.readouterr().out
    assert "2 × ViT of timm; 1 tokens" in said and "block 2   blocks.1" in said and "4 heads" in said
    assert "input of blocks.0.attn.proj" in said and "Heads are proved" in said


def test_a_network_without_heads(capsys):
    assert cli.main(["taps", "resnet_20"]) == 0
    assert "No head is told apart" in capsys.readouterr().out


def test_patterns_of_a_file(tmp_path, capsys):
    path = tmp_path / "taps.yaml"
    path.write_text('attention: {module: "blocks.{block}.projection", side: input, heads: 4}\n')
    assert cli.main(["taps", "cct_2_3x1", "--options", "dim=32", "--patterns", str(path)]) == 0
    assert "2 × patterns" in capsys.readouterr().out
    path.write_text("- attention\n")
    assert cli.main(["taps", "cct_2_3x1", "--patterns", str(path)]) == 2
    assert "holds no patterns" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["timm:xcit_nano_12_p8_224"], "blocks in 2 places"),
        (["torchvision:swin_t"], "features.1.0.attn.proj was not reached"),
        (["timm:nothing"], "timm has no network"),
        (["cct_2_3x1", "--options", "dim"], "is not KEY=VALUE"),
        (["cct_2_3x1", "--within", "tail"], "no part 'tail'"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(arguments, message, capsys):
    if arguments[0].startswith("timm"):
        pytest.importorskip("timm")
    assert cli.main(["taps", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "name", ["BertForSequenceClassification", "Dinov2ForImageClassification", "CCT of symbreak"]
)
def test_example_inputs_fit_the_network(name):
    if name[0] != "C":
        pytest.importorskip("transformers")
    model, _ = FAMILIES[name]()
    example = taps.example_inputs(model)
    assert taps.prove(model, example) < 1e-5
    assert (example["input_ids"] if isinstance(example, dict) else example).shape[0] == 2
