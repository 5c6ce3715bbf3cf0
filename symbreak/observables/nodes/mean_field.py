"""Mean-field theory of thresholded outer products: clusters and SNR from bivariate-normal integrals."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from symbreak.errors import SymbreakError
from symbreak.matrices import centre
from symbreak.observables.nodes.per_block import pooled_moments
from symbreak.observables.nodes.snr import signal_to_noise

Floats = NDArray[np.float64]
#: Largest threshold at which theory and simulation of normal nodes agree within 3 % (tested with 100 labels).
RELIABLE = 0.3
#: Fewest labels of which the theory speaks.
FEWEST_LABELS = 10
#: Means lie below this many spreads; cells of the integrals; quantiles of the largest field; groups of nodes.
REACH, CELLS, QUANTILES, GROUPS = 5.5, 80, 5, 8


def mean_field_snr(
    correlation: float,
    offset: float,
    thresholds: ArrayLike,
    n_labels: int,
    readout_offset: float = 0.0,
) -> xr.Dataset:
    r"""Clusters, noise and SNR of a node whose label means and weights are bivariate normal, without fit.

    With label means :math:`\mu_i = x_i` and weights :math:`W_i = y_i` in units of their spreads,
    :math:`(x_i, y_i)` normal around (offset, readout offset) with correlation :math:`\rho`, independent from
    label to label, and the cut :math:`T = \vartheta M`, :math:`M = \max_{ij} x_i y_j`,

    .. math:: \mathrm{diag} = N_l P(x_i y_i > T), \quad
              \sum_{ij} B_{ij} = \mathrm{diag} + N_l (N_l - 1) P(x_i y_j > T) .

    Labels of one sign are intervals :math:`[T / y_i, x_i]`, compatible if they meet, so that the fewest
    clusters are the points of greedy stabbing. For labels dealt by a Poisson process those are a renewal
    process: after a point s the next one lies beyond t with probability
    :math:`e^{-\Lambda(s, t)}`, :math:`\Lambda = N_l P(x \le t, T/x < y < T/s)`, and its cluster has
    :math:`1 + \mathrm{Poisson}(N_l P(x > t, T/t < y < T/s))` labels. Both signs are added, and everything is
    averaged over the law of M, from the joint law of the largest mean and weight.

    Parameters
    ----------
    correlation : float
        Of label means and weights over labels, within (-1, 1).
    offset, readout_offset : float
        Mean of the label means, of the weights, in units of their standard deviations over labels.
    thresholds : (n_thresholds,) array of float
        Fractions of the largest field, within (0, 1).
    n_labels : int
        At least 10.

    Returns
    -------
    Dataset
        On (threshold), dimensionless: `n_clusters`, `diagonal`, `noise`, `cluster_size`, `snr`.

    Raises
    ------
    SymbreakError
        If a number is outside its range or not finite.

    Notes
    -----
    Own derivation for P1 (arXiv:2501.12900) equations 1-4 and Fig. 5, rule ``min_cover``. The theory takes M
    as independent of the labels: up to threshold 0.3 SNR is met within 3 %, above it is underestimated (at
    100 labels by up to 12 % at 0.5 and 34 % at 0.7).

    Examples
    --------
    >>> aligned, shifted = (mean_field_snr(0.8, offset, [0.2], n_labels=100) for offset in (0.0, 1.2))
    >>> round(float(aligned.snr[0]), 1), round(float(shifted.snr[0]), 1)
    (3.4, 2.2)
    """
    cuts = _checked(thresholds)
    if not (
        abs(correlation) < 1 and np.isfinite([offset, readout_offset]).all() and n_labels >= FEWEST_LABELS
    ):
        raise SymbreakError(
            f"mean_field_snr got correlation {correlation}, offsets {offset} and {readout_offset} and "
            f"{n_labels} labels: give a correlation within (-1, 1), finite offsets and "
            f"at least {FEWEST_LABELS} labels."
        )
    return _dataset(_counts(correlation, offset, readout_offset, n_labels, cuts), cuts, n_labels)


def block_mean_field(
    moments: xr.Dataset, thresholds: ArrayLike, centred: bool = False, groups: int = GROUPS
) -> xr.Dataset:
    """Mean-field curves of every block, correlation and offsets read off the arrays.

    Parameters
    ----------
    moments : Dataset
        A moments file of one seed.
    thresholds : (n_thresholds,) array of float
        Within (0, 1).
    centred : bool
        Fix the gauge first; all offsets are then 0.
    groups : int
        Nodes sorted by offset are divided into so many groups; each enters with its mean correlation and
        offsets.

    Returns
    -------
    Dataset
        As :func:`mean_field_snr` on (block, threshold), averaged over nodes; on (block) the mean
        `correlation`, the root mean squares `offset` and `readout_offset` and `n_undefined`, nodes left out
        because their means or weights are the same for all labels.

    Raises
    ------
    SymbreakError
        If nodes are positions of filters, whose matrices are sums of products, no node of a block varies, or
        there are fewer than 10 labels.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> block_mean_field(moments_example(), [0.2, 0.3], groups=2).snr.dims
    ('block', 'threshold')
    """
    if "filter_of_node" in moments.coords:
        raise SymbreakError("Mean-field theory is defined for nodes, not for filters; leave this tap out.")
    if moments.sizes["label"] < FEWEST_LABELS:
        raise SymbreakError(f"Mean-field theory needs at least {FEWEST_LABELS} labels; leave it out here.")
    cuts = _checked(thresholds)
    tables = []
    for block in moments.block.values:
        means, readout, _ = pooled_moments(moments, int(block))
        if centred:
            means, readout = centre(means, readout)[:2]
        kept = (np.ptp(means, axis=0) > 0) & (np.ptp(readout, axis=0) > 0)
        if not kept.any():
            raise SymbreakError(f"No node of block {block} tells labels apart; mean-field theory needs one.")
        nodes = _read_off(means[:, kept], readout[:, kept])
        parts = np.array_split(nodes[np.argsort(nodes[:, 1])], min(groups, len(nodes)))
        typical = [part.mean(axis=0).tolist() for part in parts]
        counts = [_counts(rho, first, second, len(means), cuts) for rho, first, second in typical]
        weights = [len(part) / len(nodes) for part in parts]
        table = _dataset(np.tensordot(weights, counts, 1), cuts, len(means))
        root = np.sqrt((nodes**2).mean(axis=0))
        tables.append(
            table.assign(
                correlation=nodes[:, 0].mean(),
                offset=root[1],
                readout_offset=root[2],
                n_undefined=int((~kept).sum()),
            )
        )
    return xr.concat(tables, moments.block.drop_vars(set(moments.block.coords) - {"block"}))


def _checked(thresholds: ArrayLike) -> Floats:
    cuts = np.atleast_1d(np.asarray(thresholds, float))
    if cuts.ndim != 1 or not cuts.size or not ((cuts > 0) & (cuts < 1)).all():
        raise SymbreakError("mean_field_snr needs a list of thresholds strictly between 0 and 1.")
    return cuts


def _read_off(means: Floats, readout: Floats) -> Floats:
    """(n_nodes, 3): correlation and both offsets of every node, its sign such that the first is positive."""
    x, y = means.std(axis=0), readout.std(axis=0)
    rho = ((means - means.mean(axis=0)) * (readout - readout.mean(axis=0))).mean(axis=0) / (x * y)
    first, second = means.mean(axis=0) / x, readout.mean(axis=0) / y
    return np.stack([np.clip(rho, -0.999, 0.999), abs(first), second * np.where(first < 0, -1, 1)], axis=1)


def _dataset(counts: Floats, cuts: Floats, n_labels: int) -> xr.Dataset:
    clusters, diagonal, ones, squares = counts
    size, noise = diagonal / np.maximum(clusters, 1e-300), ones - squares
    snr = signal_to_noise(diagonal, noise, size, 1, n_labels).snr
    values = {
        "n_clusters": clusters,
        "diagonal": diagonal,
        "noise": noise,
        "cluster_size": size,
        "snr": np.atleast_1d(snr),
    }
    return xr.Dataset({name: ("threshold", array) for name, array in values.items()}, {"threshold": cuts})


def _counts(rho: float, a: float, b: float, n_labels: int, cuts: Floats) -> Floats:
    """(4, n_thresholds): N_c, diag, elements above threshold, sum of squared sizes, averaged over M."""
    maxima = _largest_fields(rho, a, b, n_labels)
    return np.array(
        [
            np.mean(
                [_sector(rho, a, b, n_labels, t * m) + _sector(rho, -a, -b, n_labels, t * m) for m in maxima],
                0,
            )
            for t in cuts
        ]
    ).T


def _largest_fields(rho: float, a: float, b: float, n_labels: int) -> Floats:
    """Quantiles of the largest product of a mean and a weight of any two labels of one sign."""
    highest = (abs(a) + REACH) * (abs(b) + REACH)
    fields = np.geomspace(1e-3 * highest, highest, 160)
    below = _below(rho, a, b, n_labels, fields) * _below(rho, -a, -b, n_labels, fields)
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return np.interp(levels, np.maximum.accumulate(below), fields)


def _below(rho: float, a: float, b: float, n_labels: int, fields: Floats) -> Floats:
    """P(AB <= field) of the largest mean A and weight B: B given A from the bivariate normal integral."""
    edges = np.linspace(-REACH, REACH, CELLS + 1)
    z = (edges[1:] + edges[:-1]) / 2
    law = np.diff(ndtr(edges) ** n_labels)
    cells, x = np.diff(ndtr(edges)), a + z
    limit = np.where(x > 0, fields[:, None] / np.where(x > 0, x, 1.0), np.inf)[..., None]
    below = ndtr(
        (limit - b - rho * z) / np.sqrt(1 - rho**2)
    )  # weight of a label below the limit, given its mean
    others = (below * cells * (np.tri(CELLS) - 0.5 * np.eye(CELLS))).sum(axis=-1)
    others /= np.cumsum(cells) - 0.5 * cells
    own = np.diagonal(below, axis1=1, axis2=2)
    return np.asarray((law * own * np.minimum(others, 1.0) ** (n_labels - 1)).sum(axis=1))


def _sector(rho: float, a: float, b: float, n_labels: int, cut: float) -> Floats:
    """N_c, diag, elements above the cut and sum of squared sizes, of labels with positive mean and weight."""
    low, high = cut / max(b + REACH, 1e-9), a + REACH
    if high <= low or b + REACH <= 0:
        return np.zeros(4)
    edges = np.geomspace(low, high, CELLS + 1)
    x, width = np.sqrt(edges[1:] * edges[:-1]), np.diff(edges)
    labels = n_labels * np.exp(-0.5 * (x - a) ** 2) / np.sqrt(2 * np.pi) * width
    below = ndtr(((cut / x)[:, None] - b - rho * (x - a)) / np.sqrt(1 - rho**2)) * labels
    barely = np.diag(below)  # labels at x whose own element is below the cut

    def stabbed(rate: Floats) -> Floats:  # probability of the next point in each cell
        return np.exp(rate - np.cumsum(rate, axis=-1)) * -np.expm1(-rate)

    beyond = np.cumsum(below[:, ::-1], axis=1)[:, ::-1] - below
    first, step = stabbed(labels - barely), np.triu(stabbed(np.triu(below - barely, 1)), 1)
    more_first = np.cumsum(labels[::-1])[::-1] - labels - np.diag(beyond)
    more = np.triu(beyond - np.diag(beyond), 1)  # further labels of a cluster, by last and this point
    points = solve_triangular((np.eye(CELLS) - step).T, first, lower=True)
    squares = first @ _square(more_first) + ((points[:, None] * step) * _square(more)).sum()
    diagonal = (labels - barely).sum()
    ones = diagonal + (n_labels - 1) * labels @ ndtr(b - cut / x)
    return np.array([points.sum(), diagonal, ones, squares])


def _square(rate: Floats) -> Floats:
    """Mean square of 1 + Poisson(rate)."""
    return 1 + 3 * rate + rate**2
