"""Plain Python partitions: slow, literal, independent of the package's kernels."""

from itertools import combinations

import numpy as np


def above(matrix, threshold):
    """Boolean matrix by normalising first, element by element."""
    matrix = np.asarray(matrix, float)
    if not np.isfinite(matrix).all() or matrix.max() <= 0:
        return np.zeros(matrix.shape, bool)
    return matrix / matrix.max() > threshold


def first_fit(clipped):
    """Seed with the first free candidate, admit later free candidates whose whole square is above."""
    free = [i for i in range(len(clipped)) if clipped[i, i]]
    groups = []
    while free:
        group = [free[0]]
        for label in free[1:]:
            if all(clipped[label, other] and clipped[other, label] for other in group):
                group.append(label)
        groups.append(group)
        free = [label for label in free if label not in group]
    return groups


def is_clique(clipped, group):
    return bool(clipped[np.ix_(group, group)].all())


def largest_clique(clipped, free):
    """The largest clique, of several the first in the order of label lists; by trying all subsets."""
    for size in range(len(free), 0, -1):
        for group in combinations(free, size):
            if is_clique(clipped, list(group)):
                return list(group)
    return []


def largest_first(clipped):
    free = [i for i in range(len(clipped)) if clipped[i, i]]
    groups = []
    while free:
        group = largest_clique(clipped, free)
        groups.append(group)
        free = [label for label in free if label not in group]
    return groups


def cover_number(clipped):
    """Smallest number of cliques that cover all candidates, by dynamic programming over subsets."""
    free = [i for i in range(len(clipped)) if clipped[i, i]]
    full = (1 << len(free)) - 1
    cliques = [
        mask
        for mask in range(1, full + 1)
        if is_clique(clipped, [free[i] for i in range(len(free)) if mask >> i & 1])
    ]
    best = {0: 0}
    for mask in range(1, full + 1):
        lowest = mask & -mask
        best[mask] = 1 + min(best[mask & ~clique] for clique in cliques if clique & lowest)
    return best[full]


def numbered(groups, n_labels):
    """Cluster numbers from 1 in order of creation, 0 for labels in no cluster."""
    cluster_of = np.zeros(n_labels, int)
    for number, group in enumerate(groups, 1):
        cluster_of[group] = number
    return cluster_of
