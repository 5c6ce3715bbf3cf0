"""How far the statistics of a block move under the choices that the papers leave open."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from symbreak.clusters import RULES, scan
from symbreak.observables.nodes.snr import block_statistics, signal_to_noise

SHOWN = ("n_clusters", "cluster_size", "diagonal", "noise", "snr")


def robustness(
    feature_mean: ArrayLike,
    readout: ArrayLike,
    threshold: float = 0.3,
    bias: ArrayLike | None = None,
    rules: tuple[str, ...] = tuple(RULES),
    threads: int | None = None,
) -> xr.Dataset:
    """Table of N_c, C_s, diag, n and SNR of single nodes over every combination of open choices.

    Parameters
    ----------
    feature_mean : (n_labels, n_nodes) array of float
    readout : (n_labels, n_nodes) array of float
    threshold : float
        Fraction of the maximum, in [0, 1).
    bias : (n_labels,) array of float, optional
        Readout bias; with it the table has both the silenced and the kept bias.
    rules : tuple of str
        Cluster rules to compare.
    threads : int, optional

    Returns
    -------
    Dataset
        `n_clusters`, `cluster_size`, `diagonal`, `noise`, `snr` on (rule, bias, centred, matrices):
        ``bias`` is ``silenced`` or ``kept``, ``centred`` 0 or 1, ``matrices`` is ``all`` or
        ``with_clusters``, in which matrices without cluster count neither in the means nor in N_M.
        `largest_change` gives the largest relative change against the first entry (authors' rule, silenced
        bias, not centred, all matrices) for every variable.

    Raises
    ------
    SymbreakError
        If shapes do not fit, the threshold is not in [0, 1) or a rule is unknown.

    Notes
    -----
    Design choices of docs/method.md; arXiv:2501.12900 states none of them.

    Examples
    --------
    >>> from symbreak.planted import linear_gaussian
    >>> world = linear_gaussian(n_labels=20, n_nodes=40)
    >>> table = robustness(world.true_mean, world.readout, bias=world.bias)
    >>> dict(table.sizes)
    {'rule': 3, 'bias': 2, 'centred': 2, 'matrices': 2, 'variable': 5}
    >>> authors, other = (table.diagonal.sel(rule=rule, drop=True) for rule in ("first_fit", "min_cover"))
    >>> authors.equals(other)
    True
    """
    kept = {"silenced": None} if bias is None else {"silenced": None, "kept": bias}
    shape = (len(rules), len(kept), 2, 2)
    values = {name: np.empty(shape) for name in SHOWN}
    for place in np.ndindex(*shape[:3]):
        rule, offsets, centred = rules[place[0]], list(kept.values())[place[1]], bool(place[2])
        found = scan(feature_mean, readout, [threshold], rule, offsets, centred, threads=threads)
        for convention, row in enumerate(_conventions(found)):
            for name in SHOWN:
                values[name][(*place, convention)] = row[name]
    dims = ("rule", "bias", "centred", "matrices")
    coords = {
        "rule": list(rules),
        "bias": list(kept),
        "centred": [0, 1],
        "matrices": ["all", "with_clusters"],
        "variable": list(SHOWN),
    }
    table = xr.Dataset({name: (dims, array) for name, array in values.items()}, coords)
    table["largest_change"] = ("variable", [_largest_change(values[name]) for name in SHOWN])
    described = block_statistics(found)
    for name in SHOWN:
        table[name].attrs = described[name].attrs
    table["largest_change"].attrs = {"long_name": "largest relative change under the choices", "units": "1"}
    table.attrs["threshold"] = threshold
    return table


def _largest_change(values: np.ndarray) -> float:
    first = values.flat[0]
    finite = values[np.isfinite(values)]
    return float(np.abs(finite / first - 1).max()) if np.isfinite(first) and first != 0 else float("nan")


def _conventions(found: xr.Dataset) -> tuple[dict[str, float], dict[str, float]]:
    """Statistics over all matrices, and over those with clusters."""
    table = block_statistics(found).isel(threshold=0)
    everything = {name: float(table[name]) for name in SHOWN}
    present = found.sizes["node"] - int(table.n_empty)
    some = {name: float(table[f"{name}_nonempty"]) for name in ("n_clusters", "diagonal", "noise")}
    some["cluster_size"] = everything["cluster_size"]
    if present == 0:
        return everything, {**some, "snr": 0.0}
    ratio = signal_to_noise(
        some["diagonal"], some["noise"], some["cluster_size"], present, found.sizes["label"]
    )
    return everything, {**some, "snr": ratio.snr}
