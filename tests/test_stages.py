"""What determines each stage: settings that change its numbers, and no others."""

import pytest
from tiny import SETTINGS

from symbreak import store
from symbreak.config import parse
from symbreak.config.stages import FORMATS, SECTIONS, determining, digest
from symbreak.errors import SymbreakError

NETWORKS = {
    "small": SETTINGS["networks"]["small"],
    "untrained": SETTINGS["networks"]["small"] | {"trained": False},
    "filters": {"architecture": "vgg_6", "image_size": 32},
}
SETTINGS = {
    **SETTINGS,
    "networks": NETWORKS,
    "probes": SETTINGS["probes"] | {"taps": ["attention", "filters"]},
}


def changed(**sections):
    """Stages whose digest of the network `small` changes with some settings."""
    return _changed("small", sections)


def _changed(network, sections):
    before, after = parse(SETTINGS), dict(SETTINGS)
    for name, value in sections.items():
        after |= {name: after.get(name, {}) | value if isinstance(value, dict) else value}
    after = parse(after)
    return {stage for stage in FORMATS if digest(before, stage, network) != digest(after, stage, network)}


def test_every_stage_has_a_format_and_sections_and_no_version():
    assert set(FORMATS) == set(SECTIONS)
    experiment = parse(SETTINGS)
    for stage, number in FORMATS.items():
        found = determining(experiment, stage, "small")
        assert found["format"] == number and "version" not in found


@pytest.mark.parametrize(
    ("sections", "stages"),
    [
        ({"data": {"root": "x", "download": False}, "compute": {"partner_seconds": 1.0}}, set()),
        ({"training": {"checkpoint_seconds": 9, "validate_every": 2}, "probes": {"cache": 0}}, set()),
        ({"data": {"validation_per_label": 7}}, {"data", "measure", "attention", "evolve", "prune"}),
        ({"heads": {"ratio": 3.0}}, {"heads", "replicas", "evolve"}),
        ({"heads": {"n_shuffles": 99}}, {"heads", "replicas", "evolve", "attention"}),
        ({"measurement": {"inputs": "training"}}, {"measure", "evolve", "prune"}),
        ({"title": "Other"}, {"pages"}),
        ({"evolution": {"taps": ["attention_rotated"]}}, set()),
        ({"seeds": [1, 2, 3]}, {"null", "committee", "pages"}),
        ({"compute": {"seeds_per_job": 2}}, set()),
    ],
)
def test_settings_change_the_stages_that_they_determine(sections, stages):
    assert changed(**sections) == stages


def test_an_untrained_network_knows_nothing_of_the_schedule():
    assert "train" in changed(training={"epochs": 4})
    assert "train" not in _changed("untrained", {"training": {"epochs": 4}})
    assert "train" in _changed("untrained", {"training": {"normalisation": "dataset"}})


def test_a_tap_of_another_network_opens_nothing_here():
    more = {"probes": {"taps": ["attention", "filters", "block"]}}
    assert {"probe", "prune", "evolve"} <= _changed("small", more)
    assert _changed("filters", more) == set()


def test_a_network_that_is_not_there_is_refused():
    with pytest.raises(SymbreakError, match="has no network other"):
        digest(parse(SETTINGS), "train", "other")


def test_kinds_of_files_know_the_sections_that_determine_them():
    for kind in store.schema.FILES.values():
        assert set(kind.settings) <= set(type(parse(SETTINGS)).model_fields)
