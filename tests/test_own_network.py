"""The page "Your own network" does what it says: its lines run one after the other, in an empty folder."""

import re
import shlex
from pathlib import Path

import pytest

from symbreak import cli

PAGE = Path(__file__).parents[1] / "docs" / "own_network.md"


def test_every_line_of_the_page_runs(tmp_path, monkeypatch):
    pytest.importorskip("timm")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, block in re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if language == "python":
            exec(compile(block, str(PAGE), "exec"), names)
            continue
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[0] == "symbreak":
                assert cli.main(words[1:]) == 0, line
    for made in ("results/vit/page.html", "results/vit/units/block.csv", "vit.html", "net/seed1/page.html"):
        assert (tmp_path / made).stat().st_size > 1000, made
