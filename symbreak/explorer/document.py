"""The Bokeh document of the explorer: controls and figures, empty; the scripts fill them in the browser."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.events import DocumentReady, Tap
from bokeh.layouts import column, row
from bokeh.models import (
    AutocompleteInput,
    ColorBar,
    ColumnDataSource,
    CustomJS,
    CustomJSHover,
    Div,
    FixedTicker,
    HoverTool,
    InlineStyleSheet,
    LayoutDOM,
    LinearColorMapper,
    Range1d,
    Select,
    Slider,
    Span,
    Spinner,
)
from bokeh.palettes import Blues256, RdBu11
from bokeh.plotting import figure

from symbreak.results.figures.style import BACKGROUND, GREY, NOISE, PALETTE

#: Controls that choose from a list: name -> title.
SELECTS = {
    "network": "Network",
    "seed": "Seed",
    "tap": "Tap",
    "block": "Block",
    "units": "Units",
    "order": "Labels by",
}
#: Width of the page in pixels.
WIDTH = 1260
_TOOLS = "pan,wheel_zoom,box_zoom,reset,save"


def document(labels: list[str], headline: str, style: str) -> Document:
    """Controls above, then map and curves, then the matrices of one unit.

    Parameters
    ----------
    labels : list of str
        Names of the labels, for the search.
    headline : str
        HTML above the controls.
    style : str
        CSS of texts.
    """
    sheet = InlineStyleSheet(css=style)
    texts = {name: Div(disable_math=True, stylesheets=[sheet]) for name in ("said", "numbers", "label_text")}
    head = Div(text=headline, disable_math=True, stylesheets=[sheet], width=WIDTH)
    texts["said"].width = WIDTH
    texts["numbers"].width, texts["label_text"].width = WIDTH, 800
    models: dict[str, Any] = _controls(labels) | texts
    figures = {name: _image(name, models) for name in ("map", "raw", "clipped", "permuted")}
    models |= figures
    models["map"].tags = [json.dumps([NOISE, *PALETTE])]
    models |= _curve() | _chance()
    for name, model in models.items():
        model.name = name
    rows: list[LayoutDOM] = [
        head,
        row(*(models[name] for name in SELECTS)),
        row(models["threshold"], models["search"], models["unit"]),
        texts["said"],
        row(column(models["map"], texts["label_text"]), column(models["curve"], models["chance"])),
        row(models["raw"], models["clipped"], models["permuted"]),
        texts["numbers"],
    ]
    page = Document(title="symbreak explorer")
    page.add_root(column(*rows))
    page.js_on_event(DocumentReady, CustomJS(args=models, code=f"symbreak.start({{ {', '.join(models)} }})"))
    return page


def _controls(labels: list[str]) -> dict[str, Any]:
    """Widgets; each tells the scripts what was chosen."""
    selects: dict[str, Any] = {
        name: Select(title=title, width=190, options=[]) for name, title in SELECTS.items()
    }
    selects["threshold"] = Slider(
        title="Threshold, fraction of the largest field", start=0, end=0.999, step=0.001, value=0.3, width=640
    )
    selects["threshold"].format = "0.000"
    selects["unit"] = Spinner(title="Unit", low=1, step=1, value=1, width=120)
    for name, widget in selects.items():
        widget.js_on_change("value", CustomJS(code=f"symbreak.set({name!r}, cb_obj.value)"))
    selects["search"] = AutocompleteInput(
        title="Find a label",
        placeholder="part of its name",
        completions=labels,
        case_sensitive=False,
        search_strategy="includes",
        min_characters=1,
        max_completions=12,
        width=320,
    )
    selects["search"].js_on_change("value", CustomJS(code="symbreak.search(cb_obj.value)"))
    return selects


def _image(name: str, models: dict[str, Any]) -> figure:
    """Figure of a matrix or of the map; its source is put among the models."""
    wide = name == "map"
    plot = figure(
        width={"map": 830, "raw": 470}.get(name, 395),
        height=330 if wide else 400,
        x_range=Range1d(0, 1),
        y_range=Range1d(1, 0),
        tools=_TOOLS + (",tap" if wide else ""),
        active_drag=None,
        title=" ",
    )
    source = ColumnDataSource(
        {"image": [np.zeros((1, 1), np.float32)], "x": [0], "y": [0], "dw": [1], "dh": [1]}
    )
    colours: dict[str, Any] = {
        "map": {"palette": Blues256[::-1], "low": 0, "high": 1, "nan_color": BACKGROUND},
        "raw": {"palette": RdBu11, "low": -1, "high": 1, "nan_color": BACKGROUND},
        "clipped": {"palette": [BACKGROUND, GREY], "low": -0.5, "high": 1.5},
        "permuted": {
            "palette": [BACKGROUND, NOISE, *PALETTE],
            "low": -0.5,
            "high": len(PALETTE) + 1.5,
        },
    }
    mapper = LinearColorMapper(**colours[name])
    image = plot.image("image", "x", "y", "dw", "dh", source=source, color_mapper=mapper)
    models[f"{name}_image"] = source
    code = f"return symbreak.hover({name!r}, special_vars.x, special_vars.y)"
    # Of a column that is never NaN, for which no formatter is asked.
    words = {"@x": CustomJSHover(code=code)}
    plot.add_tools(HoverTool(renderers=[image], tooltips="@x{custom}", formatters=words))
    plot.toolbar.logo, plot.toolbar.autohide = None, True
    for axis in (plot.xaxis, plot.yaxis):
        axis.ticker = FixedTicker(ticks=[])
        axis.major_label_text_font_size = "8px"
    plot.xaxis.major_label_orientation = "vertical"
    plot.grid.visible = False
    plot.yaxis.axis_label = {"map": "unit", "permuted": "label of the input, permuted"}.get(
        name, "label of the input"
    )
    plot.xaxis.axis_label = {"map": "label", "permuted": "output, permuted"}.get(name, "output")
    if name in ("map", "raw"):
        plot.add_layout(ColorBar(color_mapper=mapper, width=8, padding=4), "right")
    if wide:
        _add_marks(plot, models, mapper)
    return plot


def _add_marks(plot: figure, models: dict[str, Any], mapper: LinearColorMapper) -> None:
    """Lines between groups and frames around the chosen unit and label; clicks open a unit."""
    lines = ColumnDataSource({"x0": [], "y0": [], "x1": [], "y1": []})
    frames = ColumnDataSource({"left": [], "right": [], "top": [], "bottom": []})
    plot.segment("x0", "y0", "x1", "y1", source=lines, color=GREY, line_width=1)
    plot.quad(
        left="left", right="right", top="top", bottom="bottom", source=frames, fill_color=None,
        line_color=PALETTE[1], line_width=2,
    )  # fmt: skip
    plot.js_on_event(Tap, CustomJS(code="symbreak.clicked(cb_obj.x, cb_obj.y)"))
    models |= {"map_lines": lines, "map_mark": frames, "map_mapper": mapper}


def _curve() -> dict[str, Any]:
    """Signal-to-noise ratio of the block against the threshold, which is marked."""
    source = ColumnDataSource({"threshold": [], "snr": [], "snr_minimum": []})
    plot = figure(width=420, height=200, tools=_TOOLS, active_drag=None, title=" ", x_range=Range1d(0, 1))
    plot.toolbar.logo, plot.toolbar.autohide = None, True
    for name, colour in (("snr", PALETTE[0]), ("snr_minimum", PALETTE[1])):
        plot.line("threshold", name, source=source, color=colour, line_width=2)
    mark = Span(location=0.3, dimension="height", line_color=GREY, line_dash="dashed")
    plot.add_layout(mark)
    plot.add_tools(
        HoverTool(
            mode="vline",
            tooltips=[
                ("threshold", "@threshold{0.000}"),
                ("SNR", "@snr{0.00}"),
                ("SNR_MIN", "@snr_minimum{0.00}"),
            ],
        )
    )
    plot.xaxis.axis_label = "threshold"
    return {"curve": plot, "curve_lines": source, "curve_mark": mark}


def _chance() -> dict[str, Any]:
    """Appearances of a label in each head, over what nodes assigned to heads at random would give."""
    names = ("head", "count", "mean", "low", "high", "left", "right")
    source = ColumnDataSource({name: [] for name in names})
    plot = figure(width=420, height=180, tools="save", title=" ", x_range=Range1d(0, 1))
    plot.toolbar.logo, plot.toolbar.autohide = None, True
    plot.quad(left="left", right="right", top="high", bottom="low", source=source, color="#C8D0DA")
    plot.segment("left", "mean", "right", "mean", source=source, color=GREY, line_dash="dashed")
    plot.scatter("head", "count", source=source, size=9, color=PALETTE[0])
    plot.add_tools(
        HoverTool(
            tooltips=[
                ("head", "@head"),
                ("appearances", "@count"),
                ("by chance", "@low to @high, mean @mean{0.0}"),
            ]
        )
    )
    plot.y_range.start = 0
    plot.xaxis.ticker, plot.xaxis.axis_label = FixedTicker(ticks=[]), "head"
    plot.yaxis.axis_label = "appearances"
    return {"chance": plot, "chance_bars": source}
