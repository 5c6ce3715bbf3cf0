"""The registry of results: whole, one entry is enough, and everything that it says can be made."""

import inspect
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from test_workflow import ENVIRONMENT
from tiny import SETTINGS

from symbreak.config import parse
from symbreak.errors import SymbreakError
from symbreak.results import documentation, registry
from symbreak.results.files import FILES
from symbreak.results.layout import Layout, Place
from symbreak.results.targets import groups, labels, lists, targets

ROOT = Path(__file__).parents[1]


def layout(**changes):
    return Layout(parse(SETTINGS | changes))


@pytest.mark.parametrize("entry", registry.ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_every_entry_is_whole(entry):
    for name in ("name", "kind", "scope", "inputs", "category", "shows", "caption", "maker"):
        assert isinstance(getattr(entry, name), str) and getattr(entry, name), name
    assert entry.kind in registry.KINDS and entry.scope in registry.SCOPES
    assert set(entry.required + entry.optional) <= set(FILES)
    assert not entry.condition or hasattr(Layout, entry.condition)
    assert set(re.findall(r"{(\w+)}", entry.caption)) <= {"tap"}
    module, _, name = entry.maker.rpartition(".")
    maker = getattr(import_module(module), name)
    assert list(inspect.signature(maker).parameters) == ["context"] and maker.__doc__


def test_no_two_results_share_a_file_or_a_name():
    files = [file for entry in registry.ENTRIES for file in entry.files]
    names = [(entry.kind, entry.name) for entry in registry.ENTRIES]
    assert len(set(files)) == len(files) and len(set(names)) == len(names)


def test_rules_make_every_target_once_and_match_no_other_network():
    networks = {"a.b": SETTINGS["networks"]["small"], "plain": {"architecture": "vgg_6", "inner_channels": 4}}
    probes = SETTINGS["probes"] | {"taps": ["attention", "block", "filters"]}
    found = layout(
        networks=networks, probes=probes, pruning={"studies": {"readout": {"layers": ["readout"]}}}
    )
    made = []
    for group in groups(found):
        assert all(re.fullmatch(group.constraints[name], value) for name, value in _values(group))
        made += _files(group)
    assert sorted(made) == sorted(targets(found)) and len(set(made)) == len(made) > 80
    tap = next(group for group in groups(found) if "attention" in group.values.get("tap", []))
    assert not re.fullmatch(tap.constraints["network"], "axb")
    assert [names for _, names, _ in lists(found, "statistics")] == [["attention", "block"], ["filters"]]


def _values(group):
    return [(name, value) for name, values in group.values.items() for value in values]


def _files(group):
    networks = group.values.get("network", [""])
    own = next((name for name in group.values if name != "network"), "study")
    places = [Place(network, **{own: part}) for network in networks for part in group.values.get(own, [""])]
    return [
        file.format(**place._asdict()) for place in places for entry in group.entries for file in entry.files
    ]


def test_results_depend_on_the_files_of_their_place_only():
    found = layout(data=SETTINGS["data"] | {"name": "cifar100"})
    place = Place("small", tap="attention")
    inputs = found.inputs(found.entries(place), place)
    assert "small/heads/attention.nc" in inputs and "small/seed2/nodes/attention.nc" in inputs
    assert not [path for path in inputs if "block" in path or "linear1" in path]
    assert "heads_superclasses" in {entry.name for entry in found.entries(place)}
    assert found.files("latency") == [] and "latency" not in {e.name for e in found.entries(Place())}


def test_labels_of_a_category_have_the_same_columns():
    for category in {entry.category for entry in registry.ENTRIES}:
        columns = {tuple(labels(entry)) for entry in registry.ENTRIES if entry.category == category}
        assert len({frozenset(names) for names in columns}) == 1, category


def test_unknown_names_are_refused():
    with pytest.raises(SymbreakError, match="no table 'snrr'; choose among"):
        registry.find("snrr", "table")


def test_page_of_results_is_that_of_the_registry():
    assert (ROOT / "docs" / "results.md").read_text() == documentation.markdown(), "run `make docs`"


ENTRY = """
- figure: spectrum
  scope: tap
  inputs: statistics
  category: Nodes
  shows: a figure that was added
  maker: symbreak.results.added.spectrum
  caption: Added at tap {tap}.
"""
MAKER = """
def spectrum(context):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.suptitle(str(context.one("statistics").sizes["block"]))
    return figure
"""


@pytest.mark.workflow
def test_one_entry_makes_rule_verb_label_caption_and_line_of_the_docs(tmp_path):
    """In a copy of the package, with an entry and a function and no other edit."""
    for name in ("symbreak", "workflow"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "environment.yml", "profiles"):
        (tmp_path / name).symlink_to(ROOT / name)
    with open(tmp_path / "symbreak" / "results" / "registry" / "nodes.yaml", "a") as subject:
        subject.write(ENTRY)
    (tmp_path / "symbreak" / "results" / "added.py").write_text(MAKER)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(SETTINGS))

    def run(*words):
        environment = ENVIRONMENT | {"PYTHONPATH": str(tmp_path)}
        answer = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]
        return answer.stdout + answer.stderr

    plan = run(
        "snakemake", "--snakefile", "workflow/Snakefile", "--dry-run", "--configfile", "tiny.yaml", "-c1"
    )
    assert "results/tiny/figures/small/linear1/spectrum.png" in plan
    words = (tmp_path / ".snakemake" / "captions" / "figure" / "spectrum.rst").read_text()
    assert words == "Added at tap {{ snakemake.wildcards.tap }}."
    symbreak = [sys.executable, "-m", "symbreak"]
    assert "a figure that was added" in run(*symbreak, "schema", "--of", "results")
    program = "from symbreak.results import registry, targets; "
    program += "print(targets.labels(registry.find('spectrum', 'figure')))"
    assert "'shows': 'a figure that was added'" in run(sys.executable, "-c", program)
    made = (
        "import sys, planted_results; from pathlib import Path; "
        "planted_results.network_folder(Path('results/tiny'), ('block',))"
    )
    run(sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); {made}")
    run(*symbreak, "results", "--folder", "results/tiny", "--names", "spectrum")
    assert (tmp_path / "results/tiny/figures/small/block/spectrum.png").stat().st_size > 1000


def test_the_report_shows_the_most_telling_results_of_trained_networks_and_all_when_asked():
    networks = SETTINGS["networks"] | {"untrained": SETTINGS["networks"]["small"] | {"trained": False}}
    probes = SETTINGS["probes"] | {"taps": ["attention", "attention_rotated", "block"]}
    shown = {}
    for detail in ("main", "full"):
        found = groups(layout(networks=networks, probes=probes, report={"detail": detail}))
        shown[detail] = {
            (network, tap, name)
            for group in found
            for network in group.values.get("network", [""])
            for tap in group.values.get("tap", [""])
            for name in group.reported
        }
    assert ("", "", "summary") in shown["main"] < shown["full"]
    assert {network for network, _, _ in shown["main"]} == {"", "small"}
    assert "attention_rotated" not in {tap for _, tap, _ in shown["main"]}
    assert ("untrained", "attention_rotated", "heads_ratio") in shown["full"]
