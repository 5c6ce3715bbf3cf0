"""The answer of a study on one page of HTML that needs no other file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from symbreak.store.atomic import replacing_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from symbreak.door.answers import Study
    from symbreak.results.render import Page


def write_page(study: Study, path: Path) -> Path:
    """Write the page of a study and return its path."""
    from symbreak.results.render import Page

    page = Page(str(study.moments(study.taps[0]).attrs["source"]))
    for tap in study.taps:
        if tap.startswith("attention_rotated"):  # null models are shown with the attention
            continue
        page.heading(f"Tap {tap}")
        if tap in study.headed_taps:
            _heads(page, study, tap)
        _nodes(page, study, tap)
    replacing_text(path, page.html())
    return path


def _heads(page: Page, study: Study, tap: str) -> None:
    """Sentences, tables and figures of the heads at a tap."""
    from symbreak.results import figures
    from symbreak.results.tables.heads import ownership_table, sentences
    from symbreak.results.tables.order import order_table

    heads = study.heads(tap)
    nulls = {
        name.removeprefix("attention_"): study.heads(name)
        for name in study.headed_taps
        if tap == "attention" and name.startswith("attention_rotated")
    }
    page.points(sentences(heads))
    page.heading("Labels owned by each head", 3)
    page.table(ownership_table(heads))
    page.heading("Order parameters", 3)
    page.table(order_table(heads, nulls))
    _picture(page, figures.plot_owned_by_block(heads, nulls=nulls), "Labels owned in every block")
    _picture(page, figures.plot_order_by_block(heads, nulls=nulls), "Order parameters of every block")
    _picture(page, figures.plot_appearances(heads), "How often each head has each label")


def _nodes(page: Page, study: Study, tap: str) -> None:
    """Tables and figure of the nodes at a tap."""
    from symbreak.results import figures
    from symbreak.results.tables.nodes import cluster_table, snr_table

    statistics, threshold = study.statistics(tap), study.reference_threshold
    page.heading("Clusters", 3)
    page.table(cluster_table(statistics, threshold))
    page.heading("Signal and noise", 3)
    page.table(snr_table(statistics, threshold))
    _picture(page, figures.plot_snr(statistics, threshold), "Signal-to-noise ratio against threshold")


def _picture(page: Page, figure: Figure, words: str) -> None:
    from matplotlib import pyplot

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    pyplot.close(figure)
    page.heading(words, 3)
    page.picture(buffer.getvalue(), words)
