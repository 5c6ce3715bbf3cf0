"""Threshold scans: the clusters of every matrix at every threshold, as a labelled Dataset."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from symbreak.clusters.kernels.bit_rows import scan_factors, scan_stack
from symbreak.clusters.kernels.rank_one import scan_nodes
from symbreak.clusters.partitioning import SEARCH_LIMIT, by_node, check_rule, check_thresholds, chunks
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head
from symbreak.numerics.arrays import as_floats
from symbreak.numerics.threads import spread
from symbreak.store import describe

PATHS = ("auto", "rank_one", "bit_rows")

Kernel = Callable[..., None]


def scan(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    thresholds: ArrayLike,
    rule: str = "first_fit",
    bias: ArrayLike | None = None,
    centred: bool = False,
    group_of_node: ArrayLike | None = None,
    path: str = "auto",
    threads: int | None = None,
) -> xr.Dataset:
    r"""Clusters and noise of every nodal matrix at every threshold.

    .. math:: B_k[i, j] = [\mu_{ik} W_{jk} (+\, b_j) > \vartheta \max_{ij}], \quad
              n = \sum_{ij} B[i, j] - \sum_c |c|^2, \quad \mathrm{diag} = \sum_i B[i, i] = N_c C_s

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
        Mean pooled feature of every node over the inputs of every label.
    readout : (n_labels, n_nodes) array of float
        Readout weights, one output for each label.
    thresholds : (n_thresholds,) array of float
        Fractions of the signed maximum, in [0, 1), rising.
    rule : {"first_fit", "min_cover", "largest_first"}
        See :func:`symbreak.clusters.partition`.
    bias : (n_labels,) array of float, optional
        Kept bias of the readout; None silences it.
    centred : bool
        Fix the gauge first, see :func:`symbreak.matrices.centre`.
    group_of_node : (n_nodes,) array of int, optional
        Head, filter or other group of every node, counted from 1. The matrices are then the sums over
        the nodes of a group (:func:`symbreak.matrices.by_head`), and `node` counts groups.
    path : {"auto", "rank_one", "bit_rows"}
        ``rank_one`` forms no matrix and needs the bias silenced; ``bit_rows`` works for any matrix.
        ``auto`` takes the first where it can. Both give the same numbers bit for bit, except that
        `min_cover` may choose another cover of the same size.
    threads : int, optional
        Threads over nodes; default ``OMP_NUM_THREADS``, else all processors. The result does not
        depend on it.

    Returns
    -------
    Dataset
        On (threshold, node): `n_clusters`, `cluster_size` (NaN without cluster), `diagonal`,
        `noise`, `square_sum`, `largest`; for ``min_cover`` also `cover_bound`, for
        ``largest_first`` also `search_finished`. On (threshold, label), summed over nodes: `appearance`
        and, in raw units, `diagonal_field` and `cluster_field`. On (node): `field_maximum`. The
        coordinate node counts from 1, label from 0.

    Raises
    ------
    SymbreakError
        If shapes do not fit, a number is not finite, thresholds do not rise within [0, 1), or rule or path
        is unknown.

    Notes
    -----
    P1 (arXiv:2501.12900) section 2, Table 1, Figs. 3-5. Nodes without a positive finite maximum (a
    product may overflow) have no clusters and no noise.

    Examples
    --------
    >>> result = scan([[1.0], [0.8], [-1.0]], [[1.0], [0.9], [-0.7]], [0.5, 0.75])
    >>> result.n_clusters.values.ravel(), result.noise.values.ravel()
    (array([2, 1]), array([0, 2]))
    """
    if group_of_node is not None:
        stack = by_head(feature_mean, readout, group_of_node, bias, centred)
        return scan_matrices(stack, thresholds, rule, "node", threads)
    means, weights, offsets = by_node(feature_mean, readout, bias, centred)
    number, cuts = check_rule(rule), check_thresholds(thresholds)
    if path not in PATHS or (path == "rank_one" and offsets is not None):
        raise SymbreakError(
            f"path {path!r} {'needs the bias silenced' if path in PATHS else 'is unknown'}: "
            f"choose one of {', '.join(PATHS)}."
        )
    n_nodes, n_labels = means.shape

    def rank_one(part: slice, ascending: NDArray, *outputs: NDArray) -> None:
        scan_nodes(means[part], weights[part], ascending, number, *outputs)

    def bit_rows(part: slice, ascending: NDArray, *outputs: NDArray) -> None:
        kept = np.empty(0) if offsets is None else offsets
        scan_factors(means[part], weights[part], kept, ascending, number, SEARCH_LIMIT, *outputs)

    formed = path == "bit_rows" or offsets is not None
    filled = _run(bit_rows if formed else rank_one, n_nodes, n_labels, cuts, threads)
    return _dataset(filled, cuts, rule, "node", "bit_rows" if formed else "rank_one")


def scan_matrices(
    matrices: ArrayLike,
    thresholds: ArrayLike,
    rule: str = "first_fit",
    dim: str = "head",
    threads: int | None = None,
) -> xr.Dataset:
    """Clusters and noise of any stack of matrices at every threshold, by rows of bits.

    Parameters
    ----------
    matrices : (n_matrices, n_labels, n_labels) array of float
        Raw fields, for example of heads (:func:`symbreak.matrices.by_head`).
    thresholds : (n_thresholds,) array of float
        Fractions of the signed maximum of each matrix, in [0, 1), rising.
    rule : {"first_fit", "min_cover", "largest_first"}
        See :func:`symbreak.clusters.partition`.
    dim : str
        Name of the dimension of the stack; its coordinate counts from 1.
    threads : int, optional
        Threads over matrices; the result does not depend on it.

    Returns
    -------
    Dataset
        As :func:`scan`, with `dim` in place of node.

    Raises
    ------
    SymbreakError
        If the stack is not (matrices, labels, labels), a threshold is not in [0, 1), or the rule is
        unknown.

    Notes
    -----
    P2 (arXiv:2506.23832) section 2, Tables 1 and 2.

    Examples
    --------
    >>> result = scan_matrices([[[1.0, 0.0], [0.9, 1.0]]], [0.5])
    >>> int(result.n_clusters[0, 0]), int(result.noise[0, 0])
    (2, 1)
    """
    stack = np.ascontiguousarray(as_floats(matrices, "matrices"))
    if stack.ndim != 3 or stack.shape[1] != stack.shape[2] or 0 in stack.shape:
        raise SymbreakError(f"matrices has shape {stack.shape}: give (matrices, labels, labels).")
    number, cuts = check_rule(rule), check_thresholds(thresholds)

    def bit_rows(part: slice, ascending: NDArray, *outputs: NDArray) -> None:
        scan_stack(stack[part], ascending, number, SEARCH_LIMIT, *outputs)

    filled = _run(bit_rows, len(stack), stack.shape[1], cuts, threads)
    return _dataset(filled, cuts, rule, dim, "bit_rows")


def _run(
    kernel: Kernel, n_matrices: int, n_labels: int, thresholds: NDArray, threads: int | None
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Run a kernel over chunks; return counts, maxima, appearance and fields."""
    counts = np.zeros((n_matrices, 6, thresholds.size), np.int64)
    maxima = np.empty(n_matrices)

    def work(part: slice) -> tuple[NDArray, NDArray]:
        appearance = np.zeros((thresholds.size, n_labels), np.int64)
        fields = np.zeros((thresholds.size, 2, n_labels))
        kernel(part, thresholds, counts[part], maxima[part], appearance, fields)
        return appearance, fields

    # Floats are added in the order of the chunks, whatever the number of threads.
    parts = spread(work, chunks(n_matrices), threads)
    appearance, fields = (sum(arrays[1:], start=arrays[0]) for arrays in zip(*parts))
    return counts, maxima, appearance, fields


