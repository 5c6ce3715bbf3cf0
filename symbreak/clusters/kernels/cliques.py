"""Partitions of a general compatibility graph into cliques, on rows of 64-bit words.

Every rule fills `members`, the candidates grouped by cluster in order of creation, and `ends`, the
end of every group, and returns the number of clusters.
"""

import numpy as np

from symbreak.clusters.kernels.bit_sets import ONE, ZERO, add, discard, holds, lowest, trailing_zeros
from symbreak.numerics.compiling import kernel


@kernel
def first_fit(rows, candidates, free, common, members, ends):
    """Authors' rule: seed with the first free label, admit later free labels that fit to all members."""
    free[:] = candidates
    total = 0
    filled = 0
    seed, word = lowest(free, 0)
    while seed >= 0:
        members[filled] = seed
        filled += 1
        discard(free, seed)
        for position in range(word, free.size):
            common[position] = free[position] & rows[seed, position]
        label, place = lowest(common, word)
        while label >= 0:
            members[filled] = label
            filled += 1
            discard(free, label)
            discard(common, label)
            for position in range(place, free.size):
                common[position] &= rows[label, position]
            label, place = lowest(common, place)
        ends[total] = filled
        total += 1
        seed, word = lowest(free, word)
    return total


@kernel
def cardinality_order(rows, candidates, score, order):
    """Reversed maximum-cardinality search; return the number of candidates.

    Each next label is one with the most neighbours among the labels already met (the smallest label
    of several). For a chordal graph, so for every interval graph, the reversed order is a perfect
    elimination order.
    """
    size = 0
    for label in range(rows.shape[0]):
        score[label] = 0 if holds(candidates, label) else -1
        size += score[label] == 0
    for met in range(size):
        best = -1
        for label in range(rows.shape[0]):
            if score[label] >= 0 and (best < 0 or score[label] > score[best]):
                best = label
        score[best] = -1
        order[size - 1 - met] = best
        for label in range(rows.shape[0]):
            if score[label] >= 0 and holds(rows[best], label):
                score[label] += 1
    return size


@kernel
def fit_in_order(rows, order, size, groups, cluster_of):
    """First fit in a given order of labels; `groups` holds a set of labels for every cluster."""
    total = 0
    for position in range(size):
        label = order[position]
        cluster = 0
        while cluster < total:
            outside = ZERO
            for word in range(rows.shape[1]):
                outside |= groups[cluster, word] & ~rows[label, word]
            if outside == ZERO:
                break
            cluster += 1
        if cluster == total:
            groups[cluster] = ZERO
            total += 1
        add(groups[cluster], label)
        cluster_of[label] = cluster
    return total


@kernel
def independent_labels(rows, order, size, blocked):
    """Number of mutually incompatible labels that the order finds: no cover has fewer clusters."""
    blocked[:] = ZERO
    found = 0
    for position in range(size):
        label = order[position]
        if not holds(blocked, label):
            found += 1
            for word in range(rows.shape[1]):
                blocked[word] |= rows[label, word]
    return found


@kernel
def min_cover(rows, candidates, work, members, ends):
    """Few clusters: first fit along the reversed cardinality order, or along the labels if that is better.

    Exact for chordal graphs. Returns the number of clusters and a lower bound for any partition; the
    cover is proven minimal where the two agree.
    """
    score, order, groups, cluster_of, common = work
    size = cardinality_order(rows, candidates, score, order)
    bound = independent_labels(rows, order, size, common)
    total = fit_in_order(rows, order, size, groups, cluster_of)
    if total > bound:
        order[:size] = np.sort(order[:size])
        plain = fit_in_order(rows, order, size, groups, cluster_of)
        if plain >= total:
            cardinality_order(rows, candidates, score, order)
            fit_in_order(rows, order, size, groups, cluster_of)
        total = min(total, plain)
    filled = 0
    for cluster in range(total):
        for label in range(rows.shape[0]):
            if holds(groups[cluster], label):
                members[filled] = label
                filled += 1
        ends[cluster] = filled
    return total, bound


