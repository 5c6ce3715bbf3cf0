"""The copula null: each node keeps its numbers and their rank correlation, labels are dealt at random."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from symbreak.clusters import scan
from symbreak.errors import SymbreakError
from symbreak.matrices import centre, check_factors
from symbreak.observables import block_statistics

#: Statistics that are compared with the null.
COMPARED = ("n_clusters", "cluster_size", "diagonal", "noise", "snr", "snr_minimum")


def copula_arrays(
    feature_mean: ArrayLike, readout: ArrayLike, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""One draw of label means and readout weights in which nodes keep their marginals and nothing else.

    For node k the correlation :math:`\rho_k` of the normal scores of :math:`\mu_{\cdot k}` and
    :math:`W_{\cdot k}` is taken; pairs of normal numbers with exactly that correlation are drawn for all
    labels, and their ranks tell which of the node's own values each label gets (a Gaussian copula, Nelsen
    2006, section 2.3). Nodes are drawn independently, so that which labels stand together in several nodes
    is lost.

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
        Mean pooled feature of every node over the inputs of every label.
    readout : (n_labels, n_nodes) array of float
        Readout weights, one output for each label.
    seed : int
        Of numpy's default generator.

    Returns
    -------
    feature_mean, readout : (n_labels, n_nodes) array of float
        Each column is a permutation of the given one.

    Examples
    --------
    >>> mean, weights = copula_arrays([[1.0], [2.0], [3.0]], [[5.0], [6.0], [4.0]], seed=1)
    >>> sorted(mean[:, 0].tolist()), sorted(weights[:, 0].tolist())
    ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    """
    mean, weights, _ = check_factors(feature_mean, readout)
    return _draw(np.sort(mean, 0), np.sort(weights, 0), score_correlation(mean, weights), seed)


def score_correlation(feature_mean: ArrayLike, readout: ArrayLike) -> NDArray[np.float64]:
    """Correlation of the normal scores of a node's label means and of its readout weights.

    Scores are the normal quantiles of (rank - 1/2)/n_labels, ties sharing their mean rank; a node whose
    values are all equal has correlation 0.

    Parameters
    ----------
    feature_mean, readout : (n_labels, n_nodes) array of float

    Returns
    -------
    (n_nodes,) array of float

    Examples
    --------
    >>> score_correlation([[1.0], [2.0], [5.0]], [[-1.0], [0.0], [7.0]]).round(12).tolist()
    [1.0]
    """
    one, other = (
        ndtri((rankdata(values, axis=0) - 0.5) / len(values))
        for values in map(np.asarray, (feature_mean, readout))
    )
    size = np.sqrt((one**2).sum(0) * (other**2).sum(0))
    return np.divide((one * other).sum(0), size, out=np.zeros(one.shape[1]), where=size > 1e-12).clip(-1, 1)


def _draw(
    mean: NDArray, weights: NDArray, correlation: NDArray, seed: int | np.random.SeedSequence
) -> tuple[NDArray, NDArray]:
    """Give sorted columns to labels by the ranks of normal numbers of exactly the given correlation."""
    rng = np.random.default_rng(seed)
    one, noise = (_unit(normal) for normal in rng.standard_normal((2, *mean.shape)))
    noise = _unit(noise - (noise * one).sum(0) * one)
    other = correlation * one + np.sqrt(1 - correlation**2) * noise
    return tuple(  # type: ignore[return-value]
        np.take_along_axis(values, normal.argsort(0).argsort(0), 0)
        for values, normal in ((mean, one), (weights, other))
    )


def _unit(columns: NDArray) -> NDArray:
    """Columns without their means, of length 1; 0 where nothing is left of them."""
    centred = columns - columns.mean(0)
    return centred / np.maximum(np.sqrt((centred**2).sum(0)), 1e-300)


