"""What the packages export is documented, and no name means two things."""

import ast
import importlib
import inspect
import pkgutil
import types
from collections import defaultdict
from pathlib import Path

import pytest

import symbreak

PUBLIC = ("matrices", "clusters", "observables", "planted")
EXPORTED = [
    (f"symbreak.{part}", name)
    for part in PUBLIC
    for name in importlib.import_module(f"symbreak.{part}").__all__
]


@pytest.mark.parametrize(("package", "name"), EXPORTED)
def test_exported_names_are_documented_in_the_numpydoc_way(package, name):
    exported = getattr(importlib.import_module(package), name)
    if not callable(exported):
        return
    text = inspect.getdoc(exported) or ""
    first = text.split("\n", 1)[0]
    assert first.endswith((".", "?")), "the first line is one sentence"
    if inspect.isclass(exported):
        assert "Attributes\n----------" in text or "Parameters\n----------" in text or first
        return
    assert "Examples\n--------" in text and ">>>" in text
    if inspect.signature(exported).parameters:
        assert "Parameters\n----------" in text
        for parameter in inspect.signature(exported).parameters:
            assert parameter in text.split("Parameters\n----------", 1)[1].split("\n-------", 1)[0], parameter
        assert "Returns\n-------" in text


def test_no_exported_name_shadows_a_module():
    for package, name in EXPORTED:
        module = importlib.import_module(package)
        assert not isinstance(getattr(module, name), types.ModuleType), name
        below = {
            found.name.rsplit(".", 1)[1] for found in pkgutil.walk_packages(module.__path__, f"{package}.")
        }
        assert name not in below, name


def test_no_function_or_class_of_the_numpy_wing_has_the_name_of_another():
    places = defaultdict(list)
    for part in (*PUBLIC, "numerics"):
        for path in sorted((Path(symbreak.__file__).parent / part).rglob("*.py")):
            names = [path.stem] if path.stem != "__init__" else []
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                    names.append(node.name)
            for name in names:
                places[name].append(path.name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
