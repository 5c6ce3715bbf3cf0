"""Soft committees: the decision is taken on the sum of the raw outputs of several networks.

P2 (arXiv:2506.23832, section 4): networks of different architectures but equal accuracy gain more by such a
sum than networks of one architecture that differ in their seeds, because they agree less. Everything here is
array in, number out, from saved output fields: no network runs again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.numerics.arrays import as_floats
from symbreak.observables.committees.summing import evaluate_candidates, evaluate_committees

Committee = tuple[int, ...]


def checked_fields(fields: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Output fields (members, images, labels) and true labels, or one sentence why they are none.

    Raises
    ------
    SymbreakError
        If shapes do not fit, a field is not finite or a label is none of the outputs.

    Examples
    --------
    >>> checked_fields(np.zeros((2, 3, 4)), [0, 1, 2])[0].shape
    (2, 3, 4)
    """
    outputs, labels = np.asarray(fields), np.asarray(truth, dtype=np.int64)
    if outputs.ndim != 3 or labels.shape != outputs.shape[1:2] or not outputs.size:
        raise SymbreakError(
            f"Output fields of shape {outputs.shape} do not fit {labels.size} labels of images: give "
            "(members, images, labels) and (images,)."
        )
    if not np.isfinite(outputs).all():
        raise SymbreakError("An output field is not finite; measure that network again.")
    if labels.min() < 0 or labels.max() >= outputs.shape[2]:
        raise SymbreakError(
            f"A true label lies outside 0 … {outputs.shape[2] - 1}; give labels of the outputs."
        )
    return outputs if outputs.dtype.kind == "f" else outputs.astype(float), labels


def correct_committees(
    fields: ArrayLike, truth: ArrayLike, committees: Iterable[Sequence[int]]
) -> NDArray[np.bool_]:
    """Tell which images each committee recognises: argmax_j of sum_m h_j^m equals the true label.

    Committees that begin with the same members share their partial sums, so that all 2^M - 1 of M members
    cost one addition of fields each. Sums are in double precision, where single-precision fields add up
    the same in any order.

    Parameters
    ----------
    fields : (n_members, n_images, n_labels) array of float
        Raw outputs, without softmax or normalisation (P2, appendix).
    truth : (n_images,) array of int
    committees : sequence of members
        Numbers of members from 0, each once.

    Returns
    -------
    (n_committees, n_images) array of bool

    Raises
    ------
    SymbreakError
        If shapes do not fit, a committee is empty or has a member that does not exist or comes twice.

    Examples
    --------
    >>> fields = np.array([[[3.0, 0.0], [1.0, 0.0]], [[0.0, 2.0], [0.0, 4.0]]])
    >>> correct_committees(fields, [0, 1], [(0,), (1,), (0, 1)]).mean(axis=1).tolist()
    [0.5, 0.5, 1.0]
    """
    outputs, labels = checked_fields(fields, truth)
    asked = [tuple(sorted(int(member) for member in committee)) for committee in committees]
    for committee in asked:
        known = committee and committee[0] >= 0 and committee[-1] < len(outputs)
        if not known or len(set(committee)) < len(committee):
            raise SymbreakError(
                f"{list(committee)} is no committee of {len(outputs)} members; name each once, from 0."
            )
    order = sorted(range(len(asked)), key=lambda place: asked[place])
    shared: list[int] = []
    previous: Committee = ()
    for place in order:
        same = next(
            (i for i, (a, b) in enumerate(zip(asked[place], previous)) if a != b),
            min(len(asked[place]), len(previous)),
        )
        shared.append(same)
        previous = asked[place]
    start = np.cumsum([0, *(len(asked[place]) for place in order)])
    members = np.array([member for place in order for member in asked[place]], dtype=np.int64)
    found = np.zeros((len(asked), len(labels)), dtype=np.bool_)
    by_image = np.ascontiguousarray(outputs.transpose(1, 0, 2))
    evaluate_committees(by_image, labels, members, start, np.array(shared, dtype=np.int64), found)
    correct = np.empty_like(found)
    correct[order] = found
    return correct


def all_committees(n_members: int) -> list[Committee]:
    """All 2^M - 1 committees, small ones first.

    Parameters
    ----------
    n_members : int

    Returns
    -------
    list of tuple of int
        Numbers of members from 0.

    Examples
    --------
    >>> all_committees(3)
    [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
    """
    return [
        committee for size in range(1, n_members + 1) for committee in combinations(range(n_members), size)
    ]


