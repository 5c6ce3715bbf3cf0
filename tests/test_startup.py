"""Verbs of the numpy wing do not import torch: what each imports when it runs, found in its source."""

import argparse
import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

from symbreak.cli.parser import build_parser

ROOT = Path(__file__).parents[1]
#: The verbs that run networks, and `doctor`, which asks torch for devices.
TORCH = {
    *("attention", "describe", "doctor", "evolve", "latency", "measure"),
    *("data", "probe", "prune", "study", "taps", "train"),
}


def leaves(parser, words=()):
    """Every verb, and every name of a verb that has names, with its function."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield words, parser.get_default("run")
    for group in groups:
        for name, inner in group.choices.items():
            yield from leaves(inner, (*words, name))


def imports(function):
    """Modules that a function imports, with those of the functions of its module that it names."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(function)))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    reached, waiting, found = set(), [function.__name__], set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in functions:
            continue
        reached.add(name)
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.ImportFrom):
                found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Name):
                waiting.append(node.id)
    return sorted(found)


def test_verbs_of_the_numpy_wing_never_import_torch():
    wanted = {" ".join(words): imports(run) for words, run in leaves(build_parser()) if words[0] not in TORCH}
    assert len(wanted) > 20 and any(wanted.values())
    program = """
import importlib, json, sys
for verb, names in json.loads(sys.argv[1]).items():
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not name.startswith(error.name or " "):
                raise  # else it is a function, and its module has been imported
    if "torch" in sys.modules:
        sys.exit(f"symbreak {verb} imports torch")
"""
    answer = subprocess.run(
        [sys.executable, "-c", program, json.dumps(wanted)], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr


def test_the_list_of_verbs_that_run_networks_has_no_others():
    verbs = dict.fromkeys(words[0] for words, _ in leaves(build_parser()))
    assert set(verbs) >= TORCH
    wings = (
        "symbreak.data",
        "symbreak.learning",
        "symbreak.measure",
        "symbreak.models",
        "symbreak.pruning",
        "torch",
    )
    for words, run in leaves(build_parser()):
        needs = any(name.startswith(wings) for name in imports(run))
        assert needs == (words[0] in TORCH), words
