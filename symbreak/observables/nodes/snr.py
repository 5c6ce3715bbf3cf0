"""Signal, noise and their ratio, from counts of clusters (P1 equations 1-4)."""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from symbreak.errors import SymbreakError
from symbreak.store import describe


class SignalToNoise(NamedTuple):
    """Signal, the two noises and their ratio; floats or arrays of one shape."""

    signal: Any
    noise_internal: Any
    noise_external: Any
    snr: Any


def signal_to_noise(
    diagonal: ArrayLike,
    noise: ArrayLike,
    cluster_size: ArrayLike,
    n_matrices: int,
    n_labels: int,
    square_sum: ArrayLike | None = None,
) -> SignalToNoise:
    r"""Signal-to-noise ratio of a set of label-by-label matrices.

    .. math:: s = \mathrm{diag} \frac{N_M}{N_l}, \quad
              \mathrm{noise}_I = \frac{C_s - 1}{N_l - 1} s, \quad
              \mathrm{noise}_E = \frac{n N_M}{N_l^2}, \quad
              \mathrm{SNR} = \frac{s}{\mathrm{noise}_I + \mathrm{noise}_E}

    Parameters
    ----------
    diagonal : float or array
        Mean number of labels in clusters per matrix, diag.
    noise : float or array
        Mean number of elements above threshold outside clusters per matrix, n.
    cluster_size : float or array
        Mean cluster size C_s; ignored where `diagonal` is zero.
    n_matrices : int
        Number of matrices N_M: nodes in P1, heads in P2.
    n_labels : int
        Number of labels N_l.
    square_sum : float or array, optional
        Mean of the sum of squared cluster sizes; the external noise is then spread over the
        ``N_l**2 - square_sum`` elements that can carry it instead of over all.

    Returns
    -------
    SignalToNoise
        All dimensionless. The ratio is 0 without signal and inf for a signal without noise.

    Raises
    ------
    SymbreakError
        If there are less than one matrix or label.

    Notes
    -----
    P1 (arXiv:2501.12900) equations 1-4; P2 (arXiv:2506.23832) calls the same quantities N_label,
    N_inter, N_noise and SNR. With a single label there is no other label and noise_I is 0.

    Examples
    --------
    >>> result = signal_to_noise(diagonal=14.6, noise=417.2, cluster_size=2.93, n_matrices=256, n_labels=100)
    >>> round(result.signal, 1), round(result.noise_internal, 2), round(result.snr, 2)
    (37.4, 0.73, 3.28)
    """
    if n_matrices < 1 or n_labels < 1:
        raise SymbreakError(
            f"There are {n_matrices} matrices and {n_labels} labels: give at least one of each."
        )
    diag, elements, size = np.broadcast_arrays(
        np.asarray(diagonal, float), np.asarray(noise, float), np.asarray(cluster_size, float)
    )
    signal = diag * n_matrices / n_labels
    others = max(n_labels - 1, 1)
    internal = np.where(diag > 0, (size - 1) / others * signal, 0.0) if n_labels > 1 else 0.0 * signal
    room = n_labels**2 - (0.0 if square_sum is None else np.asarray(square_sum, float))
    external = np.where(elements > 0, elements * n_matrices / np.where(room > 0, room, 1), 0.0)
    values = (signal, internal, external, _ratio(signal, internal + external))
    return SignalToNoise(*(float(value) if np.ndim(value) == 0 else value for value in values))


