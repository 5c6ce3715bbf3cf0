"""Attention weights in the cache of a CPU: softmax, dropping some, and the gradient of the scores.

All arrays are bits, see `symbreak.models.cpu.passes.bits`: one conversion serves all pieces of a batch.
"""

from __future__ import annotations

import numpy as np
import torch

from symbreak.models.cpu.kernels import attention as kernels
from symbreak.models.cpu.passes import in_parts


class DroppingSoftmax:
    """Softmax that leaves out some weights; the sign of a weight remembers whether it was left out.

    Attributes
    ----------
    gain : float
        Factor of the weights that stay, which keeps the mean.

    Examples
    --------
    >>> from symbreak.models.cpu.passes import bits
    >>> scores, weights = torch.zeros(2, 4, 4), torch.empty(2, 4, 4)
    >>> DroppingSoftmax(0.5)(bits(scores), bits(weights), first=0)
    >>> torch.equal(scores, weights.relu()), weights.abs().unique().tolist()
    (True, [0.25])
    """

    def __init__(self, probability: float) -> None:
        self._threshold = np.uint16(round(probability * kernels.STEPS))
        self._seed = np.uint64(int(torch.randint(2**62, ())) if self._threshold else 0)
        self.gain = kernels.STEPS / max(kernels.STEPS - int(self._threshold), 1)

    def __call__(self, scores: np.ndarray, weights: np.ndarray, first: int) -> None:
        """Fill `weights` from the scores of heads from the batch's `first` on.

        Parameters
        ----------
        scores : ndarray
            Shape (images * heads, queries, keys); overwritten with the weights that stay, and zeros.
        weights : ndarray
            Overwritten with all weights, those that are left out with their sign turned.
        """
        _, queries, keys = scores.shape
        kept, marked = scores.reshape(-1, keys), weights.reshape(-1, keys)

        def work(part: slice) -> None:  # four weights of a row share a random word
            words_before = (first * queries + part.start) * -(-keys // 4)
            kernels.softmax(kept[part], marked[part], self._seed, words_before, self._threshold)

        in_parts(work, kept)


def scores_gradient(weights: np.ndarray, gradient: np.ndarray, kept: np.ndarray) -> None:
    """Turn the gradient of the weights that stay into that of the scores, in place.

    Formula and source: `symbreak.models.cpu.kernels.attention.scores_gradient`.

    Parameters
    ----------
    weights : ndarray
        As `DroppingSoftmax` leaves them, shape (images * heads, queries, keys).
    gradient : ndarray
        Of the weights that stay; overwritten.
    kept : ndarray
        Overwritten with the weights that stay, with zeros.

    Examples
    --------
    >>> from symbreak.models.cpu.passes import bits
    >>> weights, gradient = torch.tensor([[[0.25, -0.75]]]), torch.tensor([[[4.0, 8.0]]])
    >>> kept = torch.empty(1, 1, 2)
    >>> scores_gradient(bits(weights), bits(gradient), bits(kept))
    >>> kept.tolist(), gradient.tolist()
    ([[[0.25, 0.0]]], [[[0.75, -0.75]]])
    """
    rows = [array.reshape(-1, array.shape[-1]) for array in (weights, gradient, kept)]
    in_parts(lambda part: kernels.scores_gradient(*(array[part] for array in rows)), rows[0])
