"""pyproject.toml, environment.yml and constraints.txt say the same."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: The last release, as it is cited.
RELEASE = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]


def wanted(*extras):
    """Requirements of the package with some of its extras, those that name extras resolved."""
    found = {}
    for text in [*PROJECT["dependencies"], *(t for e in extras for t in PROJECT["optional-dependencies"][e])]:
        requirement = Requirement(text)
        if requirement.name == "symbreak":
            found |= {own.name: own for own in wanted(*requirement.extras)}
        else:
            found[requirement.name] = requirement
    return list(found.values())


#: Name on PyPI -> name on conda-forge, where they differ.
CONDA = {"torch": "pytorch", "snakemake": "snakemake-minimal", "matplotlib": "matplotlib-base"}


def test_conda_environment_agrees_with_the_package():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge", "bioconda", "nodefaults"]
    python = PROJECT["requires-python"]
    packages = {f"python{python}"}
    for requirement in wanted("all"):
        packages.add(f"{CONDA.get(requirement.name, requirement.name)}{requirement.specifier}")
    assert set(environment["dependencies"]) == packages


def test_constraints_are_plain_versions_that_satisfy_the_package():
    lines = (ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    versions = {
        name.lower().replace("_", "-"): version for name, version in (line.split("==") for line in lines)
    }
    for requirement in wanted("test", "docs"):
        assert requirement.name in versions, f"{requirement.name} is not pinned"
        assert Version(versions[requirement.name]) in requirement.specifier


def test_recipe_agrees_with_the_package():
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text())
    run = {line.replace(" ", "") for line in recipe["requirements"]["run"][1:]}
    assert run == {f"{CONDA.get(r.name, r.name)}{r.specifier}" for r in wanted()}
    assert recipe["context"]["version"] == RELEASE
    assert f">={recipe['context']['python_min']}" == PROJECT["requires-python"]
    (entry,) = recipe["build"]["python"]["entry_points"]
    assert PROJECT["scripts"] == {entry.split(" = ")[0]: entry.split(" = ")[1]}


def test_a_tag_is_the_version(tmp_path):
    """Of a repository with this configuration, and no other place says it."""
    scm = pytest.importorskip("setuptools_scm")
    for command in ("init -q", "config user.email x@example.org", "config user.name x"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for command in ("add .", "commit -qm x", "tag v3.2.1"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
    assert scm.get_version(root=str(tmp_path)) == "3.2.1"


def test_version_has_one_source():
    import symbreak

    assert "version" in PROJECT["dynamic"] and "version" not in PROJECT
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools_scm"]
    assert settings["fallback_version"] == RELEASE
    written = ROOT / settings["version_file"]
    if written.exists():  # where the package was built
        assert f"'{symbreak.__version__}'" in written.read_text()
    else:
        assert symbreak.__version__ == "0+checkout"


def test_every_rule_names_the_environment():
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        text = path.read_text()
        assert len(re.findall(r"\n +shell:", text)) == text.count('"../../environment.yml"'), path


def test_base_package_is_light():
    names = {requirement.name for requirement in wanted()}
    assert not names & {"torch", "torchvision", "snakemake", "timm", "transformers"}
    assert {"torch", "snakemake", "timm", "transformers"} <= {r.name for r in wanted("all")}