@kernel
def _colour_bounds(rows, pool, vertices, bounds, classes):
    """List the labels of `pool` in ascending order with the colours that each suffix of the list needs.

    A clique within a suffix cannot be larger than the number of colours of that suffix.
    """
    size = 0
    for word in range(pool.size):
        rest = pool[word]
        while rest != ZERO:
            vertices[size] = (word << 6) + np.int64(trailing_zeros(rest))
            rest &= rest - ONE
            size += 1
    colours = 0
    for position in range(size - 1, -1, -1):
        label = vertices[position]
        colour = 0
        while colour < colours:
            clash = ZERO
            for word in range(label >> 6, pool.size):
                clash |= classes[colour, word] & rows[label, word]
            if clash == ZERO:
                break
            colour += 1
        if colour == colours:
            classes[colour] = ZERO
            colours += 1
        add(classes[colour], label)
        bounds[position] = colours
    return size


@kernel
def largest_clique(rows, free, search, best, limit):
    """Find the largest clique within `free`; of several, the one with the smallest label list.

    Depth-first branch and bound in label order: branches are visited in the order of their label
    lists, so the first clique of the final size is the answer. Returns its size and whether the
    search came to its end within `limit` branches.
    """
    pools, vertices, bounds, sizes, places, current, classes = search
    size = _greedy_clique(rows, free, pools[0], best)
    goal = size - 1  # the greedy clique itself is found again if nothing comes before it
    pools[0] = free
    sizes[0] = _colour_bounds(rows, pools[0], vertices[0], bounds[0], classes)
    places[0] = 0
    depth = 0
    for _ in range(limit):
        if places[depth] == sizes[depth] or depth + bounds[depth, places[depth]] <= goal:
            depth -= 1
            if depth < 0:
                return size, True
            continue
        label = vertices[depth, places[depth]]
        places[depth] += 1
        discard(pools[depth], label)
        current[depth] = label
        left = ZERO
        for word in range(free.size):
            pools[depth + 1, word] = pools[depth, word] & rows[label, word]
            left |= pools[depth + 1, word]
        if left == ZERO:
            if depth + 1 > goal:
                goal = size = depth + 1
                best[:size] = current[:size]
            continue
        depth += 1
        sizes[depth] = _colour_bounds(rows, pools[depth], vertices[depth], bounds[depth], classes)
        places[depth] = 0
    return size, False


@kernel
def _greedy_clique(rows, free, common, best):
    common[:] = free
    size = 0
    label, word = lowest(common, 0)
    while label >= 0:
        best[size] = label
        size += 1
        discard(common, label)
        for position in range(word, free.size):
            common[position] &= rows[label, position]
        label, word = lowest(common, word)
    return size


@kernel
def new_search(n_labels, words):
    """Working arrays of :func:`largest_clique`."""
    return (
        np.zeros((n_labels + 1, words), np.uint64),
        np.zeros((n_labels + 1, n_labels), np.int32),
        np.zeros((n_labels + 1, n_labels), np.int32),
        np.zeros(n_labels + 1, np.int64),
        np.zeros(n_labels + 1, np.int64),
        np.zeros(n_labels + 1, np.int64),
        np.zeros((n_labels, words), np.uint64),
    )


@kernel
def largest_first(rows, candidates, free, search, members, ends, limit):
    """Take the largest clique away, again and again; also whether every search came to its end."""
    free[:] = candidates
    best = np.empty(rows.shape[0], np.int64)
    total = 0
    filled = 0
    exact = True
    while lowest(free, 0)[0] >= 0:
        size, finished = largest_clique(rows, free, search, best, limit)
        exact = exact and finished
        for position in range(size):
            members[filled] = best[position]
            filled += 1
            discard(free, best[position])
        ends[total] = filled
        total += 1
    return total, exact
