"""Order of the heads against training epoch: the symmetry-breaking curve."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from symbreak.numerics.estimates import benjamini_hochberg
from symbreak.observables.heads.order import ORDER_PARAMETERS
from symbreak.store import describe

#: Quantities of a block that are followed through the training, each with its null value.
FOLLOWED = (*ORDER_PARAMETERS, "n_owned_total")
#: Those whose p-values are adjusted, over all epochs and blocks of a seed.
ADJUSTED = ("n_owned_total", "potts_order", "mutual_information")


def evolution_table(heads: Mapping[int, xr.Dataset]) -> xr.Dataset:
    """Put the heads of a network at several epochs of its training together.

    The order parameters are those of :func:`symbreak.observables.order_parameters`; the symmetry of the
    heads is unbroken where they do not exceed their null value, which itself depends on the epoch: with
    fewer appearances chance makes more order.

    Parameters
    ----------
    heads : mapping of epoch to Dataset
        As :func:`symbreak.observables.heads.per_head.head_tables` returns them.

    Returns
    -------
    Dataset
        On (block, epoch): every order parameter and the labels with an owner with ``_stderr``, ``_null``,
        ``_null_deviation`` and ``_p``, three of them with ``_q`` (adjusted by Benjamini and Hochberg over all
        blocks and epochs); labels owned with evidence; mean appearances of a label; accuracy of the
        classifier head. On (epoch): accuracy of the network.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> table = evolution_table({0: head_tables_example(), 1: head_tables_example()})
    >>> table.potts_order.dims, table.network_accuracy.dims, table.epoch.values.tolist()
    (('block', 'epoch'), ('epoch',), [0, 1])
    """
    epochs = sorted(heads)
    rows = [_of_epoch(heads[epoch]) for epoch in epochs]
    joined = xr.concat(
        rows,
        xr.Variable("epoch", np.asarray(epochs, dtype="int64")),
        data_vars="all",
        coords="minimal",
        compat="override",
        combine_attrs="override",
    )
    for name in ADJUSTED:
        tested = joined[f"{name}_p"]
        joined[f"{name}_q"] = (tested.dims, benjamini_hochberg(tested.values))
    return describe(joined.transpose("block", "epoch"), "evolution")


def _of_epoch(heads: xr.Dataset) -> xr.Dataset:
    """What is followed of one epoch."""
    names = [name for name in heads.data_vars if str(name).startswith(FOLLOWED)]
    kept = [
        str(name)
        for name in names
        if set(heads[name].dims) <= {"block"} and not str(name).endswith("_q") and heads[name].ndim
    ]
    chosen = heads[kept].drop_vars(set(heads.coords) - {"block"}, errors="ignore")
    chosen["n_evident"] = heads.n_owned_evident.sum("head").drop_vars("head", errors="ignore")
    chosen["appearances"] = heads.appearance.sum("head").mean("label")
    for name in ("accuracy", "accuracy_stderr", "network_accuracy"):
        if name in heads:
            chosen[name] = heads[name].drop_vars(set(heads[name].coords) - {"block"})
    return chosen.assign_attrs(heads.attrs)
