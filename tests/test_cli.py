"""Command line: help with examples, one sentence and status 2 for what a user gets wrong."""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import SETTINGS

from symbreak.cli import main
from symbreak.cli.parser import build_parser
from symbreak.config import dump

VERBS = sorted(next(a for a in build_parser()._actions if a.dest == "verb").choices)
ROOT = Path(__file__).parents[1]


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "symbreak", *arguments], capture_output=True, text=True, cwd=ROOT, **options
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([verb, "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert f"example:\n  symbreak {verb}" in text or f"symbreak {verb} " in text.split("\n\n")[-1]


def leaves(parser, words=()):
    """Every verb, and every name of a verb that has names, with its parser."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield words, parser
    for group in groups:
        for name, inner in group.choices.items():
            yield from leaves(inner, (*words, name))


@pytest.mark.parametrize(
    ("words", "parser"),
    list(leaves(build_parser())),
    ids=lambda part: "-".join(part) if isinstance(part, tuple) else "",
)
def test_examples_parse(words, parser):
    example = parser.epilog.split("example:\n", 1)[1].splitlines()[0].split(" > ")[0]
    arguments = shlex.split(example)
    assert arguments[: len(words) + 1] == ["symbreak", *words]
    assert build_parser().parse_args(arguments[1:]).verb == words[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--config", "none.yaml", "--network", "a", "--seed", "1", "--folder", "x"], ["none.yaml"]),
        (
            ["train", "--config", "{config}", "--network", "big", "--seed", "1", "--folder", "x"],
            ["'big'", "small"],
        ),
        (
            ["probe", "--config", "{config}", "--folder", "{tmp}"],
            ["network.safetensors", "train the network"],
        ),
        (["measure", "--config", "{config}", "--folder", "{tmp}"], ["network.safetensors"]),
        (["scan", "--config", "{config}", "--folder", "{tmp}"], ["attention.nc", "check the path"]),
        (["join", "{tmp}", "--names", "a.nc", "--output", "{tmp}"], ["a.nc"]),
        (["validate", "{config}", "{text}"], ["notes.nc", "not a readable NetCDF"]),
        (["scorecard", "--folder", "{tmp}/nowhere"], ["There is no folder", "nowhere"]),
        (["configure", "--settings", "{{"], ["not JSON"]),
    ],
)
def test_mistakes_give_one_sentence_and_status_2(tmp_path, capsys, arguments, words):
    config, text = tmp_path / "tiny.yaml", tmp_path / "notes.nc"
    config.write_text(dump(SETTINGS))
    text.write_text("not a NetCDF file")
    before = sorted(p.name for p in tmp_path.iterdir())
    status = main([a.format(config=config, text=text, tmp=tmp_path) for a in arguments])
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert status == 2
    assert message.startswith(f"symbreak {arguments[0]}: ")
    for word in words:
        assert word in message
    assert sorted(p.name for p in tmp_path.iterdir()) == before, "nothing half-written"


def test_missing_data_folder_is_named(tmp_path):
    config = tmp_path / "cifar.yaml"
    data = {"name": "cifar100", "root": str(tmp_path / "nowhere"), "download": False}
    config.write_text(dump(SETTINGS | {"data": data}))
    answer = run(
        "train", "--config", str(config), "--network", "small", "--seed", "1", "--folder", str(tmp_path / "x")
    )
    assert answer.returncode == 2
    assert "nowhere" in answer.stderr and "Traceback" not in answer.stderr
    assert not list(tmp_path.glob("x/*"))


def test_numpy_verbs_never_import_torch():
    program = (
        "import sys; from symbreak.cli import main; main(['validate', 'config/demo.yaml']);"
        "import symbreak.observables.nodes.per_block, symbreak.results.figures, symbreak.printed;"
        "import symbreak.planted, symbreak.papers;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True).returncode == 0


def test_help_imports_nothing_heavy():
    answer = run("--help", env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rsplit("|", 1)[-1].strip() for line in answer.stderr.splitlines()}
    assert "symbreak.cli.parser" in imported
    assert not imported & {"torch", "numba", "xarray", "matplotlib", "pandas", "numpy"}


def test_validate_names_what_it_found(tmp_path, capsys):
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(SETTINGS))
    assert main(["validate", str(config)]) == 0
    assert capsys.readouterr().out.strip() == f"{config}: experiment tiny"


def test_names_with_spaces_and_dollars_are_only_names(tmp_path):
    folder = tmp_path / "a b $(touch pwned) ü"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(dump(SETTINGS))
    answer = run("validate", str(folder / "tiny.yaml"), env=os.environ | {"PYTHONIOENCODING": "utf-8"})
    assert answer.returncode == 0 and "experiment tiny" in answer.stdout
    assert not (ROOT / "pwned").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_every_verb_and_its_options(shell, capsys):
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(verb in script for verb in VERBS)
    assert "patterns" in script
