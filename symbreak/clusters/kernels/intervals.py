"""Clusters of rank-one matrices from intervals, without forming a matrix.

With M[i, j] = mu[i] W[j] the labels i and j are mutually above the cut iff they have the same sign
and fl(|mu_i| |W_j|) > cut and fl(|mu_j| |W_i|) > cut. The rounded product is monotone, so a label
fits to a whole cluster iff it fits to the smallest |mu| and to the smallest |W| found in it. See
docs/method.md for the theorem.
"""

import numpy as np

from symbreak.numerics.compiling import kernel

FIRST_FIT, MIN_COVER, LARGEST_FIRST = 0, 1, 2


@kernel
def descending(ordered):
    """Split ascending values into descending absolute values of the positive and of the negative ones."""
    first, last = 0, ordered.size
    while first < last and ordered[first] < 0:
        first += 1
    start = first
    while start < last and ordered[start] == 0:
        start += 1
    return ordered[start:][::-1].copy(), -ordered[:first]


@kernel
def count_above(rows, columns, n_rows, n_columns, cut):
    """Count pairs with ``rows[i] * columns[j] > cut`` of two descending arrays in O(rows + columns).

    Only the first `n_rows` and `n_columns` elements may still be above; both shrink while the cut
    grows. Returns the count and the two bounds.
    """
    total = np.int64(0)
    if n_rows == 0 or n_columns == 0:
        return total, 0, 0
    while n_rows > 0 and rows[n_rows - 1] * columns[0] <= cut:
        n_rows -= 1
    while n_columns > 0 and rows[0] * columns[n_columns - 1] <= cut:
        n_columns -= 1
    width = n_columns
    for row in range(n_rows):
        while rows[row] * columns[width - 1] <= cut:
            width -= 1
        total += width
    return total, n_rows, n_columns


@kernel
def fit_intervals(mean, weight, block, size, cut, groups, place):
    """Give every candidate to the oldest cluster that it fits to; return the number of clusters.

    `mean` and `weight` are absolute values of the `size` candidates in the order in which they are
    met, `block` is 0 or 1 for their sign. `groups` holds, per sign, smallest mean, smallest weight,
    sum of means, size and number of every cluster, and how many clusters there are; `place` gets the
    cluster of every candidate among those of its sign.
    """
    least_mean, least_weight, total_mean, members, number, count = groups
    count[0] = 0
    count[1] = 0
    total = 0
    for position in range(size):
        own_mean = mean[position]
        own_weight = weight[position]
        side = block[position]
        means = least_mean[side]
        weights = least_weight[side]
        slot = 0
        while slot < count[side]:
            if (own_mean * weights[slot] > cut) & (means[slot] * own_weight > cut):
                break
            slot += 1
        place[position] = slot
        if slot == count[side]:
            count[side] += 1
            number[side, slot] = total
            total += 1
            means[slot] = own_mean
            weights[slot] = own_weight
            total_mean[side, slot] = own_mean
            members[side, slot] = 1
        else:
            means[slot] = min(means[slot], own_mean)
            weights[slot] = min(weights[slot], own_weight)
            total_mean[side, slot] += own_mean
            members[side, slot] += 1
    return total


@kernel
def new_groups(n_labels):
    """Working arrays of :func:`fit_intervals`, made once per call and not per threshold."""
    return (
        np.empty((2, n_labels)),
        np.empty((2, n_labels)),
        np.empty((2, n_labels)),
        np.empty((2, n_labels), np.int64),
        np.empty((2, n_labels), np.int64),
        np.zeros(2, np.int64),
    )


@kernel
def largest_interval_clique(by_mean, by_weight, size, mean, weight, cut):
    """Return the seed and the size of the largest clique among labels of one sign.

    `by_mean` lists the labels by ascending |mu|, `by_weight` by descending |W|. The clique of a seed
    x is {i : |mu_i| >= |mu_x|, |mu_x| |W_i| > cut}; some largest clique has this form, x being its
    member of smallest |mu|. Ties between seeds go to the smallest label list.
    """
    best_size, best_seed = 0, -1
    reach = 0
    for rank in range(size):
        seed = by_mean[rank]
        while reach < size and mean[seed] * weight[by_weight[reach]] > cut:
            reach += 1
        found = reach - rank  # too small within ties of |mu|, but right for the first of them
        if found > best_size:
            best_size, best_seed = found, seed
        elif found == best_size and comes_first(seed, best_seed, by_mean, size, mean, weight, cut):
            best_seed = seed
    return best_size, best_seed


