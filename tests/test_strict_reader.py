"""What is written is what is read: in a file, in --config, and by the JSON schema."""

import json

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from symbreak.config import Experiment, combine, dump, parse, read, strict
from symbreak.config.documentation import json_schema
from symbreak.errors import SymbreakError

GOOD = {"name": "mine", "networks": {"small": {"dim": 64}}}
SCHEMA = jsonschema.Draft202012Validator(json.loads(json_schema()))


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("seeds: [010, 011]", "seeds", [10, 11]),
        ("probes: {batch_size: 010}", "probes.batch_size", 10),
        ("probes: {learning_rate: 1e-3}", "probes.learning_rate", 1e-3),
        ("probes: {learning_rate: 1E-3, epochs: 2e1}", "probes.epochs", 20),
        ("measurement: {batch_size: +64}", "measurement.batch_size", 64),
        ("committee: ~", "committee", None),
        ("committee:", "committee", None),
        ("data: {train_per_label: Null}", "data.train_per_label", None),
        ("data: {download: FALSE}", "data.download", False),
        ("title: 12:30", "title", "12:30"),
        ("title: 2024-06-01", "title", "2024-06-01"),
        ("title: yes", "title", "yes"),
        ("title: '010'", "title", "010"),
        ("title: !!str 010", "title", "010"),
        ("latency: {batches: [1, 0x_]}", None, "integer"),
        ("probes: {batch_size: 0x10}", None, "'0x10'"),
        ("probes: {batch_size: 0o10}", None, "'0o10'"),
        ("probes: {batch_size: 1_0}", None, "'1_0'"),
        ("probes: {batch_size: 1:40}", None, "'1:40'"),
        ("probes: {batch_size: on}", None, "'on'"),
        ("probes: {batch_size: !!int 5}", None, "tag"),
        ("training: {mixup: on}", None, "'on'"),
        ("training: {mixup: true}", None, "True"),
        ("data: {download: 1}", None, "true or false"),
        ("data: {download: on}", None, "true or false"),
        ("compute: {compile: yes}", None, "true or false"),
        ("probes: {learning_rate: .inf}", None, "finite"),
        ("probes: {learning_rate: .NaN}", None, "finite"),
        ("heads: {ratio: '2'}", None, "without quotes"),
        ("title: 7", None, "put it in quotes"),
        ("title: null", None, "put it in quotes"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(tmp_path, text, place, value):
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: mine\nnetworks: {{small: {{dim: 64}}}}\n{text}\n")
    if place is None:
        with pytest.raises(SymbreakError, match=value):
            read(path)
        return
    found = read(path).model_dump()
    for key in place.split("."):
        found = found[key]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("name", ["2024_06", "no", "on", "1e3x", "0x1f", "NO", "y"])
def test_names_that_yaml_1_1_takes_for_values_are_names(tmp_path, name):
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: {name}\nnetworks: {{{name}: {{dim: 64}}}}\n")
    experiment = read(path)
    assert experiment.name == name and list(experiment.networks) == [name]
    path.write_text(dump(experiment.model_dump(mode="json")))  # and so do the jobs of the workflow
    assert read(path) == experiment
    assert yaml.safe_load(path.read_text()) == experiment.model_dump(mode="json")


@pytest.mark.parametrize("name", ["123", "1e3", "true", "null", "007"])
def test_names_that_are_numbers_are_kept_as_keys_and_refused_as_values(tmp_path, name):
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: {name}\nnetworks: {{{name}: {{dim: 64}}}}\n")
    with pytest.raises(SymbreakError, match=r"`name` .* put it in quotes"):
        read(path)
    path.write_text(f"name: '{name}'\nnetworks: {{{name}: {{dim: 64}}}}\n")
    experiment = read(path)
    assert experiment.name == name and list(experiment.networks) == [name]
    path.write_text(dump(experiment.model_dump(mode="json")))
    assert read(path) == experiment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("networks:\n  a: {dim: 64}\n  b: {}\n  a: {dim: 32}", "`networks.a` comes twice, in lines 2 and 4"),
        ("training: {epochs: 30}\nnetworks: {a: {}}\ntraining:\n  mixup: 0", "`training` .* lines 1 and 3"),
        ("data: {seed: 1, 'seed': 2}", "`data.seed` comes twice, in line 1"),
        ("networks: {1: {}, '1': {}}", r"`networks\.1` comes twice"),
        (
            "pruning:\n  studies:\n    a:\n      kept: [0.1]\n      kept: [0.2]",
            r"`pruning\.studies\.a\.kept`",
        ),
    ],
)
def test_a_key_given_twice_is_refused_with_its_lines(tmp_path, text, words):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(SymbreakError, match=words):
        read(tmp_path / "mine.yaml")


