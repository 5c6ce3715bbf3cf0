"""Fields of single nodes and of heads, their normalisation and their clipping.

With the pooling weights fixed by the full forward pass, everything between a node and the output
units is linear. Silencing all readout weights but those of node k therefore leaves

    M_k[i, j] = mu_k[i] W[j, k]        (+ b[j] if the bias is kept),

mu_k[i] being the mean of the pooled feature k over the inputs of label i: no silenced forward pass
is needed, and a head's matrix is the sum over its nodes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.numerics.arrays import as_array, as_floats

Floats = NDArray[np.float64]


def check_factors(
    feature_mean: ArrayLike, readout: ArrayLike, bias: ArrayLike | None = None, centred: bool = False
) -> tuple[Floats, Floats, Floats | None]:
    """Return the factors as float64 arrays after checking that their shapes fit.

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
        Mean pooled feature of every node over the inputs of every label.
    readout : (n_outputs, n_nodes) array of float
        Weights of the fully connected readout layer.
    bias : (n_outputs,) array of float, optional
        Bias of the readout layer.
    centred : bool
        Fix the gauge, see :func:`centre`.

    Returns
    -------
    feature_mean, readout, bias : arrays of float
        The bias is None if it was not given.

    Raises
    ------
    SymbreakError
        If an array has the wrong number of dimensions, the sizes disagree, or a number is not finite.

    Examples
    --------
    >>> [a.shape for a in check_factors([[1, 2]], [[3, 4], [5, 6]])[:2]]
    [(1, 2), (2, 2)]
    """
    means = as_floats(feature_mean, "feature_mean")
    weights = as_floats(readout, "readout")
    for name, array, axes in (
        ("feature_mean", means, "(labels, nodes)"),
        ("readout", weights, "(outputs, nodes)"),
    ):
        if array.ndim != 2 or 0 in array.shape:
            raise SymbreakError(
                f"{name} has shape {array.shape}: give a non-empty two-dimensional array {axes}."
            )
    if means.shape[1] != weights.shape[1]:
        raise SymbreakError(
            f"feature_mean has {means.shape[1]} nodes and readout {weights.shape[1]}: "
            "both need the nodes of the same layer on their last axis."
        )
    offsets = None if bias is None else as_floats(bias, "bias")
    if offsets is not None and offsets.shape != (weights.shape[0],):
        raise SymbreakError(
            f"bias has shape {offsets.shape}: give one value for each of the {weights.shape[0]} outputs."
        )
    if not centred:
        return means, weights, offsets
    node_offset = means.mean(axis=0)
    if offsets is not None:
        offsets = offsets + weights @ node_offset
        offsets = offsets - offsets.mean()
    return means - node_offset, weights - weights.mean(axis=0), offsets


def centre(
    feature_mean: ArrayLike, readout: ArrayLike, bias: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats | None]:
    r"""Fix the gauge of the factors: remove node offsets and the common field of the outputs.

    A constant added to a node can be absorbed by the bias, and a constant added to all weights of a
    node shifts all outputs alike; neither changes a prediction, both change M. The centred factors

    .. math:: \mu_{ik} - \langle\mu_k\rangle_i, \qquad W_{jk} - \langle W_k\rangle_j, \qquad
              b'_j - \langle b'\rangle_j, \quad b'_j = b_j + \sum_k \langle\mu_k\rangle W_{jk}

    are the same for all networks that differ only by such constants.

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
    readout : (n_outputs, n_nodes) array of float
    bias : (n_outputs,) array of float, optional

    Returns
    -------
    feature_mean, readout, bias : float64 arrays (bias None if it was not given)

    Raises
    ------
    SymbreakError
        If the shapes do not fit.

    Examples
    --------
    >>> centred_mean, centred_readout, _ = centre([[1.0], [3.0]], [[2.0], [6.0]])
    >>> centred_mean.ravel(), centred_readout.ravel()
    (array([-1.,  1.]), array([-2.,  2.]))
    """
    return check_factors(feature_mean, readout, bias, centred=True)


def nodal(
    feature_mean: ArrayLike, readout: ArrayLike, bias: ArrayLike | None = None, centred: bool = False
) -> Floats:
    r"""Field matrices of single nodes (single nodal performance, SNP).

    .. math:: M_k[i, j] = \mu_{ik} W_{jk} \; (+\, b_j)

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
        Mean pooled feature of every node over the inputs of every label.
    readout : (n_outputs, n_nodes) array of float
        Weights of the readout layer.
    bias : (n_outputs,) array of float, optional
        Kept bias of the readout; None silences it.
    centred : bool
        Fix the gauge first, see :func:`centre`.

    Returns
    -------
    (n_nodes, n_labels, n_outputs) array of float
        Average raw field on output j for inputs of label i through node k alone.

    Raises
    ------
    SymbreakError
        If the shapes do not fit.

    Notes
    -----
    P1 (arXiv:2501.12900) section 2 and Fig. 2 define it by silenced forward passes.

    Examples
    --------
    >>> nodal([[1.0], [2.0]], [[3.0], [-1.0]])
    array([[[ 3., -1.],
            [ 6., -2.]]])
    """
    means, weights, offsets = check_factors(feature_mean, readout, bias, centred)
    with np.errstate(over="ignore", invalid="ignore"):
        fields = means.T[:, :, None] * weights.T[:, None, :]
        return fields if offsets is None else fields + offsets


def by_head(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    group_of_node: ArrayLike,
    bias: ArrayLike | None = None,
    centred: bool = False,
) -> Floats:
    r"""Field matrices of heads, or of any groups of nodes (single head performance, SHP).

    .. math:: M_h[i, j] = \sum_{k \in h} \mu_{ik} W_{jk} \; (+\, b_j)

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
    readout : (n_outputs, n_nodes) array of float
    group_of_node : (n_nodes,) array of int
        Head, or other group, of every node, counted from 1; every one up to the largest has a node.
    bias : (n_outputs,) array of float, optional
        Kept bias, once per head; None silences it.
    centred : bool
        Fix the gauge first, see :func:`centre`.

    Returns
    -------
    (n_heads, n_labels, n_outputs) array of float

    Raises
    ------
    SymbreakError
        If the shapes do not fit or a head has no node.

    Notes
    -----
    P2 (arXiv:2506.23832) section 2, silenced at the readout layer.

    Examples
    --------
    >>> by_head([[1.0, 2.0]], [[3.0, 4.0]], [1, 1])
    array([[[11.]]])
    """
    means, weights, offsets = check_factors(feature_mean, readout, bias, centred)
    groups = check_groups(group_of_node, means.shape[1])
    fields = np.empty((groups.max(), means.shape[0], weights.shape[0]))
    with np.errstate(over="ignore", invalid="ignore"):
        for group in range(1, len(fields) + 1):
            nodes = groups == group
            fields[group - 1] = means[:, nodes] @ weights[:, nodes].T
        return fields if offsets is None else fields + offsets


def check_groups(group_of_node: ArrayLike, n_nodes: int | None = None) -> NDArray[np.int64]:
    """Return the group of every node as integers after checking that groups 1 ... G all have nodes.

    Examples
    --------
    >>> check_groups([1, 2, 2, 1], n_nodes=4)
    array([1, 2, 2, 1])
    """
    groups = as_array(group_of_node, "group_of_node")
    if groups.ndim != 1 or groups.size == 0 or groups.dtype.kind not in "iu":
        raise SymbreakError(
            f"The groups (heads, filters) of nodes have shape {groups.shape} and type {groups.dtype}: "
            "give one integer from 1 for each node."
        )
    if n_nodes is not None and groups.size != n_nodes:
        raise SymbreakError(
            f"{groups.size} nodes have a group (head, filter) but there are {n_nodes} nodes: give each one."
        )
    if groups.min() < 1 or (np.bincount(groups)[1:] == 0).any():
        raise SymbreakError(
            "Groups (heads, filters) are numbered 1, 2, ... without leaving one out: each must have a node."
        )
    return groups.astype(np.int64)


def field_maximum(matrices: ArrayLike) -> Floats:
    """Signed maximum of every matrix, NaN where a matrix has an element that is not finite.

    Parameters
    ----------
    matrices : (..., n_labels, n_outputs) array of float

    Returns
    -------
    (...) array of float
        Raw units; the amplitude that normalising removes.

    Examples
    --------
    >>> float(field_maximum([[1.0, -5.0], [0.5, 0.0]])), float(field_maximum([[1.0, float("nan")]]))
    (1.0, nan)
    """
    fields = as_floats(matrices, "matrices", finite=False)
    finite = np.isfinite(fields).all(axis=(-2, -1))
    return np.where(finite, fields.max(axis=(-2, -1)), np.nan)


def clip(matrix: ArrayLike, threshold: float) -> NDArray[np.bool_]:
    """Boolean matrix of the elements strictly above a fraction of the signed maximum.

    ``B[i, j] = M[i, j] / max(M) > threshold``. A matrix without a positive finite maximum, or with
    an element that is not finite, is empty: no element is above.

    Parameters
    ----------
    matrix : (..., n_labels, n_outputs) array of float
    threshold : float
        Fraction of the maximum, in [0, 1).

    Returns
    -------
    (..., n_labels, n_outputs) array of bool

    Raises
    ------
    SymbreakError
        If the threshold lies outside [0, 1).

    Notes
    -----
    P1 (arXiv:2501.12900) Fig. 3a, middle.

    Examples
    --------
    >>> clip([[4.0, 1.0], [2.0, 3.0]], 0.5)
    array([[ True, False],
           [False,  True]])
    """
    if not 0 <= threshold < 1:
        raise SymbreakError(f"threshold is {threshold}: give a fraction of the maximum in [0, 1).")
    fields = as_floats(matrix, "matrix", finite=False)
    maximum = field_maximum(fields)[..., None, None]
    usable = maximum > 0
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        return (fields / np.where(usable, maximum, 1.0) > threshold) & usable
