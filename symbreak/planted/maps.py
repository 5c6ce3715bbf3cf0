"""Attention maps with a known answer: the best head sees the image, the others see something else."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.observables import attention_block
from symbreak.store import describe
from symbreak.store.joining import stack_blocks


def planted_maps(
    share: float = 0.5, images: int = 400, heads: int = 4, side: int = 4, labels: int = 8, seed: int = 0
) -> dict[str, np.ndarray]:
    """Maps in which the best head of the label shows the image in a share of the images, else no head does.

    Parameters
    ----------
    share : float
        Share of images in which it does.
    images, heads, side, labels, seed : int

    Returns
    -------
    dict
        Arguments `maps`, `brightness`, `truth`, `correct`, `head_accuracy` of
        :func:`symbreak.observables.heads.attention_scores.attention_block`, and `shown` (images,), where
        it does.

    Examples
    --------
    >>> planted_maps(images=10)["maps"].shape
    (10, 4, 16)
    """
    random = np.random.default_rng(seed)
    truth = np.arange(images) % labels
    brightness = random.normal(size=(images, side * side))
    common = random.normal(size=(images, 1, side * side))
    maps = common + 0.3 * random.normal(size=(images, heads, side * side))
    best = np.arange(labels) % heads
    shown = random.uniform(size=images) < share
    maps[shown, best[truth[shown]]] = 3 * brightness[shown] + 0.3 * random.normal(size=(shown.sum(), side**2))
    accuracy = np.where(np.arange(heads)[:, None] == best, 0.8, 0.1)
    return {
        "maps": maps,
        "brightness": brightness,
        "truth": truth,
        "correct": np.ones(images, dtype=bool),
        "head_accuracy": accuracy,
        "shown": shown,
    }


def attention_example(blocks: int = 1, share: float = 0.5) -> xr.Dataset:
    """A file of attention maps as ``attention/attention.nc``, planted.

    Examples
    --------
    >>> attention_example().similarity.dims
    ('block', 'sample', 'head')
    """
    tables = []
    for block in range(1, blocks + 1):
        world = planted_maps(share, seed=block)
        del world["shown"]
        table = attention_block(**world, n_shuffles=99, seed=block)
        grid = world["brightness"][table.picture_sample.values].reshape(-1, 4, 4, 1)
        pixels = np.clip(128 + 50 * np.repeat(grid, 3, axis=3), 0, 255).astype("uint8")
        tables.append(table.assign(image=(("picture", "row", "column", "colour"), pixels)))
    numbers = np.arange(1, blocks + 1)
    dataset = stack_blocks(tables, xr.DataArray(numbers, dims="block", coords={"block": numbers}))
    dataset["n_heads"] = ("block", np.full(blocks, 4))
    dataset["truth"] = ("sample", world["truth"].astype("int32"))
    dataset["correct"] = ("sample", world["correct"].astype("int8"))
    sides = {"row": np.arange(4), "column": np.arange(4), "colour": np.arange(3)}
    return describe(dataset.assign_coords(sides), "attention").assign_attrs(seed=1)
