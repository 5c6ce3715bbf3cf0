"""Joint laws of superclass fillings: all fillings of one head, and several heads whose labels are disjoint.

The heads of a block own disjoint sets of labels, so what one head fills another cannot: tests over all
heads of a block need their joint law. It is exact where that is affordable and sampled, one random
permutation of the labels per draw, everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb, factorial
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from symbreak.errors import SymbreakError
from symbreak.observables.superclasses.law import Sizes, checked_draw, superclass_sizes


class JointLaw(NamedTuple):
    """Every possible filling pattern and its probability.

    Attributes
    ----------
    numbers
        Shape (n_patterns, s): numbers N_1 ... N_s of superclasses with 1 ... s labels drawn.
    ways
        Exact number of draws of n labels that give each pattern; they add up to C(L, n).
    probability
        Shape (n_patterns,): ways / C(L, n).
    """

    numbers: NDArray[np.int64]
    ways: tuple[int, ...]
    probability: NDArray[np.float64]


def _patterns(size: int, n_groups: int, n: int) -> dict[int, dict[tuple[int, ...], int]]:
    """Patterns (N_1..N_size) of equal superclasses by number of labels drawn, with their ways."""
    found: dict[int, dict[tuple[int, ...], int]] = {}

    def extend(i: int, left: int, drawn: int, numbers: tuple[int, ...], weight: int) -> None:
        if i > size:
            ways = factorial(n_groups) // factorial(left) * weight
            for number in numbers:
                ways //= factorial(number)
            found.setdefault(drawn, {})[numbers] = ways
            return
        for number in range(min(left, (n - drawn) // i) + 1):
            factor = weight * comb(size, i) ** number
            extend(i + 1, left - number, drawn + number * i, (*numbers, number), factor)

    extend(1, n_groups, 0, (), 1)
    return found


def superclass_joint_law(n_owned: int, n_superclasses: int = 20, superclass_size: Sizes = 5) -> JointLaw:
    """Exact joint law of the numbers (N_1 ... N_s) of superclasses with 1 ... s labels drawn.

    For equal sizes the coefficient of x^n in (sum_i C(s, i) t_i x^i)^G,
    ways(N) = G! / prod_i N_i! prod_i C(s, i)^N_i; unequal sizes multiply the laws of each size.

    Parameters
    ----------
    n_owned, n_superclasses, superclass_size
        As in ``superclass_law``. The number of patterns grows fast with n: about 200 for n = 23 and s = 5.

    Returns
    -------
    JointLaw

    Raises
    ------
    SymbreakError
        As in ``superclass_law``.

    Examples
    --------
    >>> law = superclass_joint_law(2, n_superclasses=2, superclass_size=2)
    >>> law.numbers.tolist(), law.ways
    ([[0, 1], [2, 0]], (2, 4))
    """
    sizes = superclass_sizes(n_superclasses, superclass_size)
    n, largest = checked_draw(n_owned, sizes), max(sizes)
    law: dict[int, dict[tuple[int, ...], int]] = {0: {(0,) * largest: 1}}
    for size, n_groups in Counter(size for size in sizes if size).items():
        longer: dict[int, dict[tuple[int, ...], int]] = {}
        for more, patterns in _patterns(size, n_groups, n).items():
            for drawn in [drawn for drawn in law if drawn + more <= n]:
                target = longer.setdefault(drawn + more, {})
                for numbers, ways in law[drawn].items():
                    for added, added_ways in patterns.items():
                        padded = added + (0,) * (largest - size)
                        key = tuple(a + b for a, b in zip(numbers, padded))
                        target[key] = target.get(key, 0) + ways * added_ways
        law = longer
    found = sorted(law[n].items())
    counts = tuple(count for _, count in found)
    probability = np.array([count / comb(sum(sizes), n) for count in counts])
    return JointLaw(np.array([pattern for pattern, _ in found]), counts, probability)


def _checked_heads_draw(n_owned: int | Sequence[int], sizes: tuple[int, ...]) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in np.atleast_1d(np.asarray(n_owned)))
    if min(numbers) < 0 or sum(numbers) > sum(sizes):
        raise SymbreakError(
            f"Heads cannot own {numbers} of {sum(sizes)} labels: disjoint sets must fit into all the labels."
        )
    return numbers


def _multinomial(total: int, parts: Sequence[int]) -> int:
    ways, left = 1, total
    for part in parts:
        ways *= comb(left, part)
        left -= part
    return ways


def full_superclasses_tail(
    n_owned: Sequence[int], n_superclasses: int = 20, superclass_size: Sizes = 5
) -> NDArray[np.float64]:
    """Exact probability that the heads together own k or more complete superclasses, sets disjoint.

    P(N >= k) = sum_{j >= k} (-1)^(j-k) C(j-1, k-1) S_j, where S_j adds up the probabilities that j given
    superclasses are complete, each in one head; one head gives the formula of ``superclass_tail``.

    Parameters
    ----------
    n_owned : (n_heads,) sequence of int
        Number of labels of each head.
    n_superclasses, superclass_size
        As in ``superclass_law``.

    Returns
    -------
    (G + 1,) array of float
        P(N >= 0) = 1, P(N >= 1), ..., P(N >= G).

    Raises
    ------
    SymbreakError
        If the heads own more labels than there are.

    Examples
    --------
    >>> tail = full_superclasses_tail([23, 15, 15, 21])
    >>> float(f"{tail[1]:.3e}"), float(f"{tail[2]:.3e}")
    (0.01584, 0.0001044)
    """
    sizes = superclass_sizes(n_superclasses, superclass_size)
    numbers, total = _checked_heads_draw(n_owned, sizes), sum(sizes)
    # Sets of j superclasses handed to heads, by j and by the labels of each head that they use up.
    chosen: dict[tuple[int, ...], int] = {(0,) * (len(numbers) + 1): 1}
    for size in (size for size in sizes if size):
        longer = dict(chosen)
        for (j, *used), ways in chosen.items():
            for head, number in enumerate(numbers):
                if used[head] + size <= number:
                    key = (j + 1, *used[:head], used[head] + size, *used[head + 1 :])
                    longer[key] = longer.get(key, 0) + ways
        chosen = longer
    together = [0] * (len(sizes) + 1)
    for (j, *used), ways in chosen.items():
        rest = [number - spent for number, spent in zip(numbers, used)]
        together[j] += ways * _multinomial(total - sum(used), rest)
    draws = _multinomial(total, numbers)
    tail = [
        sum((-1) ** (j - k) * comb(j - 1, k - 1) * together[j] for j in range(k, len(sizes) + 1)) / draws
        for k in range(1, len(sizes) + 1)
    ]
    return np.array([1.0, *tail])


class SuperclassSample(NamedTuple):
    """Fillings of superclasses in random draws.

    Attributes
    ----------
    mean, standard_error
        Shape (n_heads, s + 1): mean number of superclasses with i labels drawn and its error over the draws.
    histogram
        Shape (n_heads, s + 1, G + 1): draws in which a head has exactly k superclasses with i labels.
    full_histogram
        Shape (G + 1,): draws in which all heads together have k complete superclasses.
    """

    mean: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    histogram: NDArray[np.int64]
    full_histogram: NDArray[np.int64]


@njit(nogil=True, cache=True)
def _sample(rng, superclass, sizes, numbers, n_samples, histogram, full_histogram):
    n_labels, n_superclasses = len(superclass), len(sizes)
    name = superclass.copy()  # labels of a superclass are alike: shuffling their names is enough
    filling = np.zeros(n_superclasses, dtype=np.int64)
    number = np.zeros(histogram.shape[1], dtype=np.int64)
    for _ in range(n_samples):
        drawn, full = 0, 0
        for head in range(len(numbers)):
            filling[:] = 0
            number[:] = 0
            number[0] = n_superclasses
            for _ in range(numbers[head]):
                other = drawn + int(rng.random() * (n_labels - drawn))
                group = name[other]
                name[other] = name[drawn]
                name[drawn] = group
                before = filling[group]
                filling[group] = before + 1
                number[before] -= 1
                number[before + 1] += 1
                full += before + 1 == sizes[group]
                drawn += 1
            for i in range(len(number)):
                histogram[head, i, number[i]] += 1
        full_histogram[full] += 1


def superclass_monte_carlo(
    n_owned: int | Sequence[int],
    n_superclasses: int = 20,
    superclass_size: Sizes = 5,
    n_samples: int = 50_000,
    seed: int = 0,
) -> SuperclassSample:
    """Draw labels at random and count filled superclasses, as P1 does for Table 4 (middle).

    Several heads draw disjoint sets: one random permutation of the labels per draw, cut into the heads'
    numbers. The exact values are in ``superclass_law``; this is the literal procedure and the test of the
    law.

    Parameters
    ----------
    n_owned : int or (n_heads,) sequence of int
        Number of labels of the head, or of each head.
    n_superclasses, superclass_size
        As in ``superclass_law``.
    n_samples, seed
        Number of draws (50,000 in the paper) and seed of numpy's default generator.

    Returns
    -------
    SuperclassSample

    Raises
    ------
    SymbreakError
        If more labels are owned than there are, or no draw is asked for.

    Examples
    --------
    >>> sample = superclass_monte_carlo([23, 15, 15, 21], n_samples=1000)
    >>> sample.mean.shape, sample.mean.sum(axis=1).round(9).tolist()
    ((4, 6), [20.0, 20.0, 20.0, 20.0])
    """
    sizes = superclass_sizes(n_superclasses, superclass_size)
    numbers = np.array(_checked_heads_draw(n_owned, sizes))
    if n_samples < 1:
        raise SymbreakError(
            f"{n_samples} samples make no simulation: ask for at least 1, the paper takes 50000."
        )
    superclass = np.repeat(np.arange(len(sizes)), sizes)
    histogram = np.zeros((len(numbers), max(sizes) + 1, len(sizes) + 1), dtype=np.int64)
    full_histogram = np.zeros(len(sizes) + 1, dtype=np.int64)
    rng = np.random.default_rng(seed)
    _sample(rng, superclass, np.array(sizes), numbers, n_samples, histogram, full_histogram)
    value = np.arange(len(sizes) + 1)
    mean = histogram @ value / n_samples
    variance = np.maximum(histogram @ value**2 / n_samples - mean**2, 0.0)
    return SuperclassSample(mean, np.sqrt(variance / n_samples), histogram, full_histogram)
