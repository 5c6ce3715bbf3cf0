"""Do two replicas divide the labels alike, beyond what the similarity of labels gives?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.numerics.estimates import Estimate
from symbreak.observables.heads.replicas import replica_overlap

#: Labels in a group of similar labels, where the similarity names no groups of its own.
GROUP_SIZE = 5


def similar_groups(similarity: ArrayLike) -> NDArray[np.int64]:
    """Groups of similar labels: the blocks of the matrix if it has any, else clusters of average linkage.

    A matrix whose rows are alike within groups and that takes two values off the diagonal (shares a
    superclass, does not) names its groups itself. Any other, as the correlation of readout vectors, is cut
    into a group for every five labels, but at least two.

    Parameters
    ----------
    similarity : (n_labels, n_labels) array of float
        Symmetric; larger is more alike. The diagonal is not read.

    Returns
    -------
    (n_labels,) array of int
        Group of every label, from 0.

    Raises
    ------
    SymbreakError
        If the matrix is not square, finite and symmetric.

    Examples
    --------
    >>> similar_groups([[1, 1, 0], [1, 1, 0], [0, 0, 1]]).tolist()
    [0, 0, 1]
    """
    from scipy.cluster.hierarchy import average, fcluster
    from scipy.spatial.distance import squareform

    alike = np.asarray(similarity, dtype=float)
    if alike.ndim != 2 or alike.shape[0] != alike.shape[1] or not np.isfinite(alike).all():
        raise SymbreakError("The similarity must be a finite (labels, labels) matrix.")
    if not np.allclose(alike, alike.T, atol=1e-8):
        raise SymbreakError("The similarity is not symmetric: give one number for both orders of a pair.")
    n_labels = len(alike)
    if n_labels < 2:
        return np.zeros(n_labels, dtype=np.int64)
    upper = alike[np.triu_indices(n_labels, 1)]
    if np.unique(upper).size == 1:  # no label is more similar to one than to another
        return np.arange(n_labels)
    linked = np.where(np.eye(n_labels, dtype=bool), True, alike == upper.max())
    rows = np.unique(linked, axis=0, return_inverse=True)[1].reshape(-1)
    if np.unique(upper).size == 2 and (linked == (rows[:, None] == rows)).all():
        _, first, group = np.unique(rows, return_index=True, return_inverse=True)
        return first.argsort().argsort()[group.reshape(-1)]
    distance = upper.max() - (alike + alike.T) / 2
    np.fill_diagonal(distance, 0.0)
    tree = average(squareform(distance, checks=False))
    return fcluster(tree, max(2, n_labels // GROUP_SIZE), "maxclust").astype(np.int64) - 1


def similar_permutation(group: ArrayLike, rng: np.random.Generator) -> NDArray[np.int64]:
    """Permutation of labels that keeps similar ones together: groups change places as a whole.

    Labels stand in a line, group after group, twice: with groups and the labels within each in two random
    orders. Labels at the same place are exchanged. Groups of equal size are exchanged whole; unequal ones
    overlap as far as their sizes allow.

    Parameters
    ----------
    group : (n_labels,) array of int
    rng : numpy.random.Generator

    Returns
    -------
    (n_labels,) array of int
        Label that takes the place of label 0, 1, ...

    Examples
    --------
    >>> order = similar_permutation([0, 0, 1, 1], np.random.default_rng(1))
    >>> sorted(order.tolist()), bool((order[:2] // 2 == order[0] // 2).all())
    ([0, 1, 2, 3], True)
    """
    groups = np.asarray(group)

    def line() -> NDArray[np.int64]:
        place = rng.permutation(int(groups.max()) + 1)[groups]
        return np.lexsort((rng.random(groups.size), place))

    order = np.empty(groups.size, dtype=np.int64)
    order[line()] = line()
    return order


def overlap_test(
    appearance_a: ArrayLike,
    appearance_b: ArrayLike,
    similarity: ArrayLike,
    n_shuffles: int = 999,
    seed: int = 0,
) -> Estimate:
    """Overlap of two replicas compared with replicas that treat similar labels alike, but know no others.

    Similar labels go to one head in each replica, so a few groups of labels meet by chance where hundreds of
    single labels would not: shuffled labels reject in about 80 % of independent replicas of superclass
    specialists. The null here permutes the labels of one replica so that similar labels stay together.

    Parameters
    ----------
    appearance_a, appearance_b : (n_heads, n_labels) array of int
        Appearances of two seeds, or of two blocks with the same number of heads.
    similarity : (n_labels, n_labels) array of float
        Larger for more similar labels: 1 within a superclass and 0 else, or, where there are no superclasses,
        the correlation of the labels' readout vectors (:func:`similar_groups` finds the groups).
    n_shuffles, seed : int
        Number and seed of the permutations.

    Returns
    -------
    Estimate
        `value`: the overlap of :func:`symbreak.observables.replica_overlap`; `standard_error` over labels.
        NaN in blocks of one head or if no label appears in both.

    Raises
    ------
    SymbreakError
        If shapes do not fit.

    Notes
    -----
    Overlap: Gross, Kanter & Sompolinsky, Phys. Rev. Lett. 55, 304 (1985). Restricted permutations: Good,
    Permutation, Parametric and Bootstrap Tests of Hypotheses (2005), chapter 3.

    Examples
    --------
    >>> division = np.kron(np.eye(2, dtype=int), np.full((1, 12), 7))
    >>> alike = np.kron(np.eye(8, dtype=int), np.ones((3, 3), dtype=int))
    >>> overlap_test(division, division[::-1], alike, n_shuffles=99).value
    1.0
    """
    first, second = np.asarray(appearance_a), np.asarray(appearance_b)
    if first.ndim != 2 or np.shape(similarity) != (first.shape[-1],) * 2:
        raise SymbreakError(
            f"A similarity of shape {np.shape(similarity)} does not fit appearances of shape {first.shape}: "
            "give (labels, labels) and (heads, labels)."
        )
    both = (first.sum(0) > 0) & (np.atleast_2d(second).sum(0) > 0)
    group = np.unique(similar_groups(similarity)[both], return_inverse=True)[1].reshape(-1)

    def permute(rng: np.random.Generator) -> NDArray[np.int64]:
        return similar_permutation(group, rng)

    return replica_overlap(first, second, n_shuffles, seed, permute).overlap
