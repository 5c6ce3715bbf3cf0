"""Attention weights in the cache of a CPU: softmax, dropping some, and the gradient of the scores behind."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from symbreak.models.kernels import attention as kernels
from symbreak.models.passes import bits, in_parts


class DroppingSoftmax:
    """Softmax that leaves out some weights; the sign of a weight remembers whether it was left out.

    Attributes
    ----------
    gain : float
        Factor of the weights that stay, which keeps the mean.

    Examples
    --------
    >>> scores, weights = torch.zeros(2, 1, 4, 4), torch.empty(2, 1, 4, 4)
    >>> DroppingSoftmax(0.5)(scores, weights, first=0)
    >>> torch.equal(scores, weights.relu()), weights.abs().unique().tolist()
    (True, [0.25])
    """

    def __init__(self, probability: float) -> None:
        self._threshold = round(probability * kernels.STEPS)
        self._seed = int(torch.randint(2**62, ())) if self._threshold else 0
        self.gain = kernels.STEPS / max(kernels.STEPS - self._threshold, 1)

    def __call__(self, scores: Tensor, weights: Tensor, first: int) -> None:
        """Fill `weights` from the scores of images from the batch's `first` on.

        Parameters
        ----------
        scores : Tensor
            Shape (images, heads, queries, keys); overwritten with the weights that stay, and zeros.
        weights : Tensor
            Overwritten with all weights, those that are left out with their sign turned.
        """
        keys, rows_of_an_image = scores.shape[-1], scores.shape[1] * scores.shape[2]
        kept, marked = (bits(tensor).reshape(-1, keys) for tensor in (scores, weights))
        before = first * rows_of_an_image

        def work(part: slice) -> None:  # four weights of a row share a random word
            words_before = (before + part.start) * -(-keys // 4)
            drawn = np.uint64(self._seed), words_before, np.uint16(self._threshold)
            kernels.softmax(kept[part], marked[part], *drawn)

        in_parts(work, kept)


def scores_gradient(
    weights: Tensor, gradient: Tensor, kept: Tensor, outer: Tensor, attention: Tensor
) -> None:
    """Turn the gradient of the weights that stay into that of the scores, in place.

    Formula and source: `symbreak.models.kernels.attention.scores_gradient`.

    Parameters
    ----------
    weights : Tensor
        As `DroppingSoftmax` leaves them, shape (images, heads, queries, keys).
    gradient : Tensor
        Of the weights that stay; overwritten.
    kept : Tensor
        Overwritten with the weights that stay, with zeros.
    outer, attention : Tensor
        Gradient of the attention, and it; heads side by side, shape (images, queries, nodes).

    Examples
    --------
    >>> weights, gradient = torch.tensor([[[[0.25, -0.75]]]]), torch.tensor([[[[4.0, 8.0]]]])
    >>> kept, value = torch.empty(1, 1, 1, 2), torch.tensor([[4.0], [8.0]])
    >>> scores_gradient(weights, gradient, kept, torch.ones(1, 1, 1), weights[0].relu() @ value)
    >>> kept.tolist(), gradient.tolist()
    ([[[[0.25, 0.0]]]], [[[[0.75, -0.75]]]])
    """
    by_head = weights.shape[0], weights.shape[2], weights.shape[1], -1
    tensors = weights, gradient, kept, outer.view(by_head), attention.view(by_head)
    arrays = [bits(tensor) for tensor in tensors]
    in_parts(lambda part: kernels.scores_gradient(*(array[part] for array in arrays)), arrays[0])


def heads_apart(rows: Tensor, parts: Tensor) -> None:
    """Copy what heads have side by side into `parts`, where each lies by itself.

    Parameters
    ----------
    rows : Tensor
        Shape (images, tokens, count * heads * size).
    parts : Tensor
        Shape (count, images, heads, tokens, size); count is 3 for query, key and value.

    Examples
    --------
    >>> rows, parts = torch.arange(8.0).view(1, 2, 4), torch.empty(1, 1, 2, 2, 2)
    >>> heads_apart(rows, parts)
    >>> parts.tolist()
    [[[[[0.0, 1.0], [4.0, 5.0]], [[2.0, 3.0], [6.0, 7.0]]]]]
    """
    together, apart = _token_by_token(rows, parts)
    in_parts(lambda part: kernels.copy_tokens(together[part], apart[part]), apart)


def heads_together(parts: Tensor, rows: Tensor) -> None:
    """Undo `heads_apart`: fill `rows` from `parts`."""
    together, apart = _token_by_token(rows, parts)
    in_parts(lambda part: kernels.copy_tokens(apart[part], together[part]), apart)


def _token_by_token(rows: Tensor, parts: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The same memory as two arrays (images, tokens, count, heads, size)."""
    count, images, heads, tokens, size = parts.shape
    together, apart = bits(rows.view(images, tokens, count, heads, size)), bits(parts)
    if size * apart.itemsize % 8 == 0:  # fewer and longer words
        together, apart = together.view(np.uint64), apart.view(np.uint64)
    return together, apart.transpose(1, 3, 0, 2, 4)