def _dataset(
    filled: tuple[NDArray, NDArray, NDArray, NDArray], thresholds: NDArray, rule: str, dim: str, path: str
) -> xr.Dataset:
    counts, maxima, appearance, fields = filled
    n_clusters, diagonal, ones, squares, largest, certificate = np.moveaxis(counts, 0, -1)
    with np.errstate(invalid="ignore"):
        cluster_size = diagonal / n_clusters
    values: dict[str, tuple] = {
        "n_clusters": (("threshold", dim), n_clusters),
        "cluster_size": (("threshold", dim), cluster_size),
        "diagonal": (("threshold", dim), diagonal),
        "noise": (("threshold", dim), ones - squares),
        "square_sum": (("threshold", dim), squares),
        "largest": (("threshold", dim), largest),
        "appearance": (("threshold", "label"), appearance),
        "diagonal_field": (("threshold", "label"), fields[:, 0]),
        "cluster_field": (("threshold", "label"), fields[:, 1]),
        "field_maximum": ((dim,), maxima),
    }
    if rule == "min_cover":
        bound = n_clusters if path == "rank_one" else certificate
        values["cover_bound"] = (("threshold", dim), bound)
    if rule == "largest_first":
        finished = np.ones_like(n_clusters) if path == "rank_one" else certificate
        values["search_finished"] = (("threshold", dim), np.where(n_clusters == 0, 1, finished))
    coords = {
        "threshold": thresholds,
        dim: np.arange(1, len(maxima) + 1),
        "label": np.arange(appearance.shape[-1]),
    }
    return describe(xr.Dataset(values, coords, {"rule": rule, "path": path}), "scan")
