"""The linear-Gaussian null of a measured network: same labels, nodes, images and accuracy, no network."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.config import Statistics
from symbreak.errors import SymbreakError
from symbreak.observables import best_threshold, jackknife_statistics, threshold_grid
from symbreak.planted.gaussian import LinearWorld, linear_gaussian

#: Simulated corrections of the separation that the closed form gives.
CORRECTIONS = 3


def separation_for(accuracy: float, n_labels: int) -> float:
    r"""Distance between class means at which the best linear readout has a given accuracy.

    For equidistant means at :math:`d = \mathrm{separation}\sqrt{n}` from their centre, in units of the noise,

    .. math:: A(d) = \int \varphi(x - d)\, \Phi(x)^{N_l - 1}\, dx ,

    the probability of the largest of N_l independent normal fields being the shifted one. Random means in n
    dimensions are equidistant up to :math:`O(n^{-1/2})`.

    Parameters
    ----------
    accuracy : float
        Between chance and 1; clipped to where the answer is finite.
    n_labels : int

    Returns
    -------
    float
        d, dimensionless.

    Notes
    -----
    Known from signalling with orthogonal waveforms.

    Examples
    --------
    >>> round(separation_for(0.5, 2), 6), 3.3 < separation_for(0.8, 100) < 3.5
    (0.0, True)
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    x = np.linspace(-8.0, 20.0, 2801)
    below = ndtr(x) ** (n_labels - 1)

    def excess(distance: float) -> float:
        density = np.exp(-0.5 * (x - distance) ** 2) / np.sqrt(2 * np.pi)
        return float(np.trapezoid(density * below, x)) - target

    target = min(max(accuracy, 1 / n_labels), 0.9995)
    return 0.0 if excess(0.0) >= -1e-9 else float(brentq(excess, 0.0, 12.0))


def matched_gaussian(
    accuracy: float, n_labels: int, n_nodes: int, n_folds: int = 5, images_per_label: int = 100, seed: int = 0
) -> LinearWorld:
    """Linear-Gaussian world whose readout is as accurate as a measured one.

    Parameters
    ----------
    accuracy : float
        Accuracy to match; met within about 0.01, from below where it is nearly 1.
    n_labels, n_nodes, n_folds, images_per_label, seed
        As in :func:`symbreak.planted.linear_gaussian`.

    Returns
    -------
    LinearWorld

    Raises
    ------
    SymbreakError
        If the accuracy is no probability, or a size is not positive.

    Examples
    --------
    >>> world = matched_gaussian(0.7, n_labels=20, n_nodes=64, seed=1)
    >>> abs(world.accuracy - 0.7) < 0.03
    True
    """
    if not 0 <= accuracy <= 1:
        raise SymbreakError(f"The accuracy to match is {accuracy}; give a fraction between 0 and 1.")
    goal = max(separation_for(accuracy, n_labels), 1e-3)
    distance = goal
    trial_images = max(n_folds, min(images_per_label, 30))
    for _ in range(CORRECTIONS):
        trial = linear_gaussian(
            n_labels,
            n_nodes,
            distance / np.sqrt(n_nodes),
            n_folds=n_folds,
            images_per_label=trial_images,
            seed=seed,
        )
        reached = max(separation_for(trial.accuracy, n_labels), 1e-3)
        distance *= min(max(goal / reached, 0.5), 2.0)
    return linear_gaussian(
        n_labels,
        n_nodes,
        distance / np.sqrt(n_nodes),
        n_folds=n_folds,
        images_per_label=images_per_label,
        seed=seed,
    )


def null_statistics(
    moments: xr.Dataset, settings: Statistics, seed: int = 0, threads: int | None = None
) -> xr.Dataset:
    """Statistics of a matched linear-Gaussian world for every block of a moments file.

    Parameters
    ----------
    moments : Dataset
        A moments file of one seed: labels, nodes, folds, images and the accuracy of each block are taken.
    settings : Statistics
        Thresholds, rule and gauge, as for the network.
    seed : int
        Seed of the worlds.
    threads : int, optional
        Threads of the scan.

    Returns
    -------
    Dataset
        As :func:`symbreak.observables.nodes.per_block.block_tables` gives for the network, on (block,
        threshold), with `accuracy` that of the worlds. The bias of their best readout is silenced.

    Raises
    ------
    SymbreakError
        If nodes are positions of filters, whose fields are correlated in a way that this null does not have.

    Notes
    -----
    What these statistics share with the network's is not the network's doing: thresholded outer products
    of class means and an aligned readout have clusters, too.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> null_statistics(moments_example(), Statistics(thresholds=3)).snr.dims
    ('block', 'threshold')
    """
    if "filter_of_node" in moments.coords:
        raise SymbreakError(
            "The linear-Gaussian null is defined for nodes, not for filters; leave this tap out."
        )
    cuts = threshold_grid(settings.thresholds)
    images = round(float(moments["count"].sum("fold").mean()))
    tables = []
    for place, block in enumerate(moments.block.values):
        world = matched_gaussian(
            float(moments.accuracy.sel(block=block)),
            moments.sizes["label"],
            moments.sizes["node"],
            moments.sizes["fold"],
            images,
            seed=1000 * seed + place,
        )
        table = jackknife_statistics(
            world.feature_mean,
            world.readout,
            cuts,
            world.fold_count,
            settings.rule,
            centred=settings.centred,
            threads=threads,
        )
        tables.append(table.assign(accuracy=world.accuracy))
    joined = xr.concat(tables, moments.block, combine_attrs="override")
    joined["best_threshold"] = best_threshold(joined)
    return joined
