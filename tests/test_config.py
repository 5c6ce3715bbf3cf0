"""Experiment files: defaults, refusals in one sentence, one source for schema and docs."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from symbreak.cli.documentation import markdown as commands_markdown
from symbreak.config import TAPS, Experiment, dump, parse, read
from symbreak.config.documentation import json_schema, markdown
from symbreak.errors import SymbreakError
from symbreak.store.documentation import markdown as files_markdown

ROOT = Path(__file__).parents[1]
GOOD = {"name": "mine", "networks": {"small": {"dim": 64}}}
SHIPPED = sorted(path for path in (ROOT / "config").glob("*.yaml") if not path.is_symlink())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_experiments_are_valid_and_named_like_their_file(path):
    experiment = read(path)
    assert experiment.name == path.stem
    jsonschema.validate(yaml.safe_load(path.read_text()), json.loads(json_schema()))


def test_generated_files_are_up_to_date():
    assert (ROOT / "workflow/schemas/config.schema.json").read_text() == json_schema(), "run `make docs`"
    assert (ROOT / "docs/configuration.md").read_text() == markdown(), "run `make docs`"
    assert (ROOT / "docs/data-format.md").read_text() == files_markdown(), "run `make docs`"
    assert (ROOT / "docs/commands.md").read_text() == commands_markdown(), "run `make docs`"


def test_every_key_is_documented():
    for name, field in Experiment.model_fields.items():
        section = field.annotation
        keys = getattr(section, "model_fields", {name: field})
        for key, inner in keys.items():
            assert inner.description or hasattr(inner.annotation, "model_fields"), (name, key)


def test_settings_round_trip(tmp_path):
    experiment = parse(GOOD)
    (tmp_path / "mine.yaml").write_text(dump(experiment.model_dump(mode="json")))
    assert read(tmp_path / "mine.yaml") == experiment


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sedes": [1]}, ["`sedes`", "did you mean `seeds`"]),
        ({"training": {"epocs": 3}}, ["`training.epocs`", "did you mean `epochs`"]),
        ({"networks": {"small": {"dmi": 64}}}, ["`networks.small.dmi`", "did you mean `dim`"]),
        (
            {"networks": {"small": {"dim": 64, "heads": 5}}},
            ["`networks.small`", "64", "heads = 5", "divisor"],
        ),
        ({"networks": {}}, ["`networks`"]),
        ({"seeds": ["one"]}, ["`seeds.0`", "integer", "'one'"]),
        ({"seeds": [1.5]}, ["`seeds.0`", "integer"]),
        ({"seeds": [1, 1]}, ["`seeds`", "twice"]),
        ({"seeds": []}, ["`seeds`"]),
        ({"name": "../elsewhere"}, ["`name`"]),
        ({"name": "a b; rm -rf $(x)"}, ["`name`"]),
        ({"training": {"epochs": 5}}, ["`training`", "warmup_epochs"]),
        ({"probes": {"taps": ["blok"]}}, ["`probes.taps.0`", "block"]),
        ({"data": {"name": "imagenet"}}, ["`data.name`", "cifar100"]),
        ({"training": 3}, ["`training`"]),
    ],
)
def test_wrong_keys_and_values_are_named_in_one_sentence(change, words):
    with pytest.raises(SymbreakError) as caught:
        parse(GOOD | change, "config/mine.yaml")
    message = str(caught.value)
    assert message.startswith("config/mine.yaml") and "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("text", ["", "- 1\n", "a: [", "name: \x00", "42", "{" * 3000])
def test_what_is_no_experiment_is_refused(tmp_path, text):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(SymbreakError, match=r"broken\.yaml"):
        read(path)


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(SymbreakError, match="check the path"):
        read(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(SymbreakError, match="not a text file"):
        read(tmp_path / "binary.yaml")


def test_taps_are_listed_in_the_reference_page():
    page = markdown()
    assert all(tap in page for tap in TAPS)
