"""How evenly nodes share out the labels: appearances and diagonal field of every label."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from symbreak.errors import SymbreakError
from symbreak.observables import Uniformity, uniformity
from symbreak.results.averages import at_threshold, mean_and_error
from symbreak.results.figures.heads import label_names
from symbreak.results.figures.style import GREY, PALETTE, Figure, finish, name_labels, styled


def evenness(statistics: xr.Dataset, nodes: xr.Dataset, block: int, threshold: float = 0.3) -> Uniformity:
    """Test over all seeds together whether labels appear equally often in the clusters of nodes.

    Parameters
    ----------
    statistics, nodes : Dataset
        Of one seed, or both joined over the same seeds.
    block : int
    threshold : float
        The nearest scanned one is taken.

    Returns
    -------
    Uniformity
        See :func:`symbreak.observables.uniformity`; nodes of all seeds count as one set of matrices.

    Raises
    ------
    SymbreakError
        If the files do not belong together.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example
    >>> tables, nodes = block_tables(moments_example(), Statistics(thresholds=9))
    >>> evenness(tables, nodes, block=2).degrees_of_freedom
    9
    """
    appearance = at_threshold(statistics, threshold).appearance.sel(block=block)
    diagonal = at_threshold(nodes, threshold).diagonal.sel(block=block)
    if "seed" in appearance.dims:
        if not np.array_equal(np.sort(appearance.seed), np.sort(diagonal.seed)):
            raise SymbreakError("statistics and nodes are of different seeds; give files of the same ones.")
        appearance = appearance.sum("seed")
    held = diagonal.values.ravel()
    return uniformity(appearance.values, held[np.isfinite(held)])


@styled
def plot_labels(
    statistics: xr.Dataset, nodes: xr.Dataset, block: int, threshold: float = 0.3, title: str = ""
) -> Figure:
    """Appearances of labels in clusters, and their total diagonal field: P1 (arXiv:2501.12900) Fig. 4.

    Parameters
    ----------
    statistics, nodes : Dataset
        Of one seed, or both joined over the same seeds.
    block : int
    threshold : float
        The nearest scanned one is taken.
    title : str

    Returns
    -------
    Figure
        Bars: mean over seeds. Line: mean over labels; band: what one standard deviation of labels would be if
        every node drew its labels at random, with the chi-square of that null and its p-value.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_tables
    >>> from symbreak.planted import moments_example
    >>> figure = plot_labels(*block_tables(moments_example(), Statistics(thresholds=9)), block=2)
    >>> [axis.get_ylabel() for axis in figure.axes]
    ['appearances in clusters (1)', 'total diagonal field (1)']
    """
    chosen = at_threshold(statistics, threshold).sel(block=block)
    test = evenness(statistics, nodes, block, threshold)
    figure = Figure(figsize=(11.0, 6.2))
    axes = figure.subplots(2, 1, sharex=True)
    _bars(axes[0], *mean_and_error(chosen, "appearance"))
    _bars(axes[1], *mean_and_error(chosen, "cluster_field"))
    mean = float(mean_and_error(chosen, "appearance")[0].mean())
    spread = mean * float(test.variation_null)
    axes[0].axhspan(mean - spread, mean + spread, color=PALETTE[1], alpha=0.25, lw=0, zorder=3)
    axes[0].set_title(
        f"spread over labels {test.variation:.2f} of the mean; {test.variation_null:.2f} (band) "
        f"if nodes chose labels at random: $\\chi^2$ = {test.statistic:.0f} at "
        f"{test.degrees_of_freedom} degrees of freedom, {_verdict(test)}",
        fontsize=10,
    )
    axes[0].set_ylabel("appearances in clusters (1)")
    field = mean_and_error(chosen, "cluster_field")[0]
    spread = float(field.std() / field.mean()) if float(field.mean()) else 0.0
    axes[1].set_title(f"spread over labels {spread:.2f} of the mean", fontsize=10)
    axes[1].set_ylabel("total diagonal field (1)")
    name_labels(axes[1], label_names(chosen))
    return finish(figure, axes, title or f"Block {block}, threshold {float(chosen.threshold):g}")


def _verdict(test: Uniformity) -> str:
    """Side of the null on which the labels are, with the probability of as much on that side."""
    if test.p_value <= 0.5:
        return "less even, " + (f"p = {test.p_value:.2g}" if test.p_value > 1e-12 else "p < 1e-12")
    below = 1 - test.p_value
    return "more even, " + (f"p = {below:.2g}" if below > 1e-12 else "p < 1e-12")


def _bars(axis: Axes, mean: xr.DataArray, error: xr.DataArray) -> None:
    places = np.arange(mean.size)
    axis.bar(places, mean, width=0.8, color=PALETTE[0], alpha=0.85)
    if np.isfinite(error).any():
        axis.errorbar(places, mean, error, fmt="none", ecolor=GREY, elinewidth=0.6, alpha=0.7, capsize=0)
    axis.axhline(float(mean.mean()), color=PALETTE[1], lw=1.4, ls="--", zorder=4)