@kernel
def in_clique(label, seed, mean, weight, cut):
    """Whether a label belongs to the clique of a seed of its own sign."""
    return mean[label] >= mean[seed] and mean[seed] * weight[label] > cut


@kernel
def comes_first(seed, other, members, size, mean, weight, cut):
    """Whether the clique of `seed` has the smallest label in which the two cliques differ."""
    smallest = np.int64(mean.size)
    answer = False
    for rank in range(size):
        label = members[rank]
        if label < smallest:
            mine = in_clique(label, seed, mean, weight, cut)
            if mine != in_clique(label, other, mean, weight, cut):
                smallest = label
                answer = mine
    return answer


@kernel
def _first_label(seed, members, size, mean, weight, cut):
    smallest = np.int64(mean.size)
    for rank in range(size):
        if members[rank] < smallest and in_clique(members[rank], seed, mean, weight, cut):
            smallest = members[rank]
    return smallest


@kernel
def split_by_side(ordered, n_ordered, side, mean, weight, cut, lists, sizes):
    """List the candidates of either sign in the given order."""
    sizes[0] = 0
    sizes[1] = 0
    for position in range(n_ordered):
        label = ordered[position]
        if mean[label] * weight[label] > cut and side[label] >= 0:
            block = side[label]
            lists[block, sizes[block]] = label
            sizes[block] += 1


@kernel
def _remove(seed, members, size, mean, weight, cut):
    kept = 0
    for rank in range(size):
        label = members[rank]
        if not in_clique(label, seed, mean, weight, cut):
            members[kept] = label
            kept += 1
    return kept


@kernel
def take_largest_intervals(by_mean, by_weight, mean, weight, side, cut, lists, cluster_of):
    """Take the largest clique away, again and again; return the number of clusters.

    `by_mean` and `by_weight` order all labels by ascending |mu| and descending |W|. Of cliques of
    the same size the one with the smallest label list is taken, as in the general search.
    """
    mean_lists, weight_lists, sizes, best = lists
    split_by_side(by_mean, by_mean.size, side, mean, weight, cut, mean_lists, sizes)
    split_by_side(by_weight, by_weight.size, side, mean, weight, cut, weight_lists, sizes)
    for block in range(2):
        best[block, 0], best[block, 1] = largest_interval_clique(
            mean_lists[block], weight_lists[block], sizes[block], mean, weight, cut
        )
    total = 0
    while sizes[0] + sizes[1] > 0:
        block = 0 if best[0, 0] >= best[1, 0] else 1
        if best[0, 0] == best[1, 0]:
            firsts = (
                _first_label(best[0, 1], mean_lists[0], sizes[0], mean, weight, cut),
                _first_label(best[1, 1], mean_lists[1], sizes[1], mean, weight, cut),
            )
            block = 0 if firsts[0] < firsts[1] else 1
        seed = best[block, 1]
        for rank in range(sizes[block]):
            if in_clique(mean_lists[block, rank], seed, mean, weight, cut):
                cluster_of[mean_lists[block, rank]] = total
        _remove(seed, weight_lists[block], sizes[block], mean, weight, cut)
        sizes[block] = _remove(seed, mean_lists[block], sizes[block], mean, weight, cut)
        best[block, 0], best[block, 1] = largest_interval_clique(
            mean_lists[block], weight_lists[block], sizes[block], mean, weight, cut
        )
        total += 1
    return total


@kernel
def new_lists(n_labels):
    """Working arrays of :func:`take_largest_intervals`."""
    return (
        np.empty((2, n_labels), np.int64),
        np.empty((2, n_labels), np.int64),
        np.zeros(2, np.int64),
        np.zeros((2, 2), np.int64),
    )
