"""Is the owner of a label the head that recognises it best, more than any group of nodes would be?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.matrices.field_matrices import check_groups
from symbreak.numerics.estimates import UNDEFINED, Estimate, compare_with_null
from symbreak.observables.heads.accuracy import best_head_credit
from symbreak.observables.heads.appearance import appearance_of_heads, checked_membership
from symbreak.observables.heads.owners import ownership


def head_label_accuracy(
    features: ArrayLike, readout: ArrayLike, truth: ArrayLike, head_of_node: ArrayLike
) -> NDArray[np.float64]:
    """Accuracy on the images of each label with the readout weights of one head only.

    An image counts for head h if the output of its own label is the largest of
    sum over the nodes k of head h of x_k W_jk (P1, arXiv:2501.12900, Fig. 8); of equal outputs the first
    wins.

    Parameters
    ----------
    features : (n_images, n_nodes) array of float
        Pooled features of every image.
    readout : (n_labels, n_nodes) array of float
    truth : (n_images,) array of int
        Label of every image, from 0.
    head_of_node : (n_nodes,) array of int
        Head of every node, from 1.

    Returns
    -------
    (n_heads, n_labels) array of float
        NaN for a label without images.

    Examples
    --------
    >>> head_label_accuracy([[1.0, 0.2], [0.1, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [0, 1], [1, 2])
    array([[1., 0.],
           [0., 1.]])
    """
    inputs, weights = np.asarray(features), np.asarray(readout)
    labels, heads = np.asarray(truth), check_groups(head_of_node, inputs.shape[1])
    images = np.bincount(labels, minlength=len(weights))
    right = np.empty((int(heads.max()), len(weights)))
    for head in range(len(right)):
        own = heads == head + 1
        correct = (inputs[:, own] @ weights[:, own].T).argmax(axis=1) == labels
        right[head] = np.bincount(labels, correct, minlength=len(weights))
    with np.errstate(invalid="ignore"):
        return right / images


def owner_accuracy_test(
    membership: ArrayLike,
    head_of_node: ArrayLike,
    features: ArrayLike,
    readout: ArrayLike,
    truth: ArrayLike,
    ratio: float = 2.0,
    n_shuffles: int = 199,
    seed: int = 0,
) -> Estimate:
    """Share of owned labels whose owner recognises them best; the null shuffles nodes among heads.

    Whatever nodes a group holds, it recognises those labels better that more of its nodes stand for: owners
    shuffled among labels reject in every world without heads. Here nodes are shuffled among heads, owners
    found anew, and the accuracies of the shuffled heads computed anew from the features of the images.

    Parameters
    ----------
    membership : (n_nodes, n_labels) array of bool
        Is the label in a cluster of the node?
    head_of_node : (n_nodes,) array of int
        Head of every node, from 1.
    features : (n_images, n_nodes) array of float
        Pooled features of every image.
    readout : (n_labels, n_nodes) array of float
    truth : (n_images,) array of int
        Label of every image, from 0.
    ratio : float
        Of the ownership rule (P1 section 4).
    n_shuffles, seed : int
        Number and seed of the node shuffles; each costs as much as one product of features and readout.

    Returns
    -------
    Estimate
        `value`: share of owned labels, ties of best heads shared. `standard_error`: over owned labels.
        `null`: mean over shuffles in which any label is owned; others count as reached. NaN in a block of one
        head or if no label is owned.

    Raises
    ------
    SymbreakError
        If shapes do not fit, a number is not finite, a label has no images or is none of the outputs.

    Notes
    -----
    Own construction on P1 (arXiv:2501.12900) section 4 and Fig. 8.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = np.repeat(np.arange(4), 30)
    >>> means = np.kron(np.eye(4), np.ones(8))
    >>> features = means[truth] + rng.normal(size=(120, 32))
    >>> test = owner_accuracy_test(means.T, np.repeat([1, 2], 16), features, means, truth, n_shuffles=99)
    >>> test.value, 0 < test.p_value <= 1
    (1.0, True)
    """
    member = checked_membership(membership)
    heads = check_groups(head_of_node, len(member))
    inputs, weights, labels = _checked(features, readout, truth, member.shape)

    def share(assigned: NDArray) -> tuple[float, float]:
        owners = ownership(appearance_of_heads(member, assigned), ratio)
        owned = np.flatnonzero(owners)
        if owned.size == 0:
            return np.nan, np.nan
        credit = best_head_credit(head_label_accuracy(inputs, weights, labels, assigned))
        values = credit[owners[owned] - 1, owned]
        error = values.std(ddof=1) / np.sqrt(owned.size) if owned.size > 1 else np.nan
        return float(values.mean()), float(error)

    value, error = share(heads)
    if heads.max() == 1 or np.isnan(value):
        return UNDEFINED
    rng = np.random.default_rng(seed)
    return compare_with_null(value, error, [share(rng.permutation(heads))[0] for _ in range(n_shuffles)])


def _checked(
    features: ArrayLike, readout: ArrayLike, truth: ArrayLike, shape: tuple[int, int]
) -> tuple[NDArray, NDArray, NDArray]:
    """Features and readout in single precision, whose products decide the same images four times as fast."""
    inputs, weights, labels = np.asarray(features), np.asarray(readout), np.asarray(truth)
    n_nodes, n_labels = shape
    if inputs.ndim != 2 or inputs.shape[1] != n_nodes or weights.shape != (n_labels, n_nodes):
        raise SymbreakError(
            f"Features of shape {inputs.shape} and a readout of shape {weights.shape} do not fit {n_nodes} "
            f"nodes and {n_labels} labels: give (images, nodes) and (labels, nodes)."
        )
    if labels.shape != inputs.shape[:1] or labels.dtype.kind not in "iu":
        raise SymbreakError(f"{len(inputs)} images need as many labels, integers from 0.")
    if labels.min() < 0 or labels.max() >= n_labels or (np.bincount(labels, minlength=n_labels) == 0).any():
        raise SymbreakError(
            f"Every label 0 to {n_labels - 1} needs an image here, and none may lie outside: leave out the "
            "labels without images."
        )
    if not (np.isfinite(inputs).all() and np.isfinite(weights).all()):
        raise SymbreakError("A feature or a readout weight is not finite; measure that network again.")
    return inputs.astype(np.float32), weights.astype(np.float32), labels
