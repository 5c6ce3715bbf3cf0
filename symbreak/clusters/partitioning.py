"""Partitions at one threshold: which cluster each label belongs to."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.clusters.kernels.bit_rows import partition_matrix
from symbreak.clusters.kernels.intervals import FIRST_FIT, LARGEST_FIRST, MIN_COVER
from symbreak.clusters.kernels.rank_one import largest_cliques, partition_nodes
from symbreak.errors import SymbreakError
from symbreak.matrices import check_factors, nodal
from symbreak.numerics.arrays import as_floats
from symbreak.numerics.threads import spread

RULES = {"first_fit": FIRST_FIT, "min_cover": MIN_COVER, "largest_first": LARGEST_FIRST}
"""Cluster rules by name; ``first_fit`` is the authors'."""

SEARCH_LIMIT = 200_000
"""Branches after which a largest-cluster search on a general matrix keeps the best clique it has."""

CHUNK = 64
"""Nodes of one piece of work; fixed, so that sums do not depend on the number of threads."""


def check_rule(rule: str) -> int:
    """Return the number of a rule, or say which rules exist."""
    if rule not in RULES:
        raise SymbreakError(f"rule is {rule!r}: choose one of {', '.join(RULES)}.")
    return RULES[rule]


def check_thresholds(thresholds: ArrayLike) -> NDArray[np.float64]:
    """Return the thresholds as a one-dimensional array after checking that they rise within [0, 1)."""
    values = np.atleast_1d(as_floats(thresholds, "thresholds", finite=False))
    if values.ndim != 1 or values.size == 0 or not ((values >= 0) & (values < 1)).all():
        raise SymbreakError(f"thresholds {thresholds!r}: give fractions of the maximum in [0, 1).")
    if (np.diff(values) <= 0).any():
        raise SymbreakError(f"thresholds {thresholds!r}: give each once, from the lowest to the highest.")
    return values


