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


def _subset_rows(clipped):
    """(batch, labels) integers: bit j of row i says that i and j are mutually above."""
    symmetric = clipped & clipped.transpose(0, 2, 1)
    return (symmetric << np.arange(clipped.shape[1])).sum(axis=2)


def batch_first_fit(clipped):
    """Cluster numbers (batch, labels) of many small matrices at once: each label in the oldest that fits."""
    batch, n_labels = clipped.shape[:2]
    apart = ~(clipped & clipped.transpose(0, 2, 1))
    cluster_of = np.zeros((batch, n_labels), int)
    newest = np.zeros(batch, int)
    for label in range(n_labels):
        free = clipped[:, label, label].copy()
        for number in range(1, n_labels + 1):
            fits = free & (number <= newest) & ~((cluster_of == number) & apart[:, label]).any(axis=1)
            cluster_of[fits, label] = number
            free &= ~fits
        newest += free
        cluster_of[free, label] = newest[free]
    return cluster_of


def batch_cliques(clipped):
    """(subsets, batch) bool: which subsets of labels, as bit masks, are cliques of candidates."""
    rows = _subset_rows(clipped)
    n_labels = clipped.shape[1]
    cliques = np.ones((1 << n_labels, len(clipped)), bool)
    for mask in range(1, 1 << n_labels):
        lowest = (mask & -mask).bit_length() - 1
        cliques[mask] = cliques[mask & (mask - 1)] & (rows[:, lowest] & mask == mask)
    return cliques


def batch_largest_first(clipped):
    """Cluster numbers (batch, labels): the largest clique, of several the smallest label list, each time."""
    batch, n_labels = clipped.shape[:2]
    lists = [[i for i in range(n_labels) if mask >> i & 1] for mask in range(1 << n_labels)]
    order = sorted(range(1, 1 << n_labels), key=lambda mask: (-len(lists[mask]), lists[mask]))
    cliques = batch_cliques(clipped)[order].T
    masks = np.array(order)
    diagonal = np.diagonal(clipped, axis1=1, axis2=2)
    free = (diagonal << np.arange(n_labels)).sum(axis=1)
    cluster_of = np.zeros((batch, n_labels), int)
    for number in range(1, n_labels + 1):
        inside = cliques & (masks & ~free[:, None] == 0)
        chosen = np.where(inside.any(axis=1), masks[inside.argmax(axis=1)], 0)
        taken = (chosen[:, None] >> np.arange(n_labels)) & 1 == 1
        cluster_of[taken] = number
        free &= ~chosen
    return cluster_of


def batch_cover_number(clipped):
    """(batch,) smallest numbers of cliques that cover all candidates, over all subsets of labels."""
    n_labels = clipped.shape[1]
    cliques = batch_cliques(clipped)
    best = np.full(cliques.shape, n_labels, np.int8)
    best[0] = 0
    for mask in range(1, len(cliques)):
        lowest = mask & -mask
        rest = mask ^ lowest
        part = rest
        while True:
            step = np.where(cliques[part | lowest], best[rest ^ part] + 1, n_labels)
            np.minimum(best[mask], step, out=best[mask])
            if part == 0:
                break
            part = (part - 1) & rest
    diagonal = np.diagonal(clipped, axis1=1, axis2=2)
    free = (diagonal << np.arange(n_labels)).sum(axis=1)
    return best[free, np.arange(len(clipped))]
