"""Do independent trainings, or two blocks of one network, divide the labels alike?"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from symbreak.results.averages import with_seeds
from symbreak.results.figures.heads import place_of
from symbreak.results.figures.order import chance_band
from symbreak.results.figures.style import GREY, PALETTE, Figure, block_axis, finish, styled


@styled
def plot_replica_overlaps(replicas: xr.Dataset, heads: xr.Dataset, title: str = "") -> Figure:
    """Overlaps of seeds against block and of pairs of blocks, compared with shuffled labels.

    Parameters
    ----------
    replicas : Dataset
        Overlaps of one tap.
    heads : Dataset
        Heads of the same tap, joined over seeds: the overlap of a division with itself is its
        Edwards-Anderson order q_a, and two overlap by at most sqrt(q_a q_b).
    title : str

    Returns
    -------
    Figure
        a: every pair of seeds, filled where q is at most the level; band: nodes of both shuffled among their
        heads, two standard deviations. b: mean overlap of two blocks of one network over seeds, minus its
        null value.

    Examples
    --------
    >>> from symbreak.config import Heads
    >>> from symbreak.observables import replica_tables
    >>> from symbreak.planted import head_tables_example
    >>> heads = head_tables_example(seeds=2)
    >>> table = replica_tables(heads, Heads(n_shuffles=99))
    >>> [axis.get_ylabel() for axis in plot_replica_overlaps(table, heads).axes[:2]]
    ['overlap of two seeds, $q_{ab}$ (1)', 'encoder block']
    """
    figure = Figure(figsize=(9.6, 4.2))
    axes = figure.subplots(1, 2)
    blocks = replicas.block.values
    level = float(heads.attrs.get("level", 0.05))
    _seeds(axes[0], replicas, with_seeds(heads), level)
    axes[0].set_ylabel("overlap of two seeds, $q_{ab}$ (1)")
    block_axis(axes[0], blocks)
    excess = (replicas.block_overlap - replicas.block_overlap_null).transpose("seed", "block", "other_block")
    mean = excess.mean("seed").values
    top = float(np.nanmax(np.abs(mean))) if np.isfinite(mean).any() else 1.0
    image = axes[1].imshow(mean, origin="lower", cmap="RdBu_r", vmin=-top, vmax=top)
    axes[1].set_xticks(range(len(blocks)), [str(b) for b in blocks])
    axes[1].set_yticks(range(len(blocks)), [str(b) for b in blocks])
    axes[1].set_xlabel("encoder block")
    axes[1].set_ylabel("encoder block")
    figure.colorbar(image, ax=axes[1], label="overlap of two blocks minus chance (1)", shrink=0.85)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return finish(
        figure,
        axes,
        title
        or place_of(heads)
        + "Heads relabelled for the largest overlap; band: nodes of both assigned to heads at random",
    )


def _seeds(axis: Axes, replicas: xr.Dataset, heads: xr.Dataset, level: float) -> None:
    blocks = replicas.block.values
    pairs = np.triu_indices(replicas.sizes["seed"], 1)
    if not len(pairs[0]):
        axis.text(0.5, 0.5, "one seed: nothing to compare", transform=axis.transAxes, ha="center", color=GREY)
        return

    def values(name: str) -> np.ndarray:
        return replicas[name].transpose("block", "seed", "other_seed").values[:, pairs[0], pairs[1]]

    chance_band(
        axis, blocks, values("overlap_null").mean(axis=1), values("overlap_null_deviation").mean(axis=1)
    )
    overlap, error, adjusted = values("overlap"), values("overlap_stderr"), values("overlap_q")
    shift = np.linspace(-0.18, 0.18, overlap.shape[1]) if overlap.shape[1] > 1 else np.zeros(1)
    place = np.broadcast_to(blocks[:, None] + shift, overlap.shape)
    beyond = adjusted <= level
    for chosen, face, words in (
        (beyond, PALETTE[0], "pair of seeds, beyond chance"),
        (~beyond, "white", "pair of seeds"),
    ):
        if chosen.any():
            axis.errorbar(
                place[chosen],
                overlap[chosen],
                error[chosen],
                fmt="o",
                color=PALETTE[0],
                mfc=face,
                label=words,
            )
    own = heads.edwards_anderson.transpose("block", "seed").values
    ceiling = np.sqrt(own[:, pairs[0]] * own[:, pairs[1]])
    axis.plot(place.ravel(), ceiling.ravel(), "_", color=PALETTE[1], ms=9, mew=2, label="the most it can be")
    labels = values("overlap_labels_null").mean(axis=1)
    axis.plot(blocks, labels, ":", color=PALETTE[2], label="labels shuffled (mean)")
    axis.set_ylim(bottom=min(0.0, float(np.nanmin(overlap - error)) if np.isfinite(overlap).any() else 0.0))