def by_node(
    feature_mean: ArrayLike, readout: ArrayLike, bias: ArrayLike | None = None, centred: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the factors node by node, (nodes, labels) each, after checking labels against outputs."""
    means, weights, offsets = check_factors(feature_mean, readout, bias, centred)
    if len(means) != len(weights):
        raise SymbreakError(
            f"feature_mean has {len(means)} labels and readout {len(weights)} outputs: "
            "clusters need one output for every label."
        )
    return np.ascontiguousarray(means.T), np.ascontiguousarray(weights.T), offsets


def chunks(size: int) -> list[slice]:
    """Cut so many nodes into pieces of work."""
    return [slice(first, min(first + CHUNK, size)) for first in range(0, size, CHUNK)]


def partition(matrix: ArrayLike, threshold: float, rule: str = "first_fit") -> NDArray[np.int64]:
    """Divide the labels of one field matrix into clusters.

    Candidates are labels whose own diagonal element is above the threshold (see
    :func:`symbreak.matrices.clip`); a cluster is a set of candidates whose whole square is above.
    Every candidate belongs to exactly one cluster, single labels count as clusters.

    Parameters
    ----------
    matrix : (n_labels, n_labels) array of float
        Raw fields of a node, a head or any other set of nodes.
    threshold : float
        Fraction of the signed maximum, in [0, 1); elements must lie strictly above.
    rule : {"first_fit", "min_cover", "largest_first"}
        ``first_fit``: the authors' rule; the first free candidate seeds, later free candidates
        in label order join if they fit to all members. ``min_cover``: as few clusters as possible;
        exact for rank-one matrices and all other chordal graphs, otherwise a heuristic (first fit
        along a reversed maximum-cardinality search). ``largest_first``: take the largest cluster away
        again and again, of several the one with the smallest label list; exact, unless a search
        needs more than 200,000 branches, when it keeps the best found.

    Returns
    -------
    (n_labels,) array of int
        0 for labels in no cluster, else the cluster, numbered from 1 in order of creation.

    Raises
    ------
    SymbreakError
        If the matrix is not square, the threshold not in [0, 1) or the rule unknown.

    Notes
    -----
    P1 (arXiv:2501.12900) Fig. 3a, right. A matrix without a positive finite maximum has no cluster.

    Examples
    --------
    >>> matrix = [[1.0, 0.9, 0.0], [0.8, 1.0, 0.0], [0.7, 0.0, 0.6]]
    >>> partition(matrix, 0.3)
    array([1, 1, 2])
    >>> partition(matrix, 0.7)
    array([1, 1, 0])
    """
    fields = np.ascontiguousarray(as_floats(matrix, "matrix"))
    if fields.ndim != 2 or fields.shape[0] != fields.shape[1] or fields.size == 0:
        raise SymbreakError(f"matrix has shape {fields.shape}: give a square matrix, labels by outputs.")
    return _partition(fields, check_thresholds(threshold)[0], check_rule(rule))


def _partition(fields: NDArray[np.float64], cut: float, rule: int) -> NDArray[np.int64]:
    cluster_of = np.zeros(len(fields), np.int64)
    partition_matrix(fields, cut, rule, SEARCH_LIMIT, cluster_of)
    return cluster_of


def partitions(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    threshold: float,
    rule: str = "first_fit",
    bias: ArrayLike | None = None,
    centred: bool = False,
    threads: int | None = None,
) -> NDArray[np.int64]:
    """Divide the labels of every node into clusters.

    Without bias no matrix is formed: the compatibility graph of a rank-one matrix is an interval
    graph (docs/method.md), every rule is exact and costs O(L log L + diag N_c) per node.

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
    readout : (n_labels, n_nodes) array of float
    threshold : float
    rule : {"first_fit", "min_cover", "largest_first"}
        See :func:`partition`.
    bias : (n_labels,) array of float, optional
        Kept bias of the readout; the matrices then have rank two and are formed one at a time.
    centred : bool
        Fix the gauge first, see :func:`symbreak.matrices.centre`.
    threads : int, optional
        Threads over nodes.

    Returns
    -------
    (n_nodes, n_labels) array of int
        0 for labels in no cluster, else the cluster, numbered from 1 in order of creation.

    Raises
    ------
    SymbreakError
        If shapes do not fit, the threshold is not in [0, 1) or the rule unknown.

    Examples
    --------
    >>> partitions([[1.0], [0.8], [-1.0]], [[1.0], [0.9], [-0.7]], 0.5)
    array([[1, 1, 2]])
    """
    means, weights, offsets = by_node(feature_mean, readout, bias, centred)
    number = check_rule(rule)
    cut = check_thresholds(threshold)[0]
    if offsets is not None:
        stack = nodal(means.T, weights.T) + offsets
        return np.array(spread(lambda matrix: _partition(matrix, cut, number), stack, threads))
    result = np.zeros(means.shape, np.int64)
    spread(
        lambda part: partition_nodes(means[part], weights[part], cut, number, result[part]),
        chunks(len(means)),
        threads,
    )
    return result


def membership(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    threshold: float,
    rule: str = "first_fit",
    bias: ArrayLike | None = None,
    centred: bool = False,
    threads: int | None = None,
) -> NDArray[np.bool_]:
    """Which labels the clusters of every node contain.

    Every rule puts each label whose own diagonal element is above the threshold into one cluster, so
    that all rules give the same.

    Parameters
    ----------
    feature_mean, readout, threshold, rule, bias, centred, threads
        As in :func:`partitions`.

    Returns
    -------
    (n_nodes, n_labels) array of bool

    Raises
    ------
    SymbreakError
        If shapes do not fit, the threshold is not in [0, 1) or the rule unknown.

    Notes
    -----
    P1 (arXiv:2501.12900) section 4: summed over the nodes of a head these are the appearances of Fig. 7,
    see :func:`symbreak.observables.appearance_of_heads`.

    Examples
    --------
    >>> membership([[1.0], [0.8], [-1.0]], [[1.0], [0.9], [-0.7]], 0.75)
    array([[ True, False, False]])
    """
    return partitions(feature_mean, readout, threshold, rule, bias, centred, threads) > 0


def largest_cluster(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    thresholds: ArrayLike,
    centred: bool = False,
    threads: int | None = None,
) -> NDArray[np.int64]:
    """Size of the largest possible cluster of every node, exactly, without forming a matrix.

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
    readout : (n_labels, n_nodes) array of float
    thresholds : (n_thresholds,) array of float
    centred : bool
    threads : int, optional

    Returns
    -------
    (n_thresholds, n_nodes) array of int

    Raises
    ------
    SymbreakError
        If shapes do not fit or a threshold is not in [0, 1).

    Notes
    -----
    Clique number of the interval graph of docs/method.md: one sweep over sorted interval ends.

    Examples
    --------
    >>> largest_cluster([[1.0], [0.8], [0.1]], [[1.0], [0.9], [1.0]], [0.05, 0.5])
    array([[3],
           [2]])
    """
    means, weights, _ = by_node(feature_mean, readout, centred=centred)
    cuts = check_thresholds(thresholds)
    result = np.zeros((len(means), cuts.size), np.int64)
    spread(
        lambda part: largest_cliques(means[part], weights[part], cuts, result[part]),
        chunks(len(means)),
        threads,
    )
    return result.T
