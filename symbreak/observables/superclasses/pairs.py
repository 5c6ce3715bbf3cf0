"""Do the labels of a head share superclasses, beyond what any partition of these nodes gives?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.numerics.estimates import UNDEFINED, Estimate, compare_with_null, jackknife_error
from symbreak.observables.heads.appearance import appearance_of_heads, checked_membership, checked_superclass
from symbreak.observables.heads.nulls import shuffle_nodes
from symbreak.observables.heads.order import without_each_node
from symbreak.observables.heads.owners import count_owned, ownership


def superclass_pairs_test(
    membership: ArrayLike,
    head_of_node: ArrayLike,
    superclass: ArrayLike,
    ratio: float = 2.0,
    n_shuffles: int = 999,
    seed: int = 0,
) -> Estimate:
    r"""Count pairs of labels with one owner and one superclass; the null shuffles nodes among heads.

    .. math:: P = \sum_h \sum_g \binom{k_{hg}}{2}, \qquad
              Z = \frac{P - E[P \mid n_1, n_2, \dots]}{\sigma[P \mid n_1, n_2, \dots]}

    with :math:`k_{hg}` the labels of superclass g that head h owns and :math:`n_h` all that it owns. Similar
    labels stand in the clusters of one node, so whatever heads are made of nodes, a head owns similar
    labels: labels drawn at random are no null for this question (they reject in 7 to 52 % of worlds without
    heads). Here nodes are shuffled among the heads and owners found anew. Heads that divide the labels own
    more of them than shuffled ones, and more labels make more pairs, whatever the superclasses: the plain
    count rejects in half and more of worlds whose heads prefer labels without regard to superclass. Draws
    are therefore compared by Z, whose mean and deviation belong to the numbers owned in that very draw.

    Parameters
    ----------
    membership : (n_nodes, n_labels) array of bool
        Is the label in a cluster of the node?
    head_of_node : (n_nodes,) array of int
        Head of every node, from 1.
    superclass : (n_labels,) array of int
        Superclass of each label, from 0; -1 for none: such labels take no part.
    ratio : float
        Of the ownership rule (P1 section 4).
    n_shuffles, seed : int
        Number and seed of the node shuffles.

    Returns
    -------
    Estimate
        `value`: the pairs P. `null`, `null_deviation`: of shuffled nodes, Z of each draw carried to the
        numbers of labels that are really owned. `standard_error`: jackknife over nodes within heads.
        `p_value`: one-sided. NaN in a block of one head.

    Raises
    ------
    SymbreakError
        If shapes do not fit or no two labels share a superclass.

    Notes
    -----
    Own construction on P1 (arXiv:2501.12900) Table 4. The null is exchangeability of nodes: it is rejected as
    well by twin nodes within a head that prefer a superclass.

    Examples
    --------
    >>> rng, superclass, heads = np.random.default_rng(0), np.repeat(np.arange(8), 3), np.repeat([1, 2], 32)
    >>> preferred_by = rng.permutation(np.repeat([1, 2], 4))[superclass]
    >>> member = rng.random((64, 24)) < np.where(heads[:, None] == preferred_by, 0.5, 0.15)
    >>> test = superclass_pairs_test(member, heads, superclass, n_shuffles=99)
    >>> test.value, round(test.null), test.p_value
    (18.0, 9, 0.01)
    """
    member = checked_membership(membership)
    group = checked_superclass(superclass, member.shape[1])
    used = group >= 0
    sizes = np.bincount(group[used])
    if not (sizes > 1).any():
        raise SymbreakError("No two labels share a superclass: leave this test out for this data set.")
    appearance = appearance_of_heads(member, head_of_node)[:, used]
    n_heads = len(appearance)
    if n_heads == 1:
        return UNDEFINED
    in_group = group[used][:, None] == np.arange(sizes.size)

    def pairs_and_owned(counts: NDArray) -> tuple[NDArray, NDArray]:
        owners = ownership(counts, ratio)
        owned = owners[..., None, :] == np.arange(1, n_heads + 1)[:, None]
        filled = owned @ in_group.astype(np.int64)
        return (filled * (filled - 1) // 2).sum((-2, -1)), count_owned(owners, n_heads)

    pairs, owned = pairs_and_owned(appearance)
    null_pairs, null_owned = pairs_and_owned(shuffle_nodes(member, head_of_node, n_shuffles, seed)[..., used])
    mean, deviation = pairs_of_uniform_labels(owned, sizes)
    null_mean, null_deviation = pairs_of_uniform_labels(null_owned, sizes)
    standard = np.divide(
        null_pairs - null_mean, null_deviation, out=np.zeros(n_shuffles), where=null_deviation > 0
    )
    error = jackknife_error(
        pairs_and_owned(without_each_node(member, head_of_node)[..., used])[0], np.asarray(head_of_node)
    )
    return compare_with_null(float(pairs), error, mean + deviation * standard)


def pairs_of_uniform_labels(
    n_owned: ArrayLike, superclass_size: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Mean and deviation of pairs within superclasses when each head owns uniformly drawn labels.

    .. math:: E = Q f_2, \quad E[P^2] = Q f_2 + T f_3 + (Q^2 - Q - T) f_4, \quad
              f_m = \frac{n (n - 1) \cdots (n - m + 1)}{L (L - 1) \cdots (L - m + 1)}

    for one head, with :math:`Q = \sum_g \binom{s_g}{2}` and :math:`T = \sum_g s_g (s_g - 1)(s_g - 2)`; heads
    are added as if independent.

    Parameters
    ----------
    n_owned : (..., n_heads) array of int
    superclass_size : (n_superclasses,) array of int

    Returns
    -------
    mean, deviation : (...) array of float

    Examples
    --------
    >>> mean, deviation = pairs_of_uniform_labels([2], [2, 2])
    >>> round(float(mean), 6), round(float(deviation), 6)
    (0.333333, 0.471405)
    """
    owned = np.asarray(n_owned, dtype=float)
    sizes = np.asarray(superclass_size, dtype=float)
    total = sizes.sum()
    pairs, paths = (sizes * (sizes - 1) / 2).sum(), (sizes * (sizes - 1) * (sizes - 2)).sum()
    chance = [np.ones_like(owned)]
    for drawn in range(4):
        chance.append(chance[-1] * np.maximum(owned - drawn, 0) / max(total - drawn, 1))
    mean = pairs * chance[2]
    square = mean + paths * chance[3] + (pairs * (pairs - 1) - paths) * chance[4]
    return mean.sum(-1), np.sqrt(np.maximum(square - mean**2, 0).sum(-1))
