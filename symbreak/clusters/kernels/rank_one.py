"""Threshold scan of rank-one matrices: sort once per node, then O(L + diag N_c) per threshold."""

import numpy as np

from symbreak.clusters.kernels.cuts import product_maximum, raw_cut
from symbreak.clusters.kernels.intervals import (
    LARGEST_FIRST,
    MIN_COVER,
    count_above,
    descending,
    fit_intervals,
    largest_interval_clique,
    new_groups,
    new_lists,
    split_by_side,
    take_largest_intervals,
)
from symbreak.numerics.compiling import kernel


@kernel
def signs(mean, weight):
    """0 where both factors are positive, 1 where both are negative, -1 where a label can be in no cluster."""
    side = np.full(mean.size, -1, np.int64)
    for label in range(mean.size):
        if mean[label] > 0 and weight[label] > 0:
            side[label] = 0
        elif mean[label] < 0 and weight[label] < 0:
            side[label] = 1
    return side


@kernel
def label_order(rule, mean):
    """Order in which first fit meets the labels; ascending |mu| turns it into a minimum clique cover."""
    if rule == MIN_COVER:
        return np.argsort(mean, kind="mergesort")
    return np.arange(mean.size)


@kernel
def _tally_groups(labels, weight, block, size, groups, place, cluster_field):
    _, _, total_mean, members, _, count = groups
    for position in range(size):
        side = block[position]
        cluster_field[labels[position]] += weight[position] * total_mean[side, place[position]]
    squares = 0
    largest = 0
    for side in range(2):
        for slot in range(count[side]):
            squares += members[side, slot] * members[side, slot]
            largest = max(largest, members[side, slot])
    return squares, largest


@kernel
def _tally_numbers(labels, mean, weight, size, n_clusters, cluster_of, groups, cluster_field):
    total_mean, members = groups[2][0], groups[3][0]
    total_mean[:n_clusters] = 0.0
    members[:n_clusters] = 0
    for position in range(size):
        cluster = cluster_of[labels[position]]
        members[cluster] += 1
        total_mean[cluster] += mean[position]
    for position in range(size):
        label = labels[position]
        cluster_field[label] += weight[position] * total_mean[cluster_of[label]]
    squares = 0
    largest = 0
    for cluster in range(n_clusters):
        squares += members[cluster] * members[cluster]
        largest = max(largest, members[cluster])
    return squares, largest


@kernel
def _keep_above(labels, mean, weight, block, size, cut, step, appearance, diagonal_field):
    """Drop candidates that are no longer above; book those dropped at the last step they survived."""
    kept = 0
    for position in range(size):
        product = mean[position] * weight[position]
        if product > cut:
            if kept < position:
                labels[kept] = labels[position]
                mean[kept] = mean[position]
                weight[kept] = weight[position]
                block[kept] = block[position]
            kept += 1
        elif step > 0:
            appearance[step - 1, labels[position]] += 1
            diagonal_field[step - 1, 0, labels[position]] += product
    return kept


@kernel
def _scan_node(signed_mean, signed_weight, maximum, thresholds, rule, work, counts, appearance, fields):
    """Scan one node; `counts` is (6, thresholds): clusters, diagonal, ones, square sum, largest, unused."""
    groups, lists, place, cluster_of = work
    side = signs(signed_mean, signed_weight)
    means, weights = np.abs(signed_mean), np.abs(signed_weight)
    rows, low_rows = descending(np.sort(signed_mean))
    columns, low_columns = descending(np.sort(signed_weight))
    n_rows, n_columns, n_low, n_low_columns = rows.size, columns.size, low_rows.size, low_columns.size
    labels = label_order(rule, means)
    labels = labels[side[labels] >= 0]
    mean, weight, block = means[labels], weights[labels], side[labels]
    size = labels.size
    by_mean, by_weight = labels[:0], labels[:0]
    if rule == LARGEST_FIRST:
        by_mean, by_weight = np.argsort(means), np.argsort(-weights)
    for step in range(thresholds.size):
        cut = raw_cut(maximum, thresholds[step])
        size = _keep_above(labels, mean, weight, block, size, cut, step, appearance, fields)
        ones, n_rows, n_columns = count_above(rows, columns, n_rows, n_columns, cut)
        low_ones, n_low, n_low_columns = count_above(low_rows, low_columns, n_low, n_low_columns, cut)
        if rule == LARGEST_FIRST:
            found = take_largest_intervals(by_mean, by_weight, means, weights, side, cut, lists, cluster_of)
            squares, largest = _tally_numbers(
                labels, mean, weight, size, found, cluster_of, groups, fields[step, 1]
            )
        else:
            found = fit_intervals(mean, weight, block, size, cut, groups, place)
            squares, largest = _tally_groups(labels, weight, block, size, groups, place, fields[step, 1])
        counts[0, step], counts[1, step], counts[2, step] = found, size, ones + low_ones
        counts[3, step], counts[4, step] = squares, largest
    _keep_above(labels, mean, weight, block, size, np.inf, thresholds.size, appearance, fields)


