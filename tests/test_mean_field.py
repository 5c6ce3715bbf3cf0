"""Mean-field theory of thresholded outer products against simulated ones, and its way into a figure."""

import numpy as np
import pytest
import xarray as xr

from symbreak.clusters import scan
from symbreak.errors import SymbreakError
from symbreak.observables import block_statistics
from symbreak.observables.nodes.mean_field import RELIABLE, _largest_fields, block_mean_field, mean_field_snr
from symbreak.planted import moments_example

WORLDS = [(0.8, 0.0, 0.0), (0.8, 1.2, 0.0), (0.5, 1.2, 0.0), (0.3, 0.5, -0.3), (0.95, 2.0, 0.5)]


def simulated(correlation, offset, readout_offset, n_labels=100, n_nodes=2500):
    z = np.random.default_rng(3).normal(size=(2, n_labels, n_nodes))
    weights = readout_offset + correlation * z[0] + np.sqrt(1 - correlation**2) * z[1]
    return offset + z[0], weights


@pytest.mark.parametrize("world", WORLDS)
def test_theory_meets_simulation_within_its_error(world):
    means, weights = simulated(*world)
    cuts = np.array([0.1, 0.2, RELIABLE])
    found = block_statistics(scan(means, weights, cuts, "min_cover"))
    theory = mean_field_snr(*world[:2], cuts, 100, world[2])
    for name, error in (("n_clusters", 0.04), ("diagonal", 0.02), ("noise", 0.03), ("snr", 0.03)):
        np.testing.assert_allclose(theory[name], found[name], rtol=error, err_msg=name)


@pytest.mark.parametrize("world", WORLDS)
def test_largest_fields_have_their_law(world):
    means, weights = simulated(*world)
    largest = np.maximum(means.max(0) * weights.max(0), means.min(0) * weights.min(0))
    levels = (np.arange(5) + 0.5) / 5
    np.testing.assert_allclose(_largest_fields(*world, 100), np.quantile(largest, levels), rtol=0.03)


def test_theory_says_where_it_underestimates():
    means, weights = simulated(0.8, 1.2, 0.0)
    found = block_statistics(scan(means, weights, [0.7], "min_cover"))
    assert float(mean_field_snr(0.8, 1.2, [0.7], 100).snr[0]) < 0.75 * float(found.snr[0])


def test_curves_of_blocks_read_correlation_and_offset_off_the_arrays():
    means, weights = simulated(0.7, 0.9, 0.1, n_nodes=400)
    moments = xr.Dataset(
        {
            "feature_mean": (("block", "fold", "label", "node"), 3.0 * means[None, None] + 0.0),
            "readout": (("block", "output", "node"), 0.2 * weights[None]),
            "count": (("fold", "label"), np.full((1, 100), 50)),
        },
        {"block": [1]},
    )
    curves = block_mean_field(moments, [0.2, 0.3])
    assert abs(float(curves.correlation[0]) - 0.7) < 0.02 and abs(float(curves.offset[0]) - 0.9) < 0.05
    found = block_statistics(scan(means, weights, [0.2, 0.3], "min_cover"))
    np.testing.assert_allclose(curves.snr[0], found.snr, rtol=0.04)
    assert float(block_mean_field(moments, [0.3], centred=True).offset[0]) < 1e-9
    moments.feature_mean[..., :3] = 1.0
    assert int(block_mean_field(moments, [0.3]).n_undefined[0]) == 3


@pytest.mark.parametrize(
    "arguments",
    [(1.0, 0.0, [0.3], 100), (0.5, np.nan, [0.3], 100), (0.5, 0.0, [1.0], 100), (0.5, 0.0, [0.3], 5)],
)
def test_what_the_theory_does_not_know_is_refused(arguments):
    with pytest.raises(SymbreakError, match="mean_field"):
        mean_field_snr(*arguments)


def test_filters_are_refused():
    moments = moments_example(nodes=6)
    moments.coords["filter_of_node"] = ("node", [1, 1, 2, 2, 3, 3])
    with pytest.raises(SymbreakError, match="filters"):
        block_mean_field(moments, [0.3])
