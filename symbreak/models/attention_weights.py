"""Attention weights in the cache of a CPU: dropping some, and the gradient of the scores behind them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from symbreak.matrices.threads import spread
from symbreak.models.kernels import attention as kernels


class Dropout:
    """Leaves out attention weights of a batch; the sign of a weight remembers whether it was left out.

    Attributes
    ----------
    gain : float
        Factor of the weights that stay, which keeps the mean.

    Examples
    --------
    >>> weights, kept = torch.ones(2, 1, 4, 4), torch.empty(2, 1, 4, 4)
    >>> kept = Dropout(0.5)(weights, kept, first=0)
    >>> torch.equal(kept, weights.relu()), weights.abs().unique().tolist()
    (True, [1.0])
    """

    def __init__(self, probability: float) -> None:
        self._threshold = round(probability * kernels.STEPS)
        self._seed = int(torch.randint(2**62, ())) if self._threshold else 0
        self.gain = kernels.STEPS / max(kernels.STEPS - self._threshold, 1)

    def __call__(self, weights: Tensor, kept: Tensor, first: int) -> Tensor:
        """Turn the sign of what is dropped in `weights`, of images from the batch's `first` on.

        Returns
        -------
        Tensor
            The weights that stay, with zeros; `kept` is overwritten with them.
        """
        if not self._threshold:
            return weights
        flat, result = _bits(weights).reshape(-1), _bits(kept).reshape(-1)
        before = first * weights[0].numel()

        def work(part: slice) -> None:  # four weights share a random number
            words_before = -(-(before + part.start) // 4)
            kernels.drop(
                flat[part], result[part], np.uint64(self._seed), words_before, np.uint16(self._threshold)
            )

        spread(work, _parts(len(flat), step=4), torch.get_num_threads())
        return kept


def scores_gradient(weights: Tensor, gradient: Tensor, kept: Tensor) -> None:
    """Turn the gradient of the weights that stay into that of the scores, in place.

    Formula and source: `symbreak.models.kernels.attention.scores_gradient`.

    Parameters
    ----------
    weights : Tensor
        As `Dropout` leaves them, shape (..., queries, keys).
    gradient : Tensor
        Of the weights that stay; overwritten.
    kept : Tensor
        Overwritten with the weights that stay, with zeros.

    Examples
    --------
    >>> weights, gradient = torch.tensor([[0.25, -0.75]]), torch.tensor([[4.0, 8.0]])
    >>> kept = torch.empty(1, 2)
    >>> scores_gradient(weights, gradient, kept)
    >>> kept.tolist(), gradient.tolist()
    ([[0.25, 0.0]], [[0.75, -0.75]])
    """
    low = weights.dtype == torch.bfloat16
    run = kernels.scores_gradient_bf16 if low else kernels.scores_gradient
    shape = -1, weights.shape[-1]
    arrays = [(_bits(x) if low else x.numpy()).reshape(shape) for x in (weights, gradient, kept)]
    parts = _parts(len(arrays[0]), step=1)
    spread(lambda part: run(*(array[part] for array in arrays)), parts, torch.get_num_threads())


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
    _copy_in_threads(together, apart)


def heads_together(parts: Tensor, rows: Tensor) -> None:
    """Undo `heads_apart`: fill `rows` from `parts`."""
    together, apart = _token_by_token(rows, parts)
    _copy_in_threads(apart, together)


def _token_by_token(rows: Tensor, parts: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The same memory as two arrays (images, tokens, count, heads, size)."""
    count, images, heads, tokens, size = parts.shape
    together, apart = _bits(rows.view(images, tokens, count, heads, size)), _bits(parts)
    if size * apart.itemsize % 8 == 0:  # fewer and longer words
        together, apart = together.view(np.uint64), apart.view(np.uint64)
    return together, apart.transpose(1, 3, 0, 2, 4)


def _copy_in_threads(source: np.ndarray, target: np.ndarray) -> None:
    parts = _parts(len(source), step=1)
    spread(lambda part: kernels.copy_tokens(source[part], target[part]), parts, torch.get_num_threads())


def _bits(tensor: Tensor) -> np.ndarray:
    """The bits of numbers as unsigned integers of their size, in the same memory."""
    array = (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return array.view(f"u{array.itemsize}")


def _parts(count: int, step: int) -> list[slice]:
    """A slice for each thread of torch, of whole steps."""
    size = -(-count // (step * torch.get_num_threads())) * step
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
