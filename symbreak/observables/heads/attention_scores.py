"""Attention maps: is the map of the head that recognises a label unlike those of the other heads?

P1 (arXiv:2501.12900) section 4 and Fig. 9 look at the scaled dot-product attention output fields of two
images, averaged over the dimensions of a head, and call what they show infrequent. Here the same map is taken
for every image and compared by numbers: with the other heads, with the image, with the map of all heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from symbreak.numerics.estimates import UNDEFINED, Estimate, compare_with_null, jackknife_error
from symbreak.observables.heads.accuracy import best_head_credit
from symbreak.observables.heads.map_likeness import map_criteria, map_scores

Floats = NDArray[np.float64]

#: Rules by which images are chosen to be shown.
PICTURES = ("least similar", "median", "most similar", "nearest to Fig. 9")


def best_heads(head_accuracy: ArrayLike) -> NDArray[np.int64]:
    """Head, from 1, that alone recognises each label most often; 0 where none or several do.

    Parameters
    ----------
    head_accuracy : (n_heads, n_labels) array of float

    Returns
    -------
    (n_labels,) array of int

    Examples
    --------
    >>> best_heads([[0.9, 0.5, 0.0], [0.1, 0.5, 0.0]]).tolist()
    [1, 0, 0]
    """
    credit = best_head_credit(head_accuracy)
    single = (credit == 1).any(axis=0) & (np.asarray(head_accuracy).max(axis=0) > 0)
    return np.where(single, credit.argmax(axis=0) + 1, 0)


def of_best_heads(
    criterion: ArrayLike, best: ArrayLike, truth: ArrayLike, kept: ArrayLike, n_shuffles: int, seed: int
) -> Estimate:
    """Mean of a criterion over images, for the best head of each image's label.

    Null model: the best heads shuffled among the labels, each head keeping its number of labels; so a head
    whose map is unlike the others for every label proves nothing. Standard error: jackknife over labels,
    because images of one label share their head.

    Parameters
    ----------
    criterion : (n_images, n_heads) array of float
    best : (n_labels,) array of int
        From :func:`best_heads`; labels with 0 take no part.
    truth : (n_images,) array of int
        Label of each image.
    kept : (n_images,) array of bool
        Images that take part: those that the network recognises.
    n_shuffles, seed : int

    Returns
    -------
    Estimate
        NaN without such images, or where there is a single head.

    Examples
    --------
    >>> yes = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    >>> result = of_best_heads(yes, [1, 2], [0, 1, 0, 1], [True] * 4, n_shuffles=99, seed=0)
    >>> result.value, 0.4 < result.null < 0.6
    (1.0, True)
    """
    values, owner, label = np.asarray(criterion, dtype=float), np.asarray(best), np.asarray(truth)
    used = np.asarray(kept, dtype=bool) & (owner[label] > 0)
    if values.shape[1] < 2 or not used.any():
        return UNDEFINED
    sums = np.zeros((len(owner), values.shape[1]))
    np.add.at(sums, label[used], values[used])
    count = np.bincount(label[used], minlength=len(owner))
    labels = np.flatnonzero(count)
    sums, count, head = sums[labels], count[labels], owner[labels] - 1
    own, rows = sums[np.arange(len(labels)), head], np.arange(len(labels))
    left = (own.sum() - own) / np.maximum(count.sum() - count, 1)
    random = np.random.default_rng(seed)
    shuffled = random.permuted(np.tile(head, (n_shuffles, 1)), axis=1)
    draws = sums[rows, shuffled].sum(axis=1) / count.sum()
    return compare_with_null(own.sum() / count.sum(), jackknife_error(left), draws)


def attention_block(
    maps: NDArray,
    brightness: NDArray,
    truth: NDArray,
    correct: NDArray,
    head_accuracy: NDArray,
    n_shuffles: int = 999,
    seed: int = 0,
) -> xr.Dataset:
    """Scores of all images of one block, what they say of the best heads, and images to be shown.

    Parameters
    ----------
    maps : (n_images, n_heads, n_tokens) array of float
    brightness : (n_images, n_tokens) array of float
    truth, correct : (n_images,) arrays of float
        Label of each image; is it recognised by the network?
    head_accuracy : (n_heads, n_labels) array of float
    n_shuffles, seed : int
        Of the null model.

    Returns
    -------
    Dataset
        The scores of :func:`map_scores` on (sample, head); each of :func:`map_criteria` as an estimate
        ``x``, ``x_stderr``, ``x_null``, ``x_null_deviation``, ``x_p``; ``x_shuffled`` with the other maps or
        the image taken from another image; `best_head` (label); `picture_sample` (picture) and `head_map`
        (picture, head, token) of the images that `PICTURES` names.

    Raises
    ------
    SymbreakError
        If shapes do not fit.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> truth = np.arange(20) % 4
    >>> table = attention_block(random.normal(size=(20, 2, 9)), random.normal(size=(20, 9)), truth,
    ...     np.ones(20, bool), random.uniform(size=(2, 4)), n_shuffles=99)
    >>> table.similarity.dims, 0 <= float(table.apart) <= 1
    (('sample', 'head'), True)
    """
    partner = _partners(len(maps), seed)
    scores = map_scores(maps, brightness, partner)
    best = best_heads(head_accuracy)
    shuffled = scores | {name: scores[f"{name}_shuffled"] for name in ("similarity", "image_similarity")}
    variables: dict[str, Any] = {
        name: (("sample", "head"), values.astype("float32")) for name, values in scores.items()
    }
    others = map_criteria(shuffled)
    for name, criterion in map_criteria(scores).items():
        result = of_best_heads(criterion, best, truth, correct, n_shuffles, seed)
        variables |= result.variables(name)
        if name != "dominant":  # the mean map is that of the image itself
            other = of_best_heads(others[name], best, truth, correct, 1, seed)
            variables[f"{name}_shuffled"] = ((), other.value)
    chosen = choose_pictures(scores, best, truth, correct)
    variables["best_head"] = ("label", best)
    variables["picture_sample"] = ("picture", chosen)
    variables["head_map"] = (("picture", "head", "token"), maps[chosen].astype("float32"))
    coordinates = {
        "sample": np.arange(len(maps)),
        "head": np.arange(1, maps.shape[1] + 1),
        "token": np.arange(maps.shape[2]),
        "label": np.arange(len(best)),
        "picture": list(PICTURES),
    }
    return xr.Dataset(variables, coordinates)


def choose_pictures(
    scores: dict[str, Floats], best: NDArray, truth: NDArray, correct: NDArray
) -> NDArray[np.int64]:
    """Images to be shown, by the rules of `PICTURES`, not by hand.

    Of the images that the network recognises and whose label has a best head: the lowest, median and largest
    similarity of the best head's map with the others; and where that map leads most in likeness to the image
    over the next head. With a single head, or without such images, the first ones.

    Returns
    -------
    (n_pictures,) array of int
        Numbers of the images.
    """
    head = best[truth] - 1
    used = np.flatnonzero(correct.astype(bool) & (head >= 0))
    if scores["similarity"].shape[1] < 2 or not used.size:
        return np.arange(len(PICTURES)) % len(truth)
    similarity = scores["similarity"][used, head[used]]
    order = used[np.argsort(similarity, kind="stable")]
    image = scores["image_similarity"][used].copy()
    own = image[np.arange(used.size), head[used]]
    image[np.arange(used.size), head[used]] = -np.inf
    return np.array([order[0], order[len(order) // 2], order[-1], used[np.argmax(own - image.max(axis=1))]])


def _partners(images: int, seed: int) -> NDArray[np.int64]:
    """Another image for each image, at random."""
    order = np.random.default_rng(seed).permutation(images)
    partner = np.empty(images, dtype=np.int64)
    partner[order] = np.roll(order, 1)
    return partner


def summaries(datasets: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """Leave out what belongs to single images.

    Examples
    --------
    >>> [list(part) for part in summaries([xr.Dataset({"apart": 0.5, "similarity": ("sample", [1.0])})])]
    [['apart']]
    """
    dims = ("sample", "picture", "token", "row", "column", "colour", "head", "label")
    return [dataset.drop_dims([dim for dim in dims if dim in dataset.dims]) for dataset in datasets]
