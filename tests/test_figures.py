"""Figures: what they must show, that nothing global changes, and the verbs that draw them."""

import importlib
import io
import pkgutil
import subprocess
import sys

import matplotlib
import numpy as np
import planted_results as planted
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.figure import Figure

import symbreak
from symbreak.cli import main
from symbreak.clusters import partitions, scan_matrices
from symbreak.config import Statistics
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head, centre, clip, nodal
from symbreak.observables import best_threshold, block_mean_field, block_tables, pooled_moments, uniformity
from symbreak.planted import moments_example, null_statistics
from symbreak.results import figures
from symbreak.results.figures.labels import evenness
from symbreak.results.figures.matrix import arrange, example_unit, field_of
from symbreak.results.figures.style import block_colours, name_labels, styled

SETTINGS = Statistics(thresholds=9)


@pytest.fixture(scope="module")
def results():
    return planted.joined()


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    planted.network_folder(folder, ("block",))
    return folder / "small"


def drawn(name, results):
    """Each figure of nodes, on planted data."""
    statistics, nodes = results
    moments = planted.moments()
    worlds = null_statistics(moments, planted.EXPERIMENT.statistics)
    return {
        "training": lambda: figures.plot_training({seed: planted.history(seed) for seed in planted.SEEDS}),
        "accuracy": lambda: figures.plot_accuracy({"attention": statistics, "block": statistics}),
        "clusters": lambda: figures.plot_clusters(statistics, paper="P1"),
        "snr": lambda: figures.plot_snr(statistics, 0.3),
        "null": lambda: figures.plot_null(statistics, worlds),
        "mean_field": lambda: figures.plot_mean_field(statistics, block_mean_field(moments, [0.2, 0.4])),
        "labels": lambda: figures.plot_labels(statistics, nodes, block=2),
        "matrix": lambda: figures.plot_matrix(field_of(moments, 2, "node", 3)),
    }[name]()


@pytest.mark.parametrize(
    "name", ["training", "accuracy", "clusters", "snr", "null", "mean_field", "labels", "matrix"]
)
def test_figures_have_named_axes_data_and_leave_no_trace(name, results):
    before = dict(matplotlib.rcParams)
    figure = drawn(name, results)
    assert dict(matplotlib.rcParams) == before
    assert isinstance(figure, Figure)
    panels = [axis for axis in figure.axes if axis.axison and axis.get_label() != "<colorbar>"]
    for axis in panels:
        assert axis.lines or axis.images or axis.patches, "no empty panel"
        below = axis.get_xlabel() or figure.get_supxlabel() or not axis.xaxis.get_tick_params()["labelbottom"]
        assert below and (axis.get_ylabel() or figure.get_supylabel() or axis.images)
    stream = io.BytesIO()
    figure.savefig(stream, dpi=60)
    assert stream.getvalue().startswith(b"\x89PNG")


