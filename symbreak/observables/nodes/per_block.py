"""From the moments file of one seed to statistics of every block."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.clusters import scan
from symbreak.config import Statistics
from symbreak.errors import SymbreakError
from symbreak.observables.nodes.folds import leave_out_folds, pool_folds, with_errors
from symbreak.observables.nodes.snr import best_threshold, block_statistics
from symbreak.store import describe
from symbreak.store.variables import nodes_of_blocks, require_images

#: What identifies a node file's variables.
NODE_VARIABLES = ("n_clusters", "cluster_size", "diagonal", "noise", "field_maximum")


def threshold_grid(count: int) -> np.ndarray:
    """Equidistant thresholds strictly between 0 and 1.

    Parameters
    ----------
    count : int

    Returns
    -------
    (count,) array of float

    Examples
    --------
    >>> threshold_grid(3).tolist()
    [0.25, 0.5, 0.75]
    """
    return np.arange(1, count + 1) / (count + 1)


def block_moments(moments: xr.Dataset, block: int) -> xr.Dataset:
    """Moments of one block, without the nodes that only wider blocks have.

    Parameters
    ----------
    moments : Dataset
        A moments file of one seed.
    block : int

    Returns
    -------
    Dataset
        Without the dimension block.

    Raises
    ------
    SymbreakError
        If the file has no such block.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> moments = moments_example(nodes=6)
    >>> moments.coords["filter_of_node"] = ("block", "node"), [[1, 1, 2, 2, 3, 3], [1, 2, 3, 4, 0, 0]]
    >>> block_moments(moments, 2).sizes["node"]
    4
    """
    if block not in moments.block:
        known = ", ".join(str(b) for b in moments.block.values)
        raise SymbreakError(f"There is no block {block} in this file; choose one of {known}.")
    chosen = moments.sel(block=block)
    own = nodes_of_blocks(chosen)
    return chosen if own is None else chosen.isel(node=own.values)


def pooled_moments(moments: xr.Dataset, block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Label means over all images, readout and kept bias of a block.

    Parameters
    ----------
    moments : Dataset
        A moments file of one seed.
    block : int

    Returns
    -------
    feature_mean : (n_labels, n_nodes) array of float
        Of the nodes that the block has, see :func:`block_moments`.
    readout : (n_outputs, n_nodes) array of float
    bias : (n_outputs,) array of float or None

    Raises
    ------
    SymbreakError
        If the file has no such block, or a label has no images.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> mean, readout, bias = pooled_moments(moments_example(), block=1)
    >>> mean.shape, readout.shape, bias
    ((10, 6), (10, 6), None)
    """
    chosen = block_moments(moments, block)
    return pool_folds(*folds_of(chosen)), *readout_of(chosen)


def folds_of(chosen: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Label means (fold, label, node) and numbers of images (fold, label) of one block.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> [array.shape for array in folds_of(moments_example().sel(block=1))]
    [(5, 10, 6), (5, 10)]
    """
    require_images(chosen)
    means = chosen.feature_mean.transpose("fold", "label", "node").values
    return means, chosen["count"].transpose("fold", "label").values


def readout_of(chosen: xr.Dataset) -> tuple[np.ndarray, np.ndarray | None]:
    """Readout (output, node) and kept bias (output) of one block.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> readout_of(moments_example().sel(block=1))[0].shape
    (10, 6)
    """
    bias = chosen.readout_bias.values if "readout_bias" in chosen else None
    return chosen.readout.transpose("output", "node").values, bias


def block_tables(
    moments: xr.Dataset, settings: Statistics, threads: int | None = None
) -> tuple[xr.Dataset, xr.Dataset]:
    """Statistics of every block, with errors over images, and the scan of every node.

    Where nodes are the positions of filters (tap `filters`), the matrices are those of filters, the
    sums over their positions (single filter performance, arXiv:2305.18078), and `node` counts filters.

    Formulas: P1 (arXiv:2501.12900) Tables 1 and 2, Figs. 4 and 5; see
    :func:`symbreak.observables.jackknife_statistics` and :func:`symbreak.clusters.scan`.

    Parameters
    ----------
    moments : Dataset
        A moments file of one seed.
    settings : Statistics
        Thresholds, rule, gauge.
    threads : int, optional
        Threads of the scan.

    Returns
    -------
    statistics : Dataset
        On (block, threshold), with `appearance` on (block, threshold, label).
    nodes : Dataset
        On (block, node, threshold); NaN where a block has fewer filters than the widest.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> tables, nodes = block_tables(moments_example(), Statistics(thresholds=3))
    >>> tables.snr.dims, nodes.diagonal.dims
    (('block', 'threshold'), ('block', 'node', 'threshold'))
    """
    tables, nodes = [], []
    cuts = threshold_grid(settings.thresholds)
    for block in moments.block.values:
        chosen = block_moments(moments, int(block))
        folds, (readout, bias) = folds_of(chosen), readout_of(chosen)
        filters = chosen.filter_of_node.values if "filter_of_node" in chosen.coords else None
        options = (readout, cuts, settings.rule, bias, settings.centred, filters)
        scanned = scan(pool_folds(*folds), *options, threads=threads)
        replicates = (scan(left, *options, threads=threads) for left in leave_out_folds(*folds))
        table = with_errors(block_statistics(scanned), [block_statistics(one) for one in replicates])
        table = describe(table, "averages")
        table["appearance"] = scanned.appearance
        table["cluster_field"] = scanned.cluster_field
        table["n_matrices"] = ((), scanned.sizes["node"])
        tables.append(table)
        nodes.append(scanned[list(NODE_VARIABLES)])
    blocks = moments.block
    joined = xr.concat(tables, blocks, combine_attrs="override").assign(_of_network(moments))
    joined["best_threshold"] = best_threshold(joined)
    joined = joined.assign_coords(
        {name: moments.coords[name] for name in ("label_name",) if name in moments.coords}
    )
    every = xr.concat(nodes, blocks, combine_attrs="override", join="outer")
    if "filter_of_node" in moments.coords:
        every.node.attrs["long_name"] = "filter of the block, from 1"
    return joined, every.transpose("block", "node", ...)


def _of_network(moments: xr.Dataset) -> dict[str, xr.DataArray]:
    names = ("accuracy", "accuracy_stderr", "network_accuracy")
    return {name: moments[name] for name in names if name in moments}