def test_merged_mappings_give_way_to_own_keys():
    text = "a: &a {dim: 32, heads: 4}\nb: &b {heads: 8, mlp_ratio: 1}\nc:\n  <<: [*a, *b]\n  dim: 64\n"
    assert strict.load(text, "x")["c"] == yaml.safe_load(text)["c"] == {"dim": 64, "heads": 4, "mlp_ratio": 1}


@pytest.mark.parametrize(
    ("given", "words", "same"),
    [
        ({"data": {"seed": "3"}}, "data={seed: 3}", "data: {seed: 3}"),
        ({"committee": "null"}, "committee=null", "committee: null"),
        (
            {"data": {"train_per_label": "null"}},
            "data={train_per_label: null}",
            "data: {train_per_label: null}",
        ),
        ({"seeds": ["010", "11"]}, "seeds=[010, 11]", "seeds: [010, 11]"),
        ({"training": {"mixup": "1e-3"}}, "training={mixup: 1e-3}", "training: {mixup: 1e-3}"),
        ({"data": {"download": "false"}}, "data={download: false}", "data: {download: false}"),
        ({"title": "123"}, "title='123'", "title: '123'"),
        ({"compute": {"compile": "auto"}}, "compute={compile: auto}", "compute: {compile: auto}"),
        (
            {"networks": {"small": {"heads": ["2"] * 7}}},
            "x",
            "networks: {small: {heads: [2, 2, 2, 2, 2, 2, 2]}}",
        ),
    ],
)
def test_a_command_line_means_what_the_file_means(tmp_path, given, words, same):
    path = tmp_path / "base.yaml"
    path.write_text(dump(GOOD))
    asked = strict.load(same, "a file")
    expected = parse(combine([path], {}) | {k: v for k, v in asked.items() if k != "networks"})
    found = parse(combine([path], given, ["snakemake", "--config", words]))
    if "networks" in asked:
        assert found.networks["small"].heads == asked["networks"]["small"]["heads"]
        assert found.networks["small"].dim == 64  # laid over the file, key by key
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["data={seed: 1, seed: 2}"], r"--config data: the key `seed` comes twice"),
        (["seeds=[1]", "seeds=[2]"], r"--config gives the key `seeds` twice"),
        (["data={seed: 1"], r"--config data is not YAML"),
    ],
)
def test_command_lines_are_read_strictly(words, refusal):
    with pytest.raises(SymbreakError, match=refusal):
        combine([], {}, ["snakemake", "--config", *words])


def test_an_empty_argument_is_refused():
    with pytest.raises(SymbreakError, match="write committee=null"):
        combine([], {"committee": None})


def test_numbers_that_snakemake_made_of_a_name_are_refused():
    with pytest.raises(SymbreakError, match=r"`name` .* got 202406; put it in quotes"):
        parse(combine([], {**GOOD, "name": 202406}))


#: Where a value may stand, with what else the place needs to be possible.
PLACES = [
    (section, key)
    for section, part in parse(GOOD).model_dump().items()
    for key in (part if isinstance(part, dict) and section != "networks" else [None])
] + [("networks", key) for key in parse(GOOD).networks["small"].model_dump()]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 200), st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 1.0, 2.0, 1e-3, 1e30, 2.0**63, 10**30]),
    st.sampled_from(["on", "yes", "1", "1e-3", "auto", "null", "", "last"]),
    st.sampled_from(["cosine", "x" * 65, "a\n", "../x", "tables"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1", max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(PLACES), VALUES)
def test_reader_and_schema_accept_the_same_values(place, value):
    """Only where keys depend on each other does the reader refuse more: those are rules in words."""
    section, key = place
    if key is not None and section == "networks":
        asked = GOOD | {"networks": {"small": {"dim": 64} | {key: value}}}
    else:
        asked = GOOD | {section: value if key is None else {key: value}}
    problems = list(SCHEMA.iter_errors(asked))
    try:
        Experiment.model_validate(asked)
    except ValidationError as error:
        rules = all(problem["type"] in ("value_error", "rule") for problem in error.errors())
        assert problems or rules, (asked, error)
    else:
        assert not problems, (asked, problems[0].message)
    text = json.dumps(asked)
    assert strict.load(text, "JSON") == asked