def test_no_figure_imports_pyplot_or_torch():
    program = (
        "import sys, symbreak.results.figures as f, symbreak.planted as p;"
        "f.plot_matrix(p.moments_example().symbreak.matrix(block=1, node=1));"
        "sys.exit(any(name in sys.modules for name in ('matplotlib.pyplot', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@given(arrays(float, (7, 7), elements=st.floats(-1, 1)), st.floats(0, 0.9))
def test_arranged_clusters_are_blocks_and_noise_is_counted(fields, threshold):
    arranged = arrange(fields, threshold)
    assert sorted(arranged.order) == list(range(7))
    sizes = [len(group) for group in arranged.groups]
    assert sizes == sorted(sizes, reverse=True)
    start = 0
    for number, size in enumerate(sizes):
        square = arranged.kind[start : start + size, start : start + size]
        assert (square == number + 2).all()
        start += size
    assert (arranged.kind >= 2).sum() == sum(size**2 for size in sizes)
    assert (arranged.kind > 0).sum() == clip(fields, threshold).sum()
    counted = scan_matrices(fields[None], [threshold], dim="node")
    assert (arranged.kind == 1).sum() == int(counted.noise.sum())


def test_field_is_that_of_the_statistics():
    moments = planted.moments()
    mean, readout, _ = pooled_moments(moments, 2)
    np.testing.assert_allclose(field_of(moments, 2, "node", 5), nodal(mean, readout)[4])
    heads = by_head(mean, readout, moments.head_of_node.values)
    np.testing.assert_allclose(field_of(moments, 2, "head", 2), heads[1])
    bias = np.linspace(-1, 1, 12)
    kept = moments.assign(readout_bias=(("block", "output"), [bias, 2 * bias]))
    np.testing.assert_allclose(field_of(kept, 2, "node", 5), nodal(mean, readout, 2 * bias)[4])
    expected = nodal(*centre(mean, readout, 2 * bias))[4]
    np.testing.assert_allclose(field_of(kept, 2, "node", 5, centred=True), expected)


def test_field_of_a_filter_is_the_sum_over_its_positions():
    moments = planted.filters()
    mean, readout, _ = pooled_moments(moments, 1)
    expected = nodal(mean, readout)[4:8].sum(axis=0)
    np.testing.assert_allclose(field_of(moments, 1, "filter", 2), expected)
    with pytest.raises(SymbreakError, match="no filter 3 in block 2; they count from 1 to 2"):
        field_of(moments, 2, "filter", 3)
    with pytest.raises(SymbreakError, match="no heads at this tap"):
        field_of(moments, 1, "head", 1)
    assert example_unit(moments, 2)[0] == "filter" and example_unit(moments, 2)[1] in (1, 2)


def test_example_follows_its_rule():
    moments = planted.moments(nodes=40)
    mean, readout, _ = pooled_moments(moments, 1)
    rows = partitions(mean, readout, 0.3)
    diagonal = (rows > 0).sum(axis=1)
    able = [k for k, row in enumerate(rows) if (np.bincount(row)[1:] >= 2).sum() >= 2]
    assert able, "the planted world has such nodes"
    best = min(able, key=lambda k: (abs(diagonal[k] - diagonal.mean()), k))
    assert example_unit(moments, 1, 0.3) == ("node", best + 1)


def test_largest_minimal_ratio_is_marked(results):
    statistics, _ = results
    axis = figures.plot_snr(statistics).axes[1]
    marked = [
        line.get_xdata()[0] for line in axis.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1
    ]
    best = best_threshold(statistics[["snr_minimum"]].mean("seed")).dropna("block")
    assert sorted(marked) == pytest.approx(sorted(best.values.tolist()))


def test_a_diverging_ratio_ends_its_curve(results):
    statistics, _ = results
    endless = statistics.assign(snr=xr.where(statistics.threshold > 0.5, np.inf, statistics.snr))
    line = figures.plot_snr(endless).axes[0].lines[0]
    shown = np.isfinite(np.asarray(line.get_ydata(), float))
    assert shown.any() and not shown[endless.threshold.values > 0.5].any()
    assert np.isfinite(figures.plot_snr(endless).axes[0].get_ylim()).all()


def test_evenness_joins_the_nodes_of_all_seeds(results):
    statistics, nodes = results
    expected = uniformity(
        statistics.appearance.sel(block=2, threshold=0.3).sum("seed").values,
        nodes.diagonal.sel(block=2, threshold=0.3).values.ravel(),
    )
    assert evenness(statistics, nodes, 2, 0.3) == expected
    with pytest.raises(SymbreakError, match="different seeds"):
        evenness(statistics, nodes.assign_coords(seed=[1, 3]), 2)


def test_labels_of_filters_leave_out_the_missing_ones():
    pairs = block_tables(planted.filters(), SETTINGS)
    assert np.isnan(pairs[1].diagonal.sel(block=2)).any()
    assert figures.plot_labels(*pairs, block=2).axes


@pytest.mark.parametrize("count", [10, 100, 1000])
def test_label_names_never_crowd(count):
    figure = Figure(figsize=(11, 3))
    axis = figure.subplots()
    name_labels(axis, [f"label {i}" for i in range(count)])
    shown = axis.get_xticklabels()
    assert len(shown) == count or "every" in axis.get_xlabel()
    assert len(shown) * shown[0].get_fontsize() <= 11 * 72


def test_block_colours_rise_in_brightness():
    colours = [matplotlib.colors.to_rgb(colour) for colour in block_colours(range(1, 8)).values()]
    brightness = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in colours]
    assert (np.diff(brightness) > 0.03).all()


