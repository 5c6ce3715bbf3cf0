"""Names in figures are drawn as they read: no mathematics, no missing glyphs, and ticks that can be read."""

import io
import itertools
import warnings

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from symbreak.planted import head_tables_example
from symbreak.results import figures
from symbreak.results.figures import text
from symbreak.results.figures.style import name_labels, ordinal, subtitle
from symbreak.results.figures.text import literal

NAMES = [
    "$\\frac{1$",
    "a\\b_c^d",
    "<script>alert(1)</script>",
    "x" * 200,
    "猫と犬",
    "שלום עולם",
    '& "q"',
    "_a",
]


def drawn(figure):
    """Draw, with every warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), dpi=50)
    return figure


@pytest.fixture(autouse=True)
def fresh_warnings():
    text._warn_of.cache_clear()


def test_hostile_names_are_drawn_literally():
    heads = head_tables_example()
    names = (NAMES * 3)[: heads.sizes["label"]]
    heads = heads.assign_coords(label_name=("label", names)).assign_attrs(
        source="$_{ & <b> 猫\nof " + "y" * 300
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        made = [figures.plot_appearances(heads), figures.plot_owned_labels(heads)]
    for figure in made:
        drawn(figure)
        shown = [tick.get_text() for tick in figure.axes[-1].get_xticklabels()]
        assert all(len(words) <= 28 * 6 for words in shown)
        assert not any(words.count("$") - words.count("\\$") for words in shown), (
            "a dollar begins no mathematics"
        )
    assert "<script>" in "".join(tick.get_text() for tick in made[0].axes[-1].get_xticklabels())


def test_missing_glyphs_become_code_points_with_one_warning():
    with pytest.warns(UserWarning, match="U\\+10FFFD") as caught:
        assert literal("a\U0010fffd") == literal("a\U0010fffd") == "aU+10FFFD"
    assert len(caught) == 1


def test_right_to_left_letters_are_in_drawn_order_and_long_names_are_cut():
    assert literal("אב גד x") == "דג בא x"
    assert literal("x" * 200) == "x" * 27 + "…" and literal("two\nlines") == "two lines"
    assert literal("_hidden").endswith("_hidden") and not literal("_hidden").startswith("_")


def test_a_name_that_begins_with_an_underscore_has_its_place_in_a_legend():
    figure = Figure()
    axis = figure.subplots()
    axis.plot([0], [0], label=literal("_a"))
    assert len(axis.get_legend_handles_labels()[0]) == 1


@pytest.mark.parametrize("count", [12, 150])
def test_tick_names_do_not_overlap(count):
    figure = Figure(figsize=(10.4, 4))
    axis = figure.subplots()
    axis.plot(np.arange(count), np.arange(count))
    name_labels(axis, [f"label number {i}" for i in range(count)])
    drawn(figure)
    boxes = [tick.get_window_extent() for tick in axis.get_xticklabels()]
    assert all(one.x1 <= other.x0 + 1 for one, other in itertools.pairwise(boxes))
    assert ("every 2nd" in axis.get_xlabel()) == (count == 150)
    assert [ordinal(n) for n in (1, 2, 3, 12, 23)] == ["1st", "2nd", "3rd", "12th", "23rd"]


def test_headings_are_wrapped_into_the_figure():
    figure = Figure(figsize=(6, 3))
    subtitle(figure, "words " * 60)
    drawn(figure)
    assert figure._suptitle.get_window_extent().x1 <= figure.bbox.x1 * 1.02


def test_twelve_heads_have_a_legend_of_their_own_colours():
    heads = head_tables_example()
    wide = xr.concat([heads] * 6, "head", data_vars="minimal", coords="minimal", compat="override")
    wide["n_heads"] = wide.n_heads * 0 + 12
    figure = drawn(figures.plot_appearances(wide))
    assert len(figure.legends[0].get_texts()) == 12
    faces = {tuple(handle.get_facecolor()) for handle in figure.legends[0].get_patches()}
    assert len(faces) == 12
