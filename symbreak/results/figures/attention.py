"""Attention maps of heads and the image: P1 (arXiv:2501.12900) Fig. 9, and all images in numbers."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from symbreak.errors import SymbreakError
from symbreak.observables.heads.map_likeness import ALIKE
from symbreak.results.figures.heads import label_names, place_of
from symbreak.results.figures.style import GREY, PALETTE, Figure, finish, styled
from symbreak.results.figures.text import literal


@styled
def plot_attention_maps(attention: xr.Dataset, block: int | None = None, title: str = "") -> Figure:
    """Chosen images with the map of every head; below, similarities over all images with their nulls.

    Parameters
    ----------
    attention : Dataset
        ``attention/attention.nc`` of one seed.
    block : int, optional
        Default: the last of the file that has several heads.
    title : str

    Returns
    -------
    Figure
        Images chosen by rule (`symbreak.observables.heads.attention_scores.PICTURES`), each map on its own
        scale, the best head framed; below each map both correlations. a: mean correlation of the best head's
        map with the other heads' maps; b: size of the correlation with the brightness of the image. Only
        images that the network recognises.

    Raises
    ------
    SymbreakError
        If the file has no such block, or the block has one head.

    Examples
    --------
    >>> from symbreak.planted.maps import attention_example
    >>> plot_attention_maps(attention_example()).get_suptitle().splitlines()[0]
    'Attention output fields of block 1, seed 1; the best head of the label is framed'
    """
    several = attention.block.values[attention.n_heads.values > 1]
    number = int([*attention.block.values, *several][-1]) if block is None else block
    if number not in attention.block:
        raise SymbreakError(f"There is no block {number}; choose one of {attention.block.values.tolist()}.")
    chosen = attention.sel(block=number)
    heads = int(chosen.n_heads)
    if heads < 2:
        raise SymbreakError(f"Block {number} has a single head, whose map has no other to compare with.")
    width = min(max(8.2, 1.25 * (heads + 2) + 1.2), 18.0)
    cell = (width - 1.2) / (heads + 2)
    figure = Figure(figsize=(width, 0.9 + (cell + 0.12) * chosen.sizes["picture"] + 3.6))
    rows = (cell + 0.12) * chosen.sizes["picture"] + 0.3, 3.3
    above, below = np.ravel(np.asarray(figure.subfigures(2, 1, height_ratios=rows)))
    _pictures(above, chosen, heads)
    axes = below.subplots(1, 2)
    _histograms(axes, chosen, heads)
    words = f"Attention output fields of block {number}, seed {attention.attrs.get('seed', 1)}; "
    words += "the best head of the label is framed"
    words += "\nBelow each map: mean correlation with the other maps | correlation with the image"
    return finish(figure, (), title or place_of(attention) + words)


def _pictures(part: SubFigure, chosen: xr.Dataset, heads: int) -> None:
    axes = part.subplots(chosen.sizes["picture"], heads + 2, squeeze=False)
    truth = chosen.truth.values
    for line, rule in zip(axes, chosen.picture.values):
        picture = chosen.sel(picture=rule)
        sample = int(picture.picture_sample)
        label = int(truth[sample])
        best = int(chosen.best_head.values[label])
        maps = picture.head_map.transpose("head", "token").values[:heads]
        pixels = picture.image.transpose("row", "column", "colour").values.astype("uint8")
        line[0].imshow(pixels, interpolation="nearest")
        name = literal(label_names(chosen)[label]) if "label_name" in chosen.coords else str(label)
        by_rule = best > 0 and bool(chosen.correct.values[sample])  # else none was to choose from
        line[0].set_ylabel(f"{rule}\n{name}" if by_rule else name, fontsize=9)
        for place, values in enumerate([maps.mean(axis=0), *maps]):
            axis = line[place + 1]
            axis.imshow(_square(values), interpolation="nearest", cmap="viridis")
            if place:
                sample_values = chosen.isel(sample=sample, head=place - 1)
                axis.set_xlabel(
                    f"{float(sample_values.similarity):.2f} | {float(sample_values.image_similarity):.2f}",
                    fontsize=8,
                    color=GREY,
                    labelpad=2,
                )
            framed = place == best and place > 0
            for spine in axis.spines.values():
                spine.set(visible=framed, color=PALETTE[1], linewidth=3.0)
    for axis in axes.ravel():
        axis.set_xticks([])
        axis.set_yticks([])
    for axis, words in zip(axes[0], ["image", "all heads", *(f"head {h}" for h in range(1, heads + 1))]):
        axis.set_title(words, fontsize=10)


def _square(values: np.ndarray) -> np.ndarray:
    side = math.isqrt(values.size)
    return values.reshape(side, side)


def _histograms(axes: np.ndarray, chosen: xr.Dataset, heads: int) -> None:
    """Distributions over all recognised images, of the best head and of two null models."""
    best = chosen.best_head.values[chosen.truth.values]
    used = np.flatnonzero((chosen.correct.values > 0) & (best > 0))
    own = best[used] - 1
    if not used.size:
        for axis in axes:
            axis.set_axis_off()
        axes[0].set_title("No image is recognised whose label has a best head.", fontsize=9.5)
        return
    weight = np.bincount(own, minlength=heads)[:heads] / max(len(own), 1)
    for axis, name, limits in ((axes[0], "similarity", (-1, 1)), (axes[1], "image_similarity", (0, 1))):
        bins = np.linspace(*limits, 51)
        values = chosen[name].transpose("sample", "head").values[used, :heads]
        shuffled = chosen[f"{name}_shuffled"].transpose("sample", "head").values[used, own]
        axis.hist(
            values[np.arange(len(used)), own],
            bins,
            density=True,
            color=PALETTE[0],
            alpha=0.35,
            label="best head of the label",
        )
        # Best heads shuffled among labels: every head of every image, as often as it is the best.
        axis.hist(
            values.ravel(),
            bins,
            weights=np.tile(weight, len(used)),
            density=True,
            histtype="step",
            color=PALETTE[1],
            lw=1.6,
            label="null: best heads shuffled among labels",
        )
        axis.hist(
            shuffled,
            bins,
            density=True,
            histtype="step",
            color=GREY,
            lw=1.4,
            label="null: images shuffled",
        )
        axis.set_xlim(limits)
        axis.set_ylabel("density of images")
        axis.margins(y=0.3)
    axes[1].axvline(ALIKE, color=GREY, lw=1, ls=":")
    axes[0].set_xlabel("mean correlation with the maps of other heads, $r$ (1)")
    axes[1].set_xlabel("correlation with the image, $|r|$ (1)")
    axes[0].legend(loc="upper left", fontsize=8.5)
    _in_words(axes[0], "a", chosen, "apart", "least similar to the others")
    _in_words(axes[1], "b", chosen, "image_alone", f"alone above {ALIKE:g}")


def _in_words(axis: Axes, letter: str, chosen: xr.Dataset, name: str, words: str) -> None:
    """Share of images in a title, compared with chance."""
    axis.set_title(letter, loc="left", fontweight="bold")
    value, error, null, spread = (
        100 * float(chosen[f"{name}{suffix}"]) for suffix in ("", "_stderr", "_null", "_null_deviation")
    )
    chance = f"by chance {null:.1f} ± {spread:.1f} %"
    axis.set_title(f"{words}: {value:.1f} ± {error:.1f} %\n{chance}", fontsize=9.5, color=GREY)