def copula_null(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    thresholds: ArrayLike,
    n_draws: int = 20,
    seed: int = 0,
    *,
    rule: str = "first_fit",
    centred: bool = False,
    threads: int | None = None,
) -> xr.Dataset:
    r"""Statistics of a block compared with nodes that keep their marginals: is there more than marginals?

    SNR and diag of a trained network are reproduced by this null within a few per cent: they follow from the
    distributions of means and weights of single nodes. The matrix of a node depends on its pairs
    :math:`(\mu_{ik}, W_{ik})` alone, so what exceeds the null, above all the number of clusters
    :math:`N_c`, says that large means meet weights in a way that their correlation does not tell: as where a
    node holds groups of labels at different scales. `snr_minimum` depends on labels across nodes as well.

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
        Mean pooled feature of every node over the inputs of every label.
    readout : (n_labels, n_nodes) array of float
        Readout weights, one output for each label; its bias is silenced.
    thresholds : (n_thresholds,) array of float
        Fractions of the signed maximum, in [0, 1).
    n_draws : int
        Draws of the null, B.
    seed : int
        Of numpy's seed sequence; draw b does not depend on the number of draws.
    rule : {"first_fit", "min_cover", "largest_first"}
        See :func:`symbreak.clusters.partition`.
    centred : bool
        Compare in the centred gauge: means over labels are removed first (:func:`symbreak.matrices.centre`).
    threads : int, optional
        Threads over nodes.

    Returns
    -------
    Dataset
        On (threshold): `n_clusters`, `cluster_size`, `diagonal`, `noise`, `snr`, `snr_minimum`: means over
        the draws, each with ``_deviation`` (standard deviation of one draw), ``_z`` (the arrays' own value
        minus the mean, over the deviation) and ``_p`` (two-sided, ``(1 + #{|T* - m| >= |T - m|})/(1 + B)``
        with m the mean of the draws and the observed value together); with B = 20 it is at least 1/21.
        `cluster_excess`: N_c of the arrays minus that of the null. NaN where a statistic is undefined.

    Raises
    ------
    SymbreakError
        If shapes do not fit, a threshold is none, or fewer than two draws are asked for.

    Notes
    -----
    Own construction; copulas: Nelsen, An Introduction to Copulas (2006). Statistics: P1 (arXiv:2501.12900)
    eqs. 1-4. Observed value and draws are exchangeable under the null, so the p-value is valid for every B
    (Phipson & Smyth 2010).

    Examples
    --------
    >>> from symbreak.planted import linear_gaussian
    >>> world = linear_gaussian(n_labels=20, n_nodes=32, seed=1)
    >>> null = copula_null(world.true_mean, world.readout, [0.3], n_draws=9)
    >>> bool(null.n_clusters_p[0] > 0.05), null.snr.dims
    (True, ('threshold',))
    """
    if n_draws < 2:
        raise SymbreakError(f"{n_draws} draws have no deviation: ask for at least 2, better 20.")
    mean, weights, _ = check_factors(feature_mean, readout)
    if len(mean) != len(weights):
        raise SymbreakError(
            f"The copula null pairs labels with outputs, and there are {len(mean)} labels and {len(weights)} "
            "outputs: give as many of each."
        )
    if centred:
        mean, weights, _ = centre(mean, weights)

    def table(means: NDArray, outputs: NDArray) -> NDArray[np.float64]:
        found = block_statistics(scan(means, outputs, thresholds, rule, threads=threads))
        return np.stack([found[name].values for name in COMPARED])

    columns = np.sort(mean, 0), np.sort(weights, 0), score_correlation(mean, weights)
    children = np.random.SeedSequence(seed).spawn(n_draws)
    observed = table(mean, weights)
    draws = np.stack([table(*_draw(*columns, child)) for child in children])
    return _compared(observed, draws, thresholds)


def _compared(observed: NDArray, draws: NDArray, thresholds: ArrayLike) -> xr.Dataset:
    """Means, deviations, z and two-sided p of statistics (statistic, threshold) and their draws."""
    with np.errstate(invalid="ignore", divide="ignore"):
        null, deviation = draws.mean(0), draws.std(0, ddof=1)
        centre_of_all = (draws.sum(0) + observed) / (1 + len(draws))
        far = np.abs(observed - centre_of_all) * (1 - 1e-12)
        reached = np.abs(draws - centre_of_all) >= far
        p = np.where(np.isfinite(centre_of_all), (1 + reached.sum(0)) / (1 + len(draws)), np.nan)
        z = (observed - null) / deviation
    variables = {
        name + suffix: ("threshold", part[place])
        for place, name in enumerate(COMPARED)
        for suffix, part in (("", null), ("_deviation", deviation), ("_z", z), ("_p", p))
    }
    variables["cluster_excess"] = ("threshold", observed[0] - null[0])
    return xr.Dataset(variables, {"threshold": np.asarray(thresholds, dtype=float)}).assign_attrs(
        n_draws=len(draws)
    )
