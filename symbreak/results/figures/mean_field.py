"""Mean-field theory over measured SNR."""

from __future__ import annotations

import xarray as xr

from symbreak.observables.nodes.mean_field import RELIABLE
from symbreak.results.averages import mean_and_error, repetitions
from symbreak.results.figures.style import GREY, PALETTE, Figure, block_colours, finish, styled


@styled
def plot_mean_field(statistics: xr.Dataset, theory: xr.Dataset | None, title: str = "") -> Figure:
    """Measured SNR of every block with its mean-field curve, and what the theory leaves over.

    Parameters
    ----------
    statistics : Dataset
        Statistics of one tap, of one seed or joined over seeds.
    theory : Dataset or None
        From :func:`symbreak.observables.block_mean_field`; None where the theory does not speak.
    title : str

    Returns
    -------
    Figure
        (a) Solid, with bands: measured; dashed: theory. (b) Their ratio, at the scanned thresholds nearest to
        those of the theory. Shaded: thresholds at which the theory is known to underestimate.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables import block_mean_field, block_tables
    >>> from symbreak.planted import moments_example
    >>> measured = block_tables(moments_example(), Statistics(thresholds=9))[0]
    >>> len(plot_mean_field(measured, block_mean_field(moments_example(), [0.2, 0.3], groups=1)).axes)
    2
    """
    figure = Figure(figsize=(9.2, 4.0))
    axes = figure.subplots(1, 2, sharex=True)
    mean, error = mean_and_error(statistics, "snr")
    last = 0.55 if theory is None else float(theory.threshold.max()) + 0.05
    for block, colour in block_colours(statistics.block.values).items():
        curve, band = (part.sel(block=block, threshold=mean.threshold <= last) for part in (mean, error))
        axes[0].plot(curve.threshold, curve, color=colour, label=f"block {block}")
        axes[0].fill_between(curve.threshold, curve - band, curve + band, color=colour, alpha=0.15, lw=0)
        if theory is not None:
            expected = theory.snr.sel(block=block)
            axes[0].plot(expected.threshold, expected, "--", color=colour)
            # At the scanned threshold itself, by linear interpolation of the smooth theory.
            at = curve.threshold[curve.threshold >= float(expected.threshold.min())]
            axes[1].plot(at, curve.sel(threshold=at) / expected.interp(threshold=at), color=colour)
    axes[1].axhline(1, color=PALETTE[0], lw=1, ls=":")
    axes[0].set_ylabel("SNR (1)")
    axes[1].set_ylabel("SNR, measured / theory (1)")
    for axis in axes:
        axis.set_xlabel("threshold (fraction of largest field)")
        axis.axvspan(RELIABLE, last, color=GREY, alpha=0.13, lw=0)
        axis.set_xlim(0, last)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return finish(figure, axes, title or f"Bands: {repetitions(statistics)[1]}")
