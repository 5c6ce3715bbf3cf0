"""The site: every page is in its tree, every public package in its reference; the lines of its pages run."""

import importlib
import re
from pathlib import Path

import pytest

import symbreak

DOCS = Path(__file__).parents[1] / "docs"
#: Pages that others include or link to, and folders that are no pages.
ASIDE = {"index"}


def test_every_page_is_in_the_tree():
    text = "".join(page.read_text() for page in DOCS.glob("*.md"))
    trees = re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL)
    lines = [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]
    listed = {re.sub(r".*<(.*)>", r"\1", line) for line in lines}
    pages = {page.stem for page in DOCS.glob("*.md")}
    pages |= {f"notebooks/{page.stem}" for page in DOCS.glob("notebooks/*.ipynb")}
    assert listed == pages - ASIDE


def test_the_reference_has_every_package_that_exports_something():
    listed = set(re.findall(r"^   (symbreak\.\S+)$", (DOCS / "api.md").read_text(), re.MULTILINE))
    exporting = {
        f"symbreak.{part}"
        for part in symbreak._PARTS
        if getattr(importlib.import_module(f"symbreak.{part}"), "__all__", ())
    }
    assert exporting | {"symbreak.results.figures"} <= listed


@pytest.mark.parametrize("page", ["quick_start", "own_data"])
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})


def test_links_between_files_of_the_repository_lead_somewhere():
    root = DOCS.parent
    pages = [*root.glob("*.md"), *DOCS.glob("*.md"), *root.glob("*/README.md")]
    broken = [
        f"{page.relative_to(root)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
        if not (page.parent / f"{target}.md").exists()
    ]
    assert not broken
