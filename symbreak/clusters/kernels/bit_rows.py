"""Threshold scan of general matrices: pairs enter once, from the highest threshold to the lowest."""

import numpy as np

from symbreak.clusters.kernels.bit_sets import ZERO, add_chain, count_bits, drop_steps, link_pairs, n_words
from symbreak.clusters.kernels.cliques import first_fit, largest_first, min_cover, new_search
from symbreak.clusters.kernels.cuts import raw_cut
from symbreak.clusters.kernels.intervals import LARGEST_FIRST, MIN_COVER
from symbreak.numerics.compiling import kernel

BINS = 512


@kernel
def finite_maximum(matrix):
    """Signed maximum of a matrix, NaN if an element is not finite."""
    maximum = -np.inf
    for row in range(matrix.shape[0]):
        for column in range(matrix.shape[1]):
            if not np.isfinite(matrix[row, column]):
                return np.nan
            maximum = max(maximum, matrix[row, column])
    return maximum


@kernel
def new_graph(n_labels, n_cuts):
    """Working arrays of one chunk: adjacency, candidate sets, pair chains."""
    words = n_words(n_labels)
    return (
        np.zeros((n_labels, words), np.uint64),
        np.zeros((3, words), np.uint64),
        np.empty((n_labels, n_labels), np.int32),
        np.empty((n_labels, n_labels), np.int64),
        np.empty(n_cuts + 1, np.int64),
        np.empty(n_cuts, np.float64),
        np.empty(BINS, np.int64),
    )


@kernel
def new_partition(n_labels, rule):
    """Working arrays of the rules; the large ones only for the rule that uses them."""
    words = n_words(n_labels)
    covered = n_labels if rule == MIN_COVER else 0
    searched = n_labels if rule == LARGEST_FIRST else 0
    cover = (
        np.empty(covered, np.int64),
        np.empty(covered, np.int64),
        np.zeros((covered, words), np.uint64),
        np.empty(covered, np.int64),
        np.zeros(words, np.uint64),
    )
    return (
        np.empty(n_labels, np.int64),
        np.empty(n_labels, np.int64),
        cover,
        new_search(searched, words if searched else 0),
    )


@kernel
def divide(rows, sets, partition, rule, limit):
    """Apply a rule; return the number of clusters and its certificate.

    The certificate is the lower bound for min_cover, 1 or 0 for a finished or stopped largest_first
    search, and the number of clusters itself for first_fit.
    """
    members, ends, cover, search = partition
    if rule == MIN_COVER:
        return min_cover(rows, sets[0], cover, members, ends)
    if rule == LARGEST_FIRST:
        found, exact = largest_first(rows, sets[0], sets[1], search, members, ends, limit)
        return found, np.int64(exact)
    found = first_fit(rows, sets[0], sets[1], sets[2], members, ends)
    return found, found


@kernel
def _tally(matrix, members, ends, n_clusters, appearance, fields):
    squares = 0
    largest = 0
    start = 0
    for cluster in range(n_clusters):
        end = ends[cluster]
        squares += (end - start) * (end - start)
        largest = max(largest, end - start)
        for target in range(start, end):
            label = members[target]
            appearance[label] += 1
            fields[0, label] += matrix[label, label]
            for source in range(start, end):
                fields[1, label] += matrix[members[source], label]
        start = end
    return squares, largest


@kernel
def scan_matrix(matrix, thresholds, rule, limit, graph, partition, counts, appearance, fields):
    """Scan one square matrix over ascending thresholds; return its signed maximum.

    `counts` is (6, thresholds): clusters, diagonal, ones, square sum, largest, certificate;
    `appearance` is (thresholds, labels), `fields` (thresholds, 2, labels).
    """
    rows, sets, steps, links, chain, cuts, table = graph
    maximum = finite_maximum(matrix)
    if not maximum > 0:
        return maximum
    for step in range(thresholds.size):
        cuts[step] = raw_cut(maximum, thresholds[step])
    ones = np.empty(thresholds.size + 1, np.int64)
    drop_steps(matrix, maximum, cuts, table, steps)
    link_pairs(steps, cuts.size, ones, chain, links)
    rows[:] = ZERO
    sets[:] = ZERO
    for step in range(thresholds.size - 1, -1, -1):
        add_chain(chain[step + 1], links, rows, sets[0])
        found, certificate = divide(rows, sets, partition, rule, limit)
        squares, largest = _tally(matrix, partition[0], partition[1], found, appearance[step], fields[step])
        counts[0, step], counts[1, step], counts[2, step] = found, count_bits(sets[0]), ones[step + 1]
        counts[3, step], counts[4, step], counts[5, step] = squares, largest, certificate
    return maximum


@kernel
def scan_stack(matrices, thresholds, rule, limit, counts, maxima, appearance, fields):
    """Scan a stack (matrices, labels, labels); the outputs are those of `scan_factors`."""
    graph = new_graph(matrices.shape[1], thresholds.size)
    partition = new_partition(matrices.shape[1], rule)
    for index in range(matrices.shape[0]):
        maxima[index] = scan_matrix(
            matrices[index], thresholds, rule, limit, graph, partition,
            counts[index], appearance, fields,
        )  # fmt: skip


@kernel
def scan_factors(mean, weight, bias, thresholds, rule, limit, counts, maxima, appearance, fields):
    """Scan nodal matrices ``mean[k, i] * weight[k, j] + bias[j]``, one in memory at a time.

    `mean`, `weight` are (nodes, labels); `counts` (nodes, 6, thresholds) and `maxima` are filled,
    `appearance` (thresholds, labels) and `fields` (thresholds, 2, labels) are added to.
    """
    n_labels = mean.shape[1]
    graph = new_graph(n_labels, thresholds.size)
    partition = new_partition(n_labels, rule)
    matrix = np.empty((n_labels, n_labels))
    for node in range(mean.shape[0]):
        for row in range(n_labels):
            for column in range(n_labels):
                # A missing bias has no elements: adding 0.0 would turn -0.0 into 0.0, which is harmless.
                offset = bias[column] if bias.size else 0.0
                matrix[row, column] = mean[node, row] * weight[node, column] + offset
        maxima[node] = scan_matrix(
            matrix, thresholds, rule, limit, graph, partition,
            counts[node], appearance, fields,
        )  # fmt: skip


@kernel
def partition_matrix(matrix, threshold, rule, limit, cluster_of):
    """Fill `cluster_of` (labels,) with cluster numbers from 1, 0 for labels in no cluster."""
    n_labels = matrix.shape[0]
    thresholds = np.array([threshold])
    graph = new_graph(n_labels, 1)
    partition = new_partition(n_labels, rule)
    counts = np.zeros((6, 1), np.int64)
    scan_matrix(
        matrix, thresholds, rule, limit, graph, partition, counts,
        np.zeros((1, n_labels), np.int64), np.zeros((1, 2, n_labels)),
    )  # fmt: skip
    start = 0
    for cluster in range(counts[0, 0]):
        for position in range(start, partition[1][cluster]):
            cluster_of[partition[0][position]] = cluster + 1
        start = partition[1][cluster]
    return counts[5, 0]
