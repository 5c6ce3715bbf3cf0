"""Threshold scan of rank-one matrices: sort once per node, then O(L + diag N_c) per threshold."""

import numpy as np
from numba import njit

from symbreak.clusters.kernels.cuts import product_maximum, raw_cut
from symbreak.clusters.kernels.intervals import (
    LARGEST_FIRST,
    MIN_COVER,
    descending,
    first_fit,
    largest_clique,
    largest_first,
    new_lists,
    new_state,
    split_by_side,
    staircase,
)


@njit(nogil=True, cache=True)
def signs(mean, weight):
    """0 where both factors are positive, 1 where both are negative, -1 where a label can be in no cluster."""
    side = np.full(mean.size, -1, np.int64)
    for label in range(mean.size):
        if mean[label] > 0 and weight[label] > 0:
            side[label] = 0
        elif mean[label] < 0 and weight[label] < 0:
            side[label] = 1
    return side


@njit(nogil=True, cache=True)
def label_order(rule, mean):
    """Order in which first fit meets the labels; ascending |mu| turns it into a minimum clique cover."""
    if rule == MIN_COVER:
        return np.argsort(mean, kind="mergesort")
    return np.arange(mean.size)


@njit(nogil=True, cache=True)
def _tally(candidates, n_candidates, n_clusters, cluster_of, mean, weight, size, field, cluster_field):
    for cluster in range(n_clusters):
        size[cluster] = 0
        field[cluster] = 0.0
    for position in range(n_candidates):
        label = candidates[position]
        size[cluster_of[label]] += 1
        field[cluster_of[label]] += mean[label]
    for position in range(n_candidates):
        label = candidates[position]
        cluster_field[label] += weight[label] * field[cluster_of[label]]
    squares = 0
    largest = 0
    for cluster in range(n_clusters):
        squares += size[cluster] * size[cluster]
        largest = max(largest, size[cluster])
    return squares, largest


@njit(nogil=True, cache=True)
def _keep_above(candidates, n_candidates, product, cut, appearance, diagonal_field):
    kept = 0
    for position in range(n_candidates):
        label = candidates[position]
        if product[label] > cut:
            candidates[kept] = label
            kept += 1
            appearance[label] += 1
            diagonal_field[label] += product[label]
    return kept


@njit(nogil=True, cache=True)
def _scan_node(signed_mean, signed_weight, maximum, thresholds, rule, counts, appearance, fields):
    """Scan one node; `counts` is (5, thresholds): clusters, diagonal, ones, square sum, largest."""
    n_labels = signed_mean.size
    side = signs(signed_mean, signed_weight)
    mean, weight = np.abs(signed_mean), np.abs(signed_weight)
    product = mean * weight
    rows, columns = descending(signed_mean, 1.0), descending(signed_weight, 1.0)
    low_rows, low_columns = descending(signed_mean, -1.0), descending(signed_weight, -1.0)
    width, low_width = columns.size, low_columns.size
    candidates = label_order(rule, mean)
    candidates = candidates[side[candidates] >= 0]
    n_candidates = candidates.size
    by_mean, by_weight = np.argsort(mean), np.argsort(-weight)
    state, lists = new_state(n_labels), new_lists(n_labels)
    cluster_of = np.zeros(n_labels, np.int64)
    size, field = np.zeros(n_labels, np.int64), np.zeros(n_labels)
    for step in range(thresholds.size):
        cut = raw_cut(maximum, thresholds[step])
        n_candidates = _keep_above(candidates, n_candidates, product, cut, appearance[step], fields[step, 0])
        ones, width = staircase(rows, columns, width, cut)
        low_ones, low_width = staircase(low_rows, low_columns, low_width, cut)
        if rule == LARGEST_FIRST:
            found = largest_first(by_mean, by_weight, mean, weight, side, cut, lists, cluster_of)
        else:
            found = first_fit(candidates, n_candidates, mean, weight, side, cut, state, cluster_of)
        squares, largest = _tally(
            candidates, n_candidates, found, cluster_of, mean, weight, size, field, fields[step, 1]
        )
        counts[0, step], counts[1, step], counts[2, step] = found, n_candidates, ones + low_ones
        counts[3, step], counts[4, step] = squares, largest


@njit(nogil=True, cache=True)
def scan_nodes(mean, weight, head, thresholds, rule, counts, maxima, appearance, fields):
    """Scan nodes one after the other.

    `mean` and `weight` are (nodes, labels); `head` counts from 0; `thresholds` ascend; `counts`
    (nodes, 5, thresholds) and `maxima` (nodes,) are filled; `appearance` (heads, thresholds, labels)
    and `fields` (thresholds, 2, labels) are added to. Nodes without positive maximum stay zero.
    """
    for node in range(mean.shape[0]):
        maximum = product_maximum(mean[node], weight[node])
        maxima[node] = maximum
        if maximum > 0:
            _scan_node(
                mean[node], weight[node], maximum, thresholds, rule,
                counts[node], appearance[head[node]], fields,
            )  # fmt: skip


@njit(nogil=True, cache=True)
def partition_nodes(mean, weight, threshold, rule, partitions):
    """Fill `partitions` (nodes, labels) with cluster numbers from 1, 0 for labels in no cluster."""
    n_labels = mean.shape[1]
    state, lists = new_state(n_labels), new_lists(n_labels)
    cluster_of = np.zeros(n_labels, np.int64)
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
            largest_first(by_mean, by_weight, means, weights, side, cut, lists, cluster_of)
        else:
            first_fit(order, order.size, means, weights, side, cut, state, cluster_of)
        for label in order:
            partitions[node, label] = cluster_of[label] + 1


@njit(nogil=True, cache=True)
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
                found, _ = largest_clique(
                    mean_lists[block], weight_lists[block], sizes[block], means, weights, cut
                )
                largest[node, step] = max(largest[node, step], found)
