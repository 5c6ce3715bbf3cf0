"""Nominal latency of P2 (arXiv:2506.23832) section 3 and measured seconds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from symbreak.errors import SymbreakError


def latency_table(latencies: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Nominal latency, size and measured times of several networks.

    Parameters
    ----------
    latencies : mapping of network to Dataset
        Files of kind latency.

    Returns
    -------
    DataFrame
        One row a network, device, mode and batch, small nominal latency first: ``network``,
        ``architecture``, ``nominal_latency`` (layers), ``parameters``, ``macs`` (per image), ``device``,
        ``mode``, ``batch``, ``latency`` and ``latency_spread`` (ms per batch, median and interquartile
        range), ``latency_per_image`` (ms), ``throughput`` (images/s), ``threads``.

    Raises
    ------
    SymbreakError
        If there is none.

    Examples
    --------
    >>> table = latency_table({"small": latency_example()})
    >>> table[["nominal_latency", "batch", "latency"]].values.tolist()
    [[7.0, 1.0, 2.0], [7.0, 128.0, 64.0]]
    """
    if not latencies:
        raise SymbreakError("There are no latencies to put side by side; give one or more files latency.nc.")
    rows = []
    for network, dataset in latencies.items():
        start = {
            "network": network,
            "architecture": str(dataset.attrs["architecture"]),
            "nominal_latency": int(dataset.attrs["nominal_latency"]),
            "parameters": int(dataset.attrs["n_parameters"]),
            "macs": int(dataset.attrs["macs"]),
        }
        for device, mode, batch in np.ndindex(*dataset.latency.shape):
            one = dataset.isel(device=device, mode=mode, batch=batch)
            rows.append(
                start
                | {
                    "device": str(one.device.values),
                    "mode": str(one.mode.values),
                    "batch": int(one.batch),
                    "latency": 1e3 * float(one.latency),
                    "latency_spread": 1e3 * float(one.latency_spread),
                    "latency_per_image": 1e3 * float(one.latency) / int(one.batch),
                    "throughput": float(one.throughput),
                    "threads": int(dataset.attrs["threads"]),
                }
            )
    order = ["device", "batch", "mode", "nominal_latency", "network"]
    ascending = [name != "mode" for name in order]  # eager before compiled
    return pd.DataFrame(rows).sort_values(order, ascending=ascending, kind="stable", ignore_index=True)


def rank_correlations(table: pd.DataFrame) -> pd.DataFrame:
    """Rank correlation (Spearman) of measured with nominal latency and with operations, for each case.

    Parameters
    ----------
    table : DataFrame
        As :func:`latency_table` gives it.

    Returns
    -------
    DataFrame
        ``device, mode, batch, networks, with_nominal, with_macs``; NaN for fewer than three networks, or
        where all are alike.

    Examples
    --------
    >>> networks = {str(n): latency_example(nominal=n, seconds=n * 1e-3) for n in (6, 7, 11)}
    >>> rank_correlations(latency_table(networks)).with_nominal.round(6).tolist()
    [1.0, 1.0]
    """
    rows = []
    for (device, mode, batch), part in table.dropna(subset=["latency"]).groupby(["device", "mode", "batch"]):
        row = {"device": device, "mode": mode, "batch": batch, "networks": len(part)}
        for name, column in (("with_nominal", "nominal_latency"), ("with_macs", "macs")):
            enough = len(part) >= 3 and part[column].nunique() > 1
            ranks = part[["latency", column]].rank()
            row[name] = float(ranks.latency.corr(ranks[column])) if enough else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def latency_note(latencies: Mapping[str, xr.Dataset]) -> str:
    """What a reader of the table must know, in sentences.

    Examples
    --------
    >>> latency_note({"small": latency_example()}).endswith("Processor threads: 1. Measured on: an example.")
    True
    """
    table = latency_table(latencies)
    first = next(iter(latencies.values()))
    words = [
        "Nominal latency: convolutions + 4 × encoder blocks + 1 (arXiv:2506.23832 section 3). ms: median of "
        f"{int(first.attrs['repeats'])} passes of a batch ± interquartile range, after a warm-up. "
        f"Processor threads: {int(first.attrs['threads'])}. Measured on: {first.attrs['device']}."
    ]
    for row in rank_correlations(table).to_dict("records"):
        if np.isfinite(row["with_nominal"]):
            words.append(
                f"Rank correlation over {row['networks']} networks, {row['device']}, {row['mode']}, batch "
                f"of {row['batch']}: {row['with_nominal']:.2f} with nominal latency, {row['with_macs']:.2f} "
                "with multiply-accumulates."
            )
    words += sorted({str(d.attrs["not_compiled"]) for d in latencies.values()} - {""})
    return " ".join(words)


def latency_example(nominal: int = 7, seconds: float = 2e-3) -> xr.Dataset:
    """A latency file in memory, for examples and tests: batches of 1 and 128 on one device.

    Examples
    --------
    >>> latency_example().latency.values.ravel().tolist()
    [0.002, 0.064]
    """
    dims, batches = ("device", "mode", "batch"), np.array([1, 128])
    values = np.array([[[seconds, 32 * seconds]]])
    return xr.Dataset(
        {
            "latency": (dims, values),
            "latency_spread": (dims, values / 10),
            "throughput": (dims, batches / values),
        },
        {"device": ["cpu"], "mode": ["eager"], "batch": batches},
        {
            "architecture": "cct_1_3x2",
            "nominal_latency": nominal,
            "n_parameters": 1000 * nominal,
            "macs": 10_000 * nominal,
            "threads": 1,
            "repeats": 30,
            "device": "an example",
            "not_compiled": "",
        },
    )