def grow_committee(fields: ArrayLike, truth: ArrayLike, images: ArrayLike | None = None) -> list[Committee]:
    """Grow a committee greedily: start with the best member, add each time the one that helps most.

    Parameters
    ----------
    fields : (n_members, n_images, n_labels) array of float
    truth : (n_images,) array of int
    images : (n_images,) array of bool, optional
        Evaluate on these images only.

    Returns
    -------
    list of committees
        One of each size 1 … M; a smaller one is part of the next. Of equals the first member is taken.

    Examples
    --------
    >>> fields = np.array([[[3.0, 0.0], [1.0, 0.0]], [[0.0, 2.0], [0.0, 4.0]]])
    >>> grow_committee(fields, [0, 1])
    [(0,), (0, 1)]
    """
    outputs, labels = checked_fields(fields, truth)
    used = np.ones(len(labels), dtype=np.bool_) if images is None else np.asarray(images, dtype=np.bool_)
    by_image = np.ascontiguousarray(outputs.transpose(1, 0, 2))
    total = np.zeros((len(labels), outputs.shape[2]))
    available = np.ones(len(outputs), dtype=np.bool_)
    grown: list[Committee] = []
    for _ in range(len(outputs)):
        count = np.where(available, 0, -1)
        evaluate_candidates(by_image, labels, total, available, used, count)
        best = int(count.argmax())
        available[best] = False
        total += by_image[:, best]
        grown.append(tuple(sorted((*(grown[-1] if grown else ()), best))))
    return grown


class Agreement(NamedTuple):
    """How alike the members of a committee decide, each (n_members, n_members).

    Attributes
    ----------
    observed
        Share of images that both recognise or both miss (P2 section 4); 1 on the diagonal.
    independent
        The same of two networks of these accuracies that err independently, A B + (1 - A)(1 - B).
    correlation
        Of right and wrong answers over images (phi coefficient); NaN where one network is always right or
        always wrong.
    """

    observed: NDArray[np.float64]
    independent: NDArray[np.float64]
    correlation: NDArray[np.float64]


def agreement(correct: ArrayLike) -> Agreement:
    """Agreement of every pair of networks, and its value for independent errors.

    P2 section 4: "the probability that a pair of architectures simultaneously predict correctly or
    incorrectly". Two independent networks of accuracy A agree on A^2 + (1 - A)^2 of the images.

    Parameters
    ----------
    correct : (n_members, n_images) array of bool

    Returns
    -------
    Agreement

    Examples
    --------
    >>> pairs = agreement([[1, 1, 0, 0], [1, 0, 1, 0]])
    >>> float(pairs.observed[0, 1]), float(pairs.independent[0, 1]), float(pairs.correlation[0, 1])
    (0.5, 0.5, 0.0)
    """
    right = np.asarray(correct, dtype=float)
    both = right @ right.T / right.shape[1]
    accuracy = right.mean(axis=1)
    one, other = accuracy[:, None], accuracy[None, :]
    observed = 1 - one - other + 2 * both
    variance = accuracy * (1 - accuracy)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = (both - one * other) / np.sqrt(variance[:, None] * variance[None, :])
    return Agreement(observed, one * other + (1 - one) * (1 - other), correlation)


def mean_over_pairs(table: ArrayLike, committee: Sequence[int]) -> float:
    """Mean of a symmetric table over the pairs of a committee; NaN for a single member.

    Examples
    --------
    >>> mean_over_pairs([[1.0, 0.5], [0.5, 1.0]], (0, 1))
    0.5
    """
    n = len(committee)
    part = np.asarray(table, dtype=float)[np.ix_(committee, committee)]
    return float(part[np.triu_indices(n, 1)].mean()) if n > 1 else float("nan")


def bootstrap_intervals(
    per_image: ArrayLike, confidence: float = 0.95, n_draws: int = 2000, seed: int = 0
) -> NDArray[np.float64]:
    """Intervals of means over images, images drawn again with replacement (percentile bootstrap).

    All rows see the same draws: a row that is the difference of two committees is a paired comparison.
    The intervals are those of other images, not of other trainings.

    Parameters
    ----------
    per_image : (n_quantities, n_images) array of float
        For instance 1 for a recognised image and 0 for others.
    confidence : float
    n_draws : int
    seed : int
        Of numpy's default generator.

    Returns
    -------
    (2, n_quantities) array of float
        Lower and upper ends.

    Raises
    ------
    SymbreakError
        If a number is not finite.

    Examples
    --------
    >>> low, high = bootstrap_intervals([[0.0, 1.0] * 200, [1.0] * 400])
    >>> bool(low[0] < 0.5 < high[0]), float(low[1])
    (True, 1.0)
    """
    values = np.atleast_2d(as_floats(per_image, "per_image"))
    n_images = values.shape[1]
    rng = np.random.default_rng(seed)
    means = np.empty((n_draws, len(values)))
    for first in range(0, n_draws, 100):
        n = min(100, n_draws - first)
        times = rng.multinomial(n_images, np.full(n_images, 1 / n_images), size=n)
        means[first : first + n] = times @ values.T / n_images
    tail = (1 - confidence) / 2
    return np.quantile(means, [tail, 1 - tail], axis=0)


def random_halves(n_images: int, seed: int = 0) -> NDArray[np.bool_]:
    """Mark a random half of the images.

    Examples
    --------
    >>> int(random_halves(10).sum())
    5
    """
    marked = np.zeros(n_images, dtype=np.bool_)
    marked[np.random.default_rng(seed).permutation(n_images)[: n_images // 2]] = True
    return marked
