"""How alike the attention maps of heads are: to each other, to the image, to the map of all heads.

P1 (arXiv:2501.12900) Fig. 9 compares such maps by eye.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.observables.heads.accuracy import best_head_credit

Floats = NDArray[np.float64]

#: Correlation with the image from which a map is said to look like it (our choice: P1 gives no number).
ALIKE = 0.5


def _standard(maps: ArrayLike) -> Floats:
    """Maps whose products summed over tokens are correlations; 0 for a constant map, which shows nothing."""
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
        "mean_similarity": (unit * _standard(fields.mean(axis=1, keepdims=True))).sum(-1),
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
