"""Tables of pruning: layers, methods, compact forms, silenced nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from symbreak.printed.values import Printed, published, with_printed
from symbreak.results.averages import BINOMIAL, measured, with_repetitions

NODE_COLUMNS = ("n_clusters", "cluster_size", "diagonal", "noise")

#: Name of the row that holds all layers of a setting together.
ALL = "all"

METHOD_NAMES = {
    "andc": "ANDC: nodes share a label",
    "artificial": "A-ANDC: random label sets",
    "random": "random weights",
    "magnitude": "largest weights",
    "artificial_scratch": "A-ANDC from scratch",
}
FORM_NAMES = {
    "unpruned": "before pruning",
    "zeros": "dense, with zeros",
    "dropped": "empty rows and columns dropped",
    "csr": "sparse rows (CSR)",
    "fastest": "fastest of these for each layer",
}
CRITERION_NAMES = {
    "empty_noisy": "empty diagonal, much noise",
    "small_field": "smallest maximum field",
}


def fraction_kept(study: xr.Dataset) -> xr.Dataset:
    """Fractions of the weights that stay, of each layer and of all together, with what independence gives.

    Parameters
    ----------
    study : Dataset
        A file of kind ``pruning``, of one seed or joined over seeds.

    Returns
    -------
    Dataset
        `kept` and `expected` on (setting, layer), `kept_total` and `expected_total` on (setting).

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> fraction_kept(pruning_example()).kept_total.values.round(2).tolist()
    [0.1, 0.3]
    """
    weights = study.layer_weights
    return xr.Dataset(
        {
            "kept": study.kept_weights / weights,
            "expected": study.expected_weights / weights,
            "kept_total": study.kept_weights.sum("layer") / weights.sum("layer"),
            "expected_total": study.expected_weights.sum("layer", skipna=False) / weights.sum("layer"),
        }
    )


def layer_table(study: xr.Dataset, paper: str | None = None) -> pd.DataFrame:
    """Thresholds, clusters and kept weights of every layer, as in P1 (arXiv:2501.12900) Table 3.

    Parameters
    ----------
    study : Dataset
        A file of kind ``pruning``, of one seed or joined over seeds.
    paper : str, optional
        Put this paper's values next to ours: of its Table 3 only the totals are known.

    Returns
    -------
    DataFrame
        Two rows a setting and layer, of its input and its output nodes: ``cut`` (threshold), N_c, C_s, diag,
        n; in the first, ``kept`` and ``expected``, fractions of its weights. Last row: all layers.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> layer_table(pruning_example())[["setting", "layer", "nodes"]].values.tolist()[:2]
    [['kept 0.1', 'block 2 linear1', 'input'], ['kept 0.1', 'block 2 linear1', 'output']]
    """
    table = study.assign(fraction_kept(study)).rename(threshold="cut")
    rows: list[dict[str, Any]] = []
    for setting in study.setting.values:
        for layer in study.layer.values:
            chosen = table.sel(setting=setting, layer=layer)
            for side in study.side.values:
                own = chosen.sel(side=side)
                if side == "output" and not bool(np.isfinite(own.cut).any()):
                    continue  # the outputs of the readout are labels
                row = {"setting": str(setting), "layer": str(layer), "nodes": str(side)}
                row |= measured(own, ("cut", *NODE_COLUMNS))
                rows.append(row | (measured(own, ("kept", "expected")) if side == "input" else {}))
        if study.sizes["layer"] > 1:
            total = {"kept_total": "kept", "expected_total": "expected"}
            named = {"setting": str(setting), "layer": ALL, "nodes": ""}
            rows.append(named | measured(table.sel(setting=setting), total))
    frame = pd.DataFrame(rows)
    if paper == "P1" and _is_last_block(study):
        block = published()["P1"]["values"]["pruned_block7"]
        kept = round(block["parameters_after"] / block["parameters_before"], 3)
        frame = with_printed(frame, [Printed({"kept": kept} if row == ALL else {}) for row in frame.layer])
    return with_repetitions(frame, study, single=BINOMIAL)


def method_table(study: xr.Dataset, paper: str | None = None) -> pd.DataFrame:
    """Accuracy of every method before and after retraining, at equal numbers of kept weights.

    Parameters
    ----------
    study : Dataset
        A file of kind ``pruning``, of one seed or joined over seeds.
    paper : str, optional
        Put this paper's values next to ours, in the settings that it has.

    Returns
    -------
    DataFrame
        One row a setting and method: ``kept`` (fraction), ``before``, ``after``, ``loss`` (against the
        network without pruning, retrained alike), each with its error; first row: that network.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> method_table(pruning_example()).method.tolist()[:3]
    ['none', 'andc', 'random']
    """
    parts = fraction_kept(study)[["kept_total"]].rename(kept_total="kept")
    for name, prefix in (("pruned_accuracy", ""), ("dense_accuracy", "dense_")):
        for epoch, word in ((0, "before"), (-1, "after")):
            for end in ("", "_stderr"):
                parts[f"{prefix}{word}{end}"] = study[f"{name}{end}"].isel(epoch=epoch, drop=True)
    parts["loss"] = parts.dense_after - parts.after
    dense = measured(parts, {"dense_before": "before", "dense_after": "after"})
    rows: list[dict[str, Any]] = [{"setting": "", "method": "none", "kept": 1.0} | dense]
    for setting in study.setting.values:
        for method in study.chosen_by.values:
            chosen = parts.sel(setting=setting, chosen_by=method)
            row = {"setting": str(setting), "method": str(method)}
            rows.append(row | measured(chosen, ("kept", "before", "after", "loss")))
    frame = pd.DataFrame(rows)
    if paper == "P1":
        printed = [_printed_accuracy(study, row) for row in rows]
        frame = with_printed(
            frame, [Printed({} if np.isnan(value) else {"after": value}) for value in printed]
        )
    return with_repetitions(frame, study, single=BINOMIAL)


def export_table(study: xr.Dataset) -> pd.DataFrame:
    """Bytes and latency of the pruned network in several forms, and what they gain.

    Returns
    -------
    DataFrame
        One row a form: ``file_kilobytes`` and ``size_gain``, then for each batch size the latency in ms
        and its ``gain``: above 1 the pruned network is smaller, or faster.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> export_table(pruning_example()).form.tolist()[0]
    'before pruning'
    """
    size, latency = study.file_size / 1000, study.latency * 1000
    table = xr.Dataset({"file_kilobytes": size, "latency": latency})
    table["size_gain"] = size.sel(form="unpruned", drop=True) / size
    table["gain"] = latency.sel(form="unpruned", drop=True) / latency
    rows = []
    for form in study.form.values:
        chosen = table.sel(form=form)
        row = {"form": FORM_NAMES[str(form)]} | measured(chosen, ("file_kilobytes", "size_gain"))
        for images in study.batch.values:
            names = {"latency": f"latency_{images}", "gain": f"gain_{images}"}
            row |= measured(chosen.sel(batch=images), names)
        rows.append(row)
    return with_repetitions(pd.DataFrame(rows), study, single=BINOMIAL)


def silencing_table(silenced: xr.Dataset) -> pd.DataFrame:
    """Accuracy without chosen nodes, and with only them trained anew, compared with as many random nodes.

    Returns
    -------
    DataFrame
        One row a criterion: ``n_silenced``; ``base``, ``without`` and ``retrained`` accuracies;
        ``by_chance`` and ``retrained_by_chance``, whose errors are deviations over draws; ``p``: the largest
        of the seeds.

    Examples
    --------
    >>> from symbreak.planted import silencing_example
    >>> silencing_table(silencing_example()).columns.tolist()[:3]
    ['criterion', 'n_silenced', 'n_silenced_error']
    """
    rows = []
    for criterion in silenced.criterion.values:
        chosen = silenced.sel(criterion=criterion)
        row = {"criterion": CRITERION_NAMES[str(criterion)]} | measured(chosen, ["n_silenced"])
        row |= {"n_nodes": int(np.max(chosen.n_nodes))} | measured(chosen, {"base_accuracy": "base"})
        if row["n_silenced"]:  # else no node is like this in any seed
            row |= _of_chance(chosen, "silenced", "without", "by_chance")
            row["p"] = float(np.max(chosen.silenced_accuracy_p))
            row |= _of_chance(chosen, "retrained", "retrained", "retrained_by_chance")
        rows.append(row)
    return with_repetitions(pd.DataFrame(rows), silenced, single=BINOMIAL)


def _of_chance(chosen: xr.Dataset, name: str, column: str, chance: str) -> dict[str, float]:
    """Accuracy of the chosen nodes, then mean and deviation over random ones."""
    null, deviation = (float(np.mean(chosen[f"{name}_accuracy_null{end}"])) for end in ("", "_deviation"))
    return measured(chosen, {f"{name}_accuracy": column}) | {chance: null, f"{chance}_error": deviation}


def _is_last_block(study: xr.Dataset) -> bool:
    kinds = {str(name).split()[-1] for name in study.layer.values}
    return kinds == {"qkv", "projection", "linear1", "linear2"} and study.sizes["layer"] == len(kinds)


def _printed_accuracy(study: xr.Dataset, row: dict[str, Any]) -> float:
    """What P1 prints for a setting: the readout at 5.6 and 20 %, block 7 at 17.7 % of the weights."""
    values, method, kept = published()["P1"]["values"], row["method"], row["kept"]
    last = values["pruned_last_layer"]
    if [str(name) for name in study.layer.values] == ["readout"]:
        if abs(kept - (1 - last["pruned"])) < 0.005:
            return {"andc": last["accuracy"], "random": last["accuracy_random"]}.get(method, np.nan)
        return values["pruned_block7"]["accuracy"] if method == "andc" and abs(kept - 0.2) < 0.01 else np.nan
    is_same = _is_last_block(study) and method == "andc" and abs(kept - 0.18) < 0.03
    return values["pruned_block7"]["accuracy"] if is_same else np.nan
