"""What heads and labels know of each other: mutual information and the contrast of a committee machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbreak.errors import SymbreakError
from symbreak.observables.heads.appearance import checked_appearance


def committee_contrast(appearance: ArrayLike, owner: ArrayLike | None = None) -> NDArray[np.float64]:
    """Own head against the others, Delta = (<c_own> - <c_other>) / <a>, averages over labels.

    The order parameter of the specialised phase of committee machines (Biehl, Schloesser & Ahr, Europhys.
    Lett. 44, 261 (1998)), here with <c_other> the mean of the other H - 1 heads and <a> the mean total, so
    that 1 means each label in its own head. If the own head is the one with the most appearances, Delta is
    the mean of the Potts order weighted with a_l. Take the owner from other data (a seed, half of the
    nodes) and finite counts no longer bias it: its null value is then 0.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int
    owner : (n_labels,) array of int, optional
        Own head of each label, from 1, chosen on other data; 0 leaves the label out. Default: the largest
        count.

    Returns
    -------
    (...) array of float
        NaN in a block of one head or if no label appears.

    Raises
    ------
    SymbreakError
        If an owner is no head of the block.

    Examples
    --------
    >>> float(committee_contrast([[4, 2], [0, 2]])), float(committee_contrast([[4, 2], [0, 2]], owner=[2, 0]))
    (0.5, -1.0)
    """
    counts = checked_appearance(appearance)
    n_heads, n_labels = counts.shape[-2:]
    own = counts.max(axis=-2)
    if owner is not None:
        owners = np.asarray(owner)
        if owners.shape != (n_labels,) or (owners < 0).any() or (owners > n_heads).any():
            raise SymbreakError(
                f"The owners do not fit appearances of {n_heads} heads and {n_labels} labels."
            )
        chosen = np.flatnonzero(owners)
        counts = counts[..., chosen]
        own = counts[..., owners[chosen] - 1, np.arange(chosen.size)]
    total = counts.sum(axis=-2)
    if n_heads == 1:
        return np.full(counts.shape[:-2], np.nan)
    contrast = (own - (total - own) / (n_heads - 1)).sum(axis=-1)
    everything = total.sum(axis=-1)
    return np.where(everything > 0, contrast / np.maximum(everything, 1), np.nan)


def mutual_information(
    appearance: ArrayLike, n_nodes: int | None = None, corrected: bool = True, normalised: bool = True
) -> NDArray[np.float64]:
    """Information that the head of an appearance carries about its label, bias of finite counts removed.

    I = sum_hl p_hl ln [p_hl / (p_h p_l)] with joint shares p_hl = c_hl / N, N = sum c. The correction of
    Miller (1955) and Madow subtracts (H - 1)(L - 1)/(2N), H and L counting heads and labels that appear;
    because a label meets a node at most once, counts are drawn without replacement and the bias is smaller
    by the factor 1 - <a>/D for D nodes, applied if ``n_nodes`` is given.

    Parameters
    ----------
    appearance : (..., n_heads, n_labels) array of int
    n_nodes
        Number of nodes D of the block, for the finite-population factor.
    corrected
        Subtract the bias; the result may then be slightly negative.
    normalised
        Divide by ln H (1: every label in its own head and heads equally loaded); else in nats.

    Returns
    -------
    (...) array of float
        NaN if nothing appears, and, normalised, in a block of one head.

    Raises
    ------
    SymbreakError
        If the labels appear more often on average than there are nodes.

    Examples
    --------
    >>> apart = [[8, 8, 0, 0], [0, 0, 8, 8]]
    >>> round(float(mutual_information(apart, corrected=False)), 9)
    1.0
    >>> round(float(mutual_information(apart, n_nodes=16)), 4)
    0.9662
    """
    counts = checked_appearance(appearance)
    n_heads = counts.shape[-2]
    number = counts.sum(axis=(-2, -1))
    by_head, by_label = counts.sum(axis=-1), counts.sum(axis=-2)

    def sum_of_logs(values: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(values * np.log(np.maximum(values, 1)))

    safe = np.maximum(number, 1)
    information = (
        sum_of_logs(counts).sum(axis=(-2, -1))
        - sum_of_logs(by_head).sum(axis=-1)
        - sum_of_logs(by_label).sum(axis=-1)
    ) / safe + np.log(safe)
    if corrected:
        heads_seen, labels_seen = (by_head > 0).sum(axis=-1), (by_label > 0).sum(axis=-1)
        bias = (heads_seen - 1) * (labels_seen - 1) / (2 * safe)
        if n_nodes is not None:
            filled = number / np.maximum(labels_seen, 1) / n_nodes
            if (filled > 1).any():
                raise SymbreakError(
                    f"Labels appear more than {n_nodes} times on average: n_nodes is too small."
                )
            bias = bias * (1 - filled)
        information = information - bias
    if normalised:
        information = information / np.log(n_heads) if n_heads > 1 else np.full_like(information, np.nan)
    return np.where(number > 0, information, np.nan)
