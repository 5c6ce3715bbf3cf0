"""What the matrices of heads (SHP) look like when nodes are assigned to heads at random.

Summing nodes adds the diagonal coherently and the rest not, so clusters of one label and little noise come
out of *any* partition of the nodes, and few labels per matrix where some labels have much larger fields than
others. What specialised heads have beyond that is that they hold different labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.clusters import scan_matrices
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head, clip
from symbreak.numerics.estimates import permutation_p_value

#: Columns of P2 (arXiv:2506.23832) Table 1 that are compared with the null, and labels held by one head only.
TESTED = ("n_clusters", "cluster_size", "diagonal", "noise", "exclusive")
#: Matrices scanned at once: 16 MB for 100 labels.
CHUNK = 200


def head_matrix_null(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    group_of_node: ArrayLike,
    threshold: float = 0.3,
    n_shuffles: int = 999,
    seed: int = 0,
    rule: str = "first_fit",
    bias: ArrayLike | None = None,
    centred: bool = False,
    threads: int | None = None,
) -> dict[str, tuple[float, float, float, float]]:
    """Compare N_c, C_s, Diag and n of the matrices of heads with those of nodes assigned to heads at random.

    P2 (arXiv:2506.23832) section 2 with null model 2 of docs/heads.md: the sizes of the heads and the node
    matrices are kept, which node belongs to which head is shuffled. `exclusive` is the number of labels on
    the diagonal of exactly one head.

    Parameters
    ----------
    feature_mean, readout, group_of_node, bias, centred
        As in :func:`symbreak.matrices.by_head`.
    threshold : float
        Fraction of the largest field of each matrix.
    n_shuffles, seed
        Number and seed of the draws.
    rule : str
        As in :func:`symbreak.clusters.partition`.
    threads : int, optional

    Returns
    -------
    dict of name to (value, mean, deviation, p)
        The observed value, mean and standard deviation under the null, and the two-sided p-value
        min(1, 2 p_low, 2 p_high). With one head there is nothing to test: NaN but for the value.

    Raises
    ------
    SymbreakError
        If shapes do not fit or there is no draw.

    Examples
    --------
    >>> apart = np.kron(np.eye(2), np.ones((5, 8))) + 0.1  # ten labels, two heads of eight nodes
    >>> null = head_matrix_null(apart, apart, np.repeat([1, 2], 8), n_shuffles=99)
    >>> value, mean, deviation, p = null["exclusive"]
    >>> value, mean < 5, p
    (10.0, True, 0.04)
    """
    if n_shuffles < 1:
        raise SymbreakError(f"{n_shuffles} shuffles make no null model: ask for at least 1, better 999.")
    heads = np.asarray(group_of_node)
    n_heads = int(heads.max(initial=0))

    def measured(partitions: list[NDArray]) -> NDArray[np.float64]:
        fields = [by_head(feature_mean, readout, part, bias, centred) for part in partitions]
        return _columns(np.concatenate(fields), n_heads, threshold, rule, threads)

    observed = measured([heads])[0]
    if n_heads == 1:
        return {name: (float(value), np.nan, np.nan, np.nan) for name, value in zip(TESTED, observed)}
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK // n_heads)
    sizes = [min(step, n_shuffles - start) for start in range(0, n_shuffles, step)]
    draws = np.concatenate([measured([rng.permutation(heads) for _ in range(size)]) for size in sizes])
    tails = [permutation_p_value(sign * observed, sign * draws) for sign in (1, -1)]
    p_values = np.minimum(1.0, 2 * np.minimum(*tails))
    known = [column[np.isfinite(column)] for column in draws.T]
    return {
        name: (
            float(value),
            float(column.mean()) if column.size else np.nan,
            float(column.std(ddof=1)) if column.size > 1 else np.nan,
            float(p),
        )
        for name, value, column, p in zip(TESTED, observed, known, p_values)
    }


def _columns(
    stack: NDArray, n_heads: int, threshold: float, rule: str, threads: int | None
) -> NDArray[np.float64]:
    """Means over the heads of each partition: one row a partition, one column a name of `TESTED`."""
    scanned = scan_matrices(stack, [threshold], rule, threads=threads)
    clusters, labels, noise = (
        scanned[name].values.reshape(-1, n_heads) for name in ("n_clusters", "diagonal", "noise")
    )
    held = np.diagonal(clip(stack, threshold), axis1=1, axis2=2).reshape(len(clusters), n_heads, -1)
    total = clusters.sum(axis=1)
    columns = {
        "n_clusters": clusters.mean(axis=1),
        "cluster_size": np.where(total > 0, labels.sum(axis=1) / np.maximum(total, 1), np.nan),
        "diagonal": labels.mean(axis=1),
        "noise": noise.mean(axis=1),
        "exclusive": (held.sum(axis=1) == 1).sum(axis=1),
    }
    return np.stack([columns[name] for name in TESTED], axis=1)
