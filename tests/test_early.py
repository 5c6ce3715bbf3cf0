"""Settings that cannot end well, and names that would clash, are refused when the experiment is read."""

import pytest
import torch
from tiny import SETTINGS

from symbreak.config import Network, Study, parse
from symbreak.errors import SymbreakError

SMALL = SETTINGS["networks"]["small"]


def named(*names):
    return {"networks": dict.fromkeys(names, SMALL)}


def study(**keys):
    return {"pruning": {"studies": {"one": keys}}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        # names that are those of results, or too alike
        *(
            (named(name), "results")
            for name in ("committee.nc", "report.html", "papers.HTML", "Tables", "logs")
        ),
        *((named(name), "results") for name in ("experiment.yaml", "head_networks.csv", "a.png", "figures")),
        (named("cct", "CCT"), "cct and CCT are too alike"),
        (named("a.b", "axb"), "a.b and axb are too alike"),
        ({"pruning": {"studies": {"silencing": {}}}}, "silencing, a file of results"),
        ({"pruning": {"studies": {"last": {}, "Last": {}}}}, "last and Last"),
        ({"committee": {"groups": {"small": ["small"]}}}, "name of a network as well"),
        ({"committee": {"groups": {"A": ["small"], "a": ["small"]}}}, "A and a are too alike"),
        # two settings of one name
        (study(kept=[0.1234561, 0.1234562]), "first six digits"),
        (study(kept=[0.2, 0.2]), "named twice"),
        # committees
        ({"committee": {"groups": {"a": []}}}, "committee.groups.a"),
        ({"committee": {"groups": {"a": ["small", "small"]}}}, "named twice"),
        ({"committee": {"groups": {"a": ["large"]}}}, "no trained network here"),
        ({"committee": {"groups": {"a": ["elsewhere/large"]}}}, "of an experiment in others"),
        ({"committee": {"groups": {"a": ["demo/x"]}, "others": ["results/demo2"]}}, "groups.a names demo/x"),
        ({"committee": {"others": ["../.."]}}, "absolute path"),
        ({"committee": {"others": ["results/../../secret"]}}, "absolute path"),
        ({"committee": {"others": ["results/tiny"]}}, "this experiment itself"),
        ({"committee": {"others": ["results/demo", "results/demo"]}}, "named twice"),
        # images
        ({"measurement": {"inputs": "training"}, "data": {"train_per_label": 1}}, "no error bar"),
        ({"data": {"name": "cifar100", "train_per_label": 501}}, "has 500 of each label"),
        ({"data": {"name": "cifar10", "validation_per_label": 1001}}, "has 1000 of each label"),
        ({"networks": {"small": SMALL | {"image_size": 64}}}, "networks.small.image_size"),
        ({"data": {"name": "flowers102", "image_size": 64}}, "64 pixels a side"),
        # batches
        ({"training": SETTINGS["training"] | {"batch_size": 401}}, "there are 400 training images"),
        ({"probes": SETTINGS["probes"] | {"train_per_label": 1, "batch_size": 101}}, "there are 100"),
        ({"pruning": {"studies": {"one": {}}, "batch_size": 401}}, "pruning.batch_size"),
        ({"compute": {"processes": 51}}, "fewer than 51"),
        # pruning
        (study(kept=[1e-12]), "less than one"),
        (study(kept=[0.0006], layers=["readout"]), "of 1600 weights is less than one"),
        (study(thresholds={"query": 0.3}), "no layer of the study has nodes at query"),
        (study(thresholds={"readout": 0.3}), "no layer of the study has nodes at readout"),
        (study(blocks=[3]), "no trained network"),
        (study(blocks=[]), "pruning.studies.one.blocks"),
        # numbers that would end in memory, not in results
        ({"statistics": {"thresholds": 10**6}}, "statistics.thresholds"),
        ({"networks": {"small": SMALL | {"mlp_ratio": 1e-9}}}, "leaves no node"),
        ({"networks": {"small": SMALL | {"heads": []}}}, "lists 0 numbers"),
    ],
)
def test_refused_at_reading(change, words):
    settings = SETTINGS | {
        key: value if key in ("networks", "training", "probes") else SETTINGS.get(key, {}) | value
        for key, value in change.items()
    }
    with pytest.raises(SymbreakError, match=words) as caught:
        parse(settings, "tiny.yaml")
    message = str(caught.value)
    assert message.startswith("tiny.yaml: the key `") and "\n" not in message and message.endswith(".")


@pytest.mark.parametrize(
    "change",
    [
        {"committee": {"groups": {"a": ["demo/x", "small"]}, "others": ["results/demo"]}},
        {"committee": {"groups": {"a": ["any/x"]}, "others": ["elsewhere/logits/network.nc"]}},
        {"committee": {"others": ["/absolute/results/demo"]}},
        {"compute": {"processes": 50}},
        {"measurement": {"inputs": "training"}},
        study(kept=[0.000652], layers=["readout"], thresholds={"readout": 0.3}),
        named("nc", "log", "a.b", "ab"),
    ],
)
def test_what_can_end_well_is_taken(change):
    assert parse(SETTINGS | change)


def test_a_feed_forward_width_that_is_no_round_multiple_keeps_its_nodes():
    """A ratio of two numbers is rarely exact, and a node more or less is another network."""
    for dim in range(1, 200, 7):
        for hidden in range(1, 400, 13):
            assert Network(dim=dim, heads=1, mlp_ratio=hidden / dim).hidden == hidden
    assert Network(dim=30, heads=1, mlp_ratio=1.25).hidden == 37


def test_published_networks_are_read_as_what_they_are():
    from symbreak.models import build, load_official
    from symbreak.models.official import export_official

    wide = build(
        "cct_1_1x12",
        labels=3,
        dim=22,
        heads=2,
        mlp_ratio=30 / 22,
        pooling="first",
        inner_channels=list(range(2, 13)),
    )
    state = export_official(wide)
    with pytest.raises(SymbreakError, match="number of heads"):
        load_official(state)
    again = load_official(state, heads=2, pooling="first")
    pixels = torch.rand(2, 3, 32, 32)
    assert torch.equal(again.eval()(pixels), wide.eval()(pixels))


def test_settings_of_a_study_have_names_of_their_own():
    assert Study(kept=[0.123456, 0.123457], snr_limit=True).settings == [
        "kept 0.123456",
        "kept 0.123457",
        "snr_limit",
    ]
