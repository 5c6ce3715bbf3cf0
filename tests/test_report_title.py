"""The title of an experiment stands in the report's header as text, whatever it holds."""

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("snakemake")

HEADER = Path(__file__).parents[1] / "workflow" / "report" / "workflow.rst"

TITLES = [
    "A plain title",
    "`run <javascript:alert(1)>`_",
    "see javascript:alert(1) or https://example.org",
    "|image| *starred* **strong** :math:`x` [1]_ name_ somebody@example.org",
    "<script>alert(1)</script>",
    r"back\slash and $\alpha$",
    "two\n\n.. raw:: html\n\n   <b>lines</b>",
    "ends with a star*",
]


@pytest.mark.parametrize("title", TITLES)
def test_title_is_text(title):
    from docutils import nodes
    from docutils.core import publish_doctree
    from jinja2 import Template

    workflow = SimpleNamespace(config={"title": title, "name": "demo"})
    page = publish_doctree(
        Template(HEADER.read_text(encoding="utf-8")).render(snakemake=workflow),
        settings_overrides={"report_level": 5},
    )
    first = page.children[0]
    assert isinstance(first, nodes.paragraph)
    assert first.astext() == " ".join(title.split())
    assert not list(first.findall(nodes.reference)) and not list(first.findall(nodes.raw))
    assert not list(page.findall(nodes.system_message)) and not list(page.findall(nodes.problematic))