def _ratio(signal: np.ndarray, noise: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(signal > 0, signal / noise, np.where(np.isnan(signal), np.nan, 0.0))


def block_statistics(scan: xr.Dataset, n_labels: int | None = None, internal: str = "minimum") -> xr.Dataset:
    """Averages over all matrices of a scan, with signal, noise and SNR at every threshold.

    Parameters
    ----------
    scan : Dataset
        From :func:`symbreak.clusters.scan` or :func:`symbreak.clusters.scan_matrices`; further
        dimensions (seed, block) are kept.
    n_labels : int, optional
        Number of labels N_l; default: the labels of the scan.
    internal : {"minimum", "mean"}
        Which signal makes the internal noise of `snr_minimum`: that of the rarest label or the mean
        one (the papers leave it open).

    Returns
    -------
    Dataset
        On (threshold): `n_clusters`, `diagonal`, `noise` (means over all matrices) and the same with
        ``_nonempty`` (over matrices with clusters, NaN if there is none); `cluster_size` (pooled
        over clusters) and `cluster_size_per_matrix`; `signal`, `noise_internal`, `noise_external`,
        `snr`, `snr_exact`, `signal_minimum`, `snr_minimum`; the counts `n_empty`, `n_undefined`.

    Raises
    ------
    SymbreakError
        If the Dataset is not a scan or `internal` is unknown.

    Notes
    -----
    P1 (arXiv:2501.12900) Tables 1 and 2, Fig. 5. Pooling makes ``<N_c> C_s = <diag>`` an identity.
    A threshold with ``snr_minimum < 1`` is excluded there.

    Examples
    --------
    >>> from symbreak.clusters import scan
    >>> table = block_statistics(scan([[1.0], [0.8], [-1.0]], [[1.0], [0.9], [-0.7]], [0.5]))
    >>> float(table.n_clusters[0]), float(table.cluster_size[0]), float(table.signal_minimum[0])
    (2.0, 1.5, 1.0)
    """
    dim = _matrix_dimension(scan)
    if internal not in ("minimum", "mean"):
        raise SymbreakError(f"internal is {internal!r}: choose minimum or mean.")
    labels = scan.sizes["label"] if n_labels is None else n_labels
    outer = [str(name) for name in scan.n_clusters.dims if name != dim]
    values = _averages(scan, outer, dim)
    counted = (values["diagonal"], values["noise"], values["cluster_size"], scan.sizes[dim], labels)
    ratio = signal_to_noise(*counted)
    values.update(ratio._asdict())
    values["snr_exact"] = signal_to_noise(*counted, square_sum=values.pop("square_sum")).snr
    rarest = scan.appearance.transpose(*outer, "label").values.min(axis=-1).astype(float)
    own = ratio.noise_internal
    if internal == "minimum":
        own = own * rarest / np.where(ratio.signal > 0, ratio.signal, 1.0)
    values["signal_minimum"] = rarest
    values["snr_minimum"] = _ratio(rarest, own + ratio.noise_external)
    coords = {name: scan.coords[name] for name in outer if name in scan.coords}
    return describe(xr.Dataset({name: (outer, array) for name, array in values.items()}, coords), "averages")


def _averages(scan: xr.Dataset, outer: list[str], dim: str) -> dict[str, Any]:
    """Averages over matrices on plain arrays: labelled ones would cost more than the scan itself."""

    def array(name: str) -> np.ndarray:
        # Contiguous, so that sums over matrices are the same bits however the scan lies in memory.
        return np.ascontiguousarray(scan[name].transpose(*outer, dim).values)

    clusters, diagonal, noise = array("n_clusters"), array("diagonal"), array("noise")
    present = clusters > 0
    n_present = present.sum(axis=-1)
    maxima = scan.field_maximum.broadcast_like(scan.n_clusters).transpose(*outer, dim).values
    with np.errstate(invalid="ignore"):
        return {
            "n_clusters": clusters.mean(axis=-1),
            "cluster_size": diagonal.sum(axis=-1) / clusters.sum(axis=-1),
            "cluster_size_per_matrix": np.where(present, array("cluster_size"), 0.0).sum(axis=-1) / n_present,
            "diagonal": diagonal.mean(axis=-1),
            "noise": noise.mean(axis=-1),
            "n_clusters_nonempty": clusters.sum(axis=-1) / n_present,
            "diagonal_nonempty": diagonal.sum(axis=-1) / n_present,
            "noise_nonempty": (noise * present).sum(axis=-1) / n_present,
            "n_empty": (~present).sum(axis=-1),
            "n_undefined": (~(maxima > 0)).sum(axis=-1),
            "square_sum": array("square_sum").mean(axis=-1),
        }


def best_threshold(table: xr.Dataset, variable: str = "snr_minimum", least: float = 1.0) -> xr.DataArray:
    """Threshold at which a statistic is largest; NaN where it nowhere reaches `least`.

    Parameters
    ----------
    table : Dataset
        From :func:`block_statistics` or :func:`symbreak.observables.jackknife_statistics`.
    variable : str
        Statistic to maximise.
    least : float
        Smallest accepted maximum: thresholds with SNR_MIN < 1 are excluded in P1.

    Returns
    -------
    DataArray
        Without the dimension threshold; of equal maxima the lowest threshold.

    Notes
    -----
    P1 (arXiv:2501.12900) Fig. 5: about 0.3 for the seventh block, 0.15 for the sixth.

    Examples
    --------
    >>> table = xr.Dataset({"snr_minimum": ("threshold", [1.0, 3.0, 2.0])}, {"threshold": [0.1, 0.2, 0.3]})
    >>> float(best_threshold(table))
    0.2
    """
    values = table[variable].sortby("threshold").fillna(-np.inf)
    best = values.idxmax("threshold").where(values.max("threshold") >= least)
    best.attrs = {"long_name": f"threshold of the largest {variable}", "units": "1"}
    return best


def _matrix_dimension(scan: xr.Dataset) -> str:
    if "field_maximum" not in scan or "appearance" not in scan or "threshold" not in scan.dims:
        raise SymbreakError(
            "block_statistics needs a Dataset made by clusters.scan or clusters.scan_matrices."
        )
    return next(str(dim) for dim in scan.field_maximum.dims if dim not in scan.appearance.dims)
