"""The site: Sphinx with MyST, built by `make docs` without a network and with warnings as errors."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from symbreak import __version__ as release

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "symbreak"
author = "The symbreak developers"
version = release
#: Where the repository lies; the workflow that publishes the site knows it better.
repository = os.environ.get("GITHUB_REPOSITORY") or PROJECT["urls"]["Repository"].removeprefix(
    "https://github.com/"
)

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinxcontrib.bibtex",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx-mathjax-offline",
]
exclude_patterns = ["_build", "data", "**.ipynb_checkpoints", "jupyter_execute"]
templates_path = ["_templates"]
root_doc = "index"
default_role = "code"

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "symbreak"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "symbreak"},
    "github_url": f"https://github.com/{repository}",
    "navbar_center": [],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
}
html_sidebars = {"index": [], "**": ["globaltoc.html"]}
copyright = "the symbreak developers, BSD-3-Clause"


def outside(app, document: str, source: list[str]) -> None:
    """Let links to files that are no pages lead to the repository, and a notebook open in Colab.

    Pages are read on GitHub as well, where `../config` and `data/` are folders beside them.
    """
    folder = f"https://github.com/{repository}/blob/main"
    if document in ("contributing", "changelog"):
        return
    source[0] = re.sub(r"\]\(\.\./(?!docs/)([^)\s]+)\)", rf"]({folder}/\1)", source[0])
    source[0] = re.sub(r"\]\((data(?:/[^)\s]*)?)\)", rf"]({folder}/docs/\1)", source[0])


def setup(app) -> dict[str, bool]:
    """Connect what is above."""
    app.connect("source-read", outside)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