def test_style_is_undone_after_an_error():
    before = dict(matplotlib.rcParams)

    @styled
    def fail():
        raise SymbreakError("no")

    with pytest.raises(SymbreakError):
        fail()
    assert dict(matplotlib.rcParams) == before


def test_verbs_draw_every_figure(tmp_path):
    folder, output = tmp_path / "tiny" / "small", tmp_path / "out" / "figures" / "small"
    config = planted.network_folder(folder.parent, ("attention", "block"))
    common = ["--config", str(config), "--folder", str(folder)]
    assert main(["null", *common, "--taps", "block"]) == 0
    assert main(["figures", *common, "--output", str(tmp_path / "out")]) == 0
    names = {path.relative_to(output).as_posix() for path in output.rglob("*.*")}
    of_tap = ("clusters", "snr", "mean_field", "labels", "matrix")
    expected = {"training", "accuracy", "block/null", "attention/heads_matrices"} | {
        f"{t}/{n}" for t in ("attention", "block") for n in of_tap
    }
    assert names == {f"{name}.png" for name in expected}
    for suffix, magic in (("pdf", b"%PDF"), ("svg", b"<?xml")):
        path = tmp_path / f"one.{suffix}"
        moments = folder / "seed1" / "moments" / "attention.nc"
        assert (
            main(["figure", "matrix", "--moments", str(moments), "--head", "2", "--output", str(path)]) == 0
        )
        assert path.read_bytes().startswith(magic)


def test_labels_of_one_seed_are_drawn_from_joined_statistics(network, tmp_path):
    folder = network
    arguments = ["figure", "labels", "--statistics", str(folder / "statistics" / "block.nc"), "--output"]
    own = ["--nodes", str(folder / "seed2" / "nodes" / "block.nc")]
    assert main([*arguments, str(tmp_path / "labels.png"), *own]) == 0
    assert (tmp_path / "labels.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["matrix", "--moments", "{moments}", "--node", "17"],
            "no node 17 in block 2; they count from 1 to 16",
        ),
        (["matrix", "--moments", "{moments}", "--block", "3"], "no block 3; choose one of 1, 2"),
        (["matrix", "--moments", "{moments}", "--head", "0"], "no head 0"),
        (["matrix", "--moments", "{statistics}"], "moments are wanted"),
        (["training", "--histories", "{moments}"], "give a history.csv"),
        (["labels", "--statistics", "{statistics}", "--nodes", "{moments}"], "nodes are wanted"),
    ],
)
def test_mistakes_with_figures_give_one_sentence(network, tmp_path, capsys, arguments, words):
    places = {
        "moments": network / "seed1" / "moments" / "block.nc",
        "statistics": network / "statistics" / "block.nc",
    }
    output = tmp_path / "x.png"
    assert main(["figure", *(word.format(**places) for word in arguments), "--output", str(output)]) == 2
    message = capsys.readouterr().err.strip().splitlines()
    assert len(message) == 1 and words in message[0]
    assert not output.exists()


def test_unknown_format_is_refused(network, tmp_path, capsys):
    moments = network / "seed1" / "moments" / "block.nc"
    assert main(["figure", "matrix", "--moments", str(moments), "--output", str(tmp_path / "x.gif")]) == 2
    assert ".png, .pdf or .svg" in capsys.readouterr().err


def test_every_figure_is_a_plot_of_the_package_and_no_function_shadows_its_module():
    modules = {module.name for module in pkgutil.iter_modules(figures.__path__)}
    assert figures.__all__ == sorted(figures.__all__)
    for name in figures.__all__:
        assert name.startswith("plot_") and name not in modules
        assert getattr(symbreak, name) is getattr(figures, name)
    for module in modules:
        loaded = importlib.import_module(f"symbreak.results.figures.{module}")
        assert not callable(getattr(loaded, module, None)), f"{module} is also a function"
    with pytest.raises(AttributeError, match="no attribute 'plot_nothing'"):
        symbreak.plot_nothing  # noqa: B018


def test_a_figure_shows_itself_in_a_notebook():
    figure = figures.plot_matrix(moments_example().symbreak.matrix(block=1, node=1))
    assert figure._repr_png_().startswith(b"\x89PNG")
