"""First page of the Snakemake report: the answers of the summary, before anything else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

#: Where the answers stand in the summary, and what ends them.
ANSWER, LEVEL = "The answer", "h2"


class _Answers(HTMLParser):
    """Items and headings of the section of answers, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._tag, self._inside = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("h2", "h3", "li"):
            self._tag = tag
            self.found.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag != self._tag:
            return
        self._tag = ""
        kind, text = self.found[-1]
        if kind == LEVEL:
            self._inside = text.strip() == ANSWER
        if kind == LEVEL or not self._inside:
            self.found.pop()

    def handle_data(self, data: str) -> None:
        if self._tag:
            kind, text = self.found[-1]
            self.found[-1] = kind, text + data


def landing(header: str, page: Path) -> str:
    """Header of the report with the answers of a summary, if there is one, below its first paragraph.

    Parameters
    ----------
    header : str
        Template of Snakemake: reStructuredText and Jinja, paragraphs apart by an empty line.
    page : Path
        ``summary.html`` of the experiment.

    Returns
    -------
    str

    Examples
    --------
    >>> import tempfile
    >>> page = Path(tempfile.mkdtemp()) / "summary.html"
    >>> landing("**Title**\\n\\nMethod", page)
    '**Title**\\n\\nMethod'
    >>> _ = page.write_text("<h2>The answer</h2><h3>cct</h3><ul><li>q = 0.01</li></ul><h2>More</h2>")
    >>> print(landing("**Title**\\n\\nMethod", page))
    **Title**
    <BLANKLINE>
    *cct*
    <BLANKLINE>
    * q = 0\\.01
    <BLANKLINE>
    The page *Summary*, in the category of this name, has the pictures and the claims.
    <BLANKLINE>
    Method
    """
    if not page.is_file():
        return header
    parser = _Answers()
    parser.feed(page.read_text(encoding="utf-8"))
    if not parser.found:
        return header
    lines = [f"* {_plain(text)}" if kind == "li" else f"\n*{_plain(text)}*\n" for kind, text in parser.found]
    title, rest = header.split("\n\n", 1)
    more = "The page *Summary*, in the category of this name, has the pictures and the claims."
    return "\n\n".join([title, "\n".join(lines).strip(), more, rest])


def _plain(text: str) -> str:
    """Text without meaning for reStructuredText or Jinja."""
    escaped = re.sub(r"([\\`*_|<>\[\]:@.])", r"\\\1", " ".join(text.split()))
    return re.sub(r"[{}]", lambda brace: f"{{{{ '{brace[0]}' }}}}", escaped)