@kernel
def scan_nodes(mean, weight, thresholds, rule, counts, maxima, appearance, fields):
    """Scan nodes one after the other.

    `mean` and `weight` are (nodes, labels); `thresholds` ascend; `counts`
    (nodes, 6, thresholds) and `maxima` (nodes,) are filled; so are `appearance` (thresholds,
    labels) and `fields` (thresholds, 2, labels), which start from zero. Nodes without positive
    maximum stay zero.
    """
    n_labels = mean.shape[1]
    work = (
        new_groups(n_labels),
        new_lists(n_labels),
        np.zeros(n_labels, np.int64),
        np.zeros(n_labels, np.int64),
    )
    for node in range(mean.shape[0]):
        maximum = product_maximum(mean[node], weight[node])
        maxima[node] = maximum
        if maximum > 0:
            _scan_node(
                mean[node], weight[node], maximum, thresholds, rule, work,
                counts[node], appearance, fields,
            )  # fmt: skip
    # A label was booked once, at the last step it survived: it is there at all steps before.
    for step in range(thresholds.size - 2, -1, -1):
        appearance[step] += appearance[step + 1]
        fields[step, 0] += fields[step + 1, 0]


@kernel
def partition_nodes(mean, weight, threshold, rule, partitions):
    """Fill `partitions` (nodes, labels) with cluster numbers from 1, 0 for labels in no cluster."""
    n_labels = mean.shape[1]
    groups, lists = new_groups(n_labels), new_lists(n_labels)
    cluster_of, place = np.zeros(n_labels, np.int64), np.zeros(n_labels, np.int64)
    for node in range(mean.shape[0]):
        maximum = product_maximum(mean[node], weight[node])
        if not maximum > 0:
            continue
        cut = raw_cut(maximum, threshold)
        side = signs(mean[node], weight[node])
        means, weights = np.abs(mean[node]), np.abs(weight[node])
        order = label_order(rule, means)
        order = order[(means[order] * weights[order] > cut) & (side[order] >= 0)]
        if rule == LARGEST_FIRST:
            by_mean, by_weight = np.argsort(means), np.argsort(-weights)
            take_largest_intervals(by_mean, by_weight, means, weights, side, cut, lists, cluster_of)
            for label in order:
                partitions[node, label] = cluster_of[label] + 1
        else:
            block = side[order]
            fit_intervals(means[order], weights[order], block, order.size, cut, groups, place)
            for position in range(order.size):
                partitions[node, order[position]] = groups[4][block[position], place[position]] + 1


@kernel
def largest_cliques(mean, weight, thresholds, largest):
    """Fill `largest` (nodes, thresholds) with the number of labels in the largest possible cluster."""
    mean_lists, weight_lists, sizes, _ = new_lists(mean.shape[1])
    for node in range(mean.shape[0]):
        maximum = product_maximum(mean[node], weight[node])
        if not maximum > 0:
            continue
        side = signs(mean[node], weight[node])
        means, weights = np.abs(mean[node]), np.abs(weight[node])
        by_mean, by_weight = np.argsort(means), np.argsort(-weights)
        for step in range(thresholds.size):
            cut = raw_cut(maximum, thresholds[step])
            split_by_side(by_mean, by_mean.size, side, means, weights, cut, mean_lists, sizes)
            split_by_side(by_weight, by_weight.size, side, means, weights, cut, weight_lists, sizes)
            for block in range(2):
                found, _ = largest_interval_clique(
                    mean_lists[block], weight_lists[block], sizes[block], means, weights, cut
                )
                largest[node, step] = max(largest[node, step], found)
