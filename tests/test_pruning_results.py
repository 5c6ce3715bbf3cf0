"""Tables and figures of pruning, on planted studies."""

import numpy as np
import pytest
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.planted import pruning_example, silencing_example
from symbreak.results import figures
from symbreak.results.tables.pruning import export_table, layer_table, method_table, silencing_table


def test_tables_print_the_paper_beside_ours_where_it_is_the_same_case():
    readout = pruning_example(seeds=3).isel(layer=[0]).assign_coords(layer=["readout"])
    readout["kept_weights"] = readout.kept_weights * 0 + xr.DataArray(
        [[56], [200]], dims=("setting", "layer")
    )
    table = method_table(readout, "P1").set_index(["setting", "method"])
    assert (
        table.after_printed["kept 0.1", "andc"] == 0.77 and table.after_printed["kept 0.1", "random"] == 0.53
    )
    assert table.after_printed["kept 0.3", "andc"] == 0.809
    assert np.isnan(table.after_printed["kept 0.3", "random"])
    assert "after_printed" not in method_table(pruning_example(), "P1")


def test_losses_are_paired_within_seeds():
    study = pruning_example(seeds=3)
    drift = xr.DataArray([0.0, 0.1, -0.1], dims="seed")  # seeds differ much, their losses do not
    for name in ("pruned_accuracy", "dense_accuracy"):
        study[name] = study[name] + drift
    row = method_table(study).iloc[1]
    assert row.loss == pytest.approx(0.051, abs=0.003) and row.loss_error < 0.01 < row.after_error
    assert layer_table(study).nodes.tolist() == ["input", "output", "input", "output", ""] * 2
    assert export_table(study).gain_1[1] == pytest.approx(1.0)
    assert silencing_table(silencing_example()).p.tolist() == [0.005, 0.005]


def test_a_criterion_that_no_node_meets_is_left_empty():
    nobody = silencing_example()
    nobody["n_silenced"] = nobody.n_silenced * [0, 1]
    table = silencing_table(nobody)
    assert table.n_silenced[0] == 0 and table.loc[0, ["without", "by_chance", "p", "retrained"]].isna().all()
    assert table.p[1] == 0.005
    figures.plot_silencing(nobody)


def test_figures_show_every_method_and_setting():
    study = pruning_example(seeds=2)
    curves = figures.plot_pruning_curves({"last": study})
    labels = [text.get_text() for text in curves.legends[0].get_texts()]
    assert "not pruned" in labels and "largest weights" not in labels and len(labels) == 3
    assert len(figures.plot_retraining(study).axes) == 2
    assert len(figures.plot_pruning_layers(study).axes[0].patches) == 4
    with pytest.raises(SymbreakError, match="no study"):
        figures.plot_pruning_front({})
