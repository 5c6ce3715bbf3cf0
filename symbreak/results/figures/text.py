"""Names that users give, drawn as they are: no mathematics, no missing glyphs, in the order of reading."""

from __future__ import annotations

import re
import unicodedata
import warnings
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

#: Fonts with glyphs that the first one lacks; those that are installed are used.
FALLBACKS = (
    *("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP"),
    *("WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "Source Han Sans", "SimHei"),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "PingFang SC", "Hiragino Sans", "Arial Unicode MS"),
)
#: A name of more letters is cut.
WIDTH = 28


@cache
def font_families() -> tuple[str, ...]:
    """Installed fonts in the order in which a glyph is looked for."""
    return tuple(name for name in FALLBACKS if name in fontManager.get_font_names())


@cache
def _drawable() -> frozenset[int]:
    """Code points for which one of the fonts has a glyph."""
    paths = [findfont(FontProperties(family=name)) for name in font_families()]
    return frozenset().union(*(get_font(path).get_charmap() for path in paths))


@cache
def _warn_of(point: str) -> None:
    """Say once that a letter cannot be drawn."""
    warnings.warn(
        f"No installed font draws {point}; figures show its code point; install Noto Sans CJK or the like.",
        UserWarning,
        stacklevel=4,
    )


def literal(name: object, width: int = WIDTH) -> str:
    """Text for matplotlib that is drawn as `name` reads.

    Dollar signs begin no mathematics, line breaks become spaces, a long name is cut, runs of right-to-left
    letters are put in the order in which they are drawn, and a letter without a glyph becomes its code point.

    Examples
    --------
    >>> print(literal("$x$ and <b>"), literal("a" * 40, 8), literal("two\\nlines"))
    \\$x\\$ and <b> aaaaaaa… two lines
    """
    text = " ".join(str(name).split())
    text = text if len(text) <= width else text[: width - 1] + "…"
    text = re.sub(r"[\u0590-\u08ff\ufb1d-\ufeff]+(?: +[\u0590-\u08ff\ufb1d-\ufeff]+)*", _reversed, text)
    letters = []
    for letter in text:
        known = ord(letter) in _drawable() or unicodedata.combining(letter) != 0
        if not known:
            point = f"U+{ord(letter):04X}"
            _warn_of(point)
            letter = point
        letters.append(letter)
    text = "".join(letters).replace("$", r"\$")
    return "\u200a" + text if text.startswith("_") else text  # a legend leaves out what begins with "_"


def _reversed(run: re.Match[str]) -> str:
    """Letters of a run from right to left, each with its marks."""
    clusters: list[str] = []
    for letter in run[0]:
        if clusters and unicodedata.combining(letter):
            clusters[-1] += letter
        else:
            clusters.append(letter)
    return "".join(reversed(clusters))
