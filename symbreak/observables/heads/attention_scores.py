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

from symbreak.errors import SymbreakError
from symbreak.numerics.estimates import UNDEFINED, Estimate, compare_with_null, jackknife_error
from symbreak.observables.heads.accuracy import best_head_credit

Floats = NDArray[np.float64]

#: Correlation with the image from which a map is said to look like it (our choice: P1 gives no number).
ALIKE = 0.5

#: Rules by which images are chosen to be shown.
PICTURES = ("least similar", "median", "most similar", "nearest to Fig. 9")


def pearson(one: ArrayLike, two: ArrayLike) -> Floats:
    """Correlation of maps over tokens, the last dimension; 0 for a constant map, which shows nothing.

    Examples
    --------
    >>> pearson([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]], [0.0, 2.0, 4.0]).round(12).tolist()
    [1.0, 0.0]
    """
    first, second = (_standard(maps) for maps in (one, two))
    return (first * second).sum(axis=-1)


def _standard(maps: ArrayLike) -> Floats:
    values = np.asarray(maps, dtype=np.float64)
    values = values - values.mean(axis=-1, keepdims=True)
    size = np.sqrt((values**2).sum(axis=-1, keepdims=True))
    return np.where(size > 1e-12, values / np.where(size > 1e-12, size, 1.0), 0.0)


def map_scores(maps: ArrayLike, brightness: ArrayLike, partner: ArrayLike) -> dict[str, Floats]:
    """Compare the map of each head with the others, with the image and with the map of all heads.

    Parameters
    ----------
    maps : (n_images, n_heads, n_tokens) array of float
        Attention output fields, averaged over the nodes of each head (P1 Fig. 9).
    brightness : (n_images, n_tokens) array of float
        Brightness of each image at the places of the tokens.
    partner : (n_images,) array of int
        Another image for each, for the null of shuffled images.

    Returns
    -------
    dict of (n_images, n_heads) arrays of float
        `similarity`, mean correlation with the maps of the other heads (NaN for a single head);
        `image_similarity`, size of the correlation with the brightness (a bright letter may be a dark spot of
        the map); `mean_similarity`, correlation with the mean map of all heads; the first two also with the
        other maps, or the image, of the partner: ``_shuffled``.

    Raises
    ------
    SymbreakError
        If the shapes do not fit.

    Examples
    --------
    >>> maps = np.array([[[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]])
    >>> scores = map_scores(maps, [[0.0, 1.0, 2.0]], [0])
    >>> scores["similarity"].round(12).tolist(), scores["image_similarity"].round(12).tolist()
    ([[-1.0, -1.0]], [[1.0, 1.0]])
    """
    fields, light, other = np.asarray(maps), np.asarray(brightness), np.asarray(partner)
    if fields.ndim != 3 or light.shape != (len(fields), fields.shape[2]) or other.shape != (len(fields),):
        raise SymbreakError(
            f"maps have shape {fields.shape}, brightness {light.shape} and partner {other.shape}: "
            "give (images, heads, tokens), (images, tokens) and (images,)."
        )
    unit, light = _standard(fields), _standard(light)
    heads = fields.shape[1]

    def among(one: Floats, two: Floats) -> Floats:
        """Mean correlation with the maps of other heads."""
        if heads == 1:
            return np.full(one.shape[:2], np.nan)
        return ((one * two.sum(axis=1, keepdims=True)).sum(-1) - (one * two).sum(-1)) / (heads - 1)

    return {
        "similarity": among(unit, unit),
        "similarity_shuffled": among(unit, unit[other]),
        "image_similarity": np.abs((unit * light[:, None]).sum(-1)),
        "image_similarity_shuffled": np.abs((unit * light[other][:, None]).sum(-1)),
        "mean_similarity": pearson(fields, fields.mean(axis=1, keepdims=True)),
    }


def map_criteria(scores: dict[str, Floats]) -> dict[str, Floats]:
    """What is asked of each head of each image, as a number: 1 for yes, ties shared.

    Parameters
    ----------
    scores : dict of (n_images, n_heads) arrays of float
        From :func:`map_scores`.

    Returns
    -------
    dict of (n_images, n_heads) arrays of float
        `map_distance`: 1 - similarity. `apart`: is its map the least similar to the others? `image_lead`: how
        much more like the image it is than the other heads are in the mean. `image_alone`: its map looks like
        the image (correlation at least `ALIKE`) and no other head's does (P1 Fig. 9, first example).
        `dominant`: is its map the most similar to that of all heads (second example)?

    Examples
    --------
    >>> names = ("similarity", "image_similarity", "mean_similarity")
    >>> values = ([[0.1, 0.5]], [[0.9, 0.2]], [[0.3, 0.8]])
    >>> found = map_criteria({name: np.array(value) for name, value in zip(names, values)})
    >>> found["apart"].tolist(), found["image_alone"].tolist(), found["dominant"].tolist()
    ([[1.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]])
    """
    similarity, image = scores["similarity"], scores["image_similarity"]
    heads = similarity.shape[1]
    alike = image >= ALIKE
    others = (image.sum(axis=1, keepdims=True) - image) / max(heads - 1, 1)
    return {
        "map_distance": 1 - similarity,
        "apart": best_head_credit(-np.nan_to_num(similarity).round(12).T).T,
        "image_lead": image - others,
        "image_alone": (alike & (alike.sum(axis=1, keepdims=True) == 1)).astype(float),
        "dominant": best_head_credit(scores["mean_similarity"].round(12).T).T,
    }


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
        variables |= {
            name: ((), result.value),
            f"{name}_stderr": ((), result.standard_error),
            f"{name}_null": ((), result.null),
            f"{name}_null_deviation": ((), result.null_deviation),
            f"{name}_p": ((), result.p_value),
        }
        if name != "dominant":  # the mean map is that of the image itself
            variables[f"{name}_shuffled"] = (
                (),
                of_best_heads(others[name], best, truth, correct, 1, seed).value,
            )
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
