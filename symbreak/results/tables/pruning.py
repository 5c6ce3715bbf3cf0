"""Tables of pruning: layers, methods beside each other, compact forms, silenced nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from symbreak.printed.values import published
from symbreak.results.errors import estimate, repetitions

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


def layer_rows(study: xr.Dataset, paper: str | None = None) -> pd.DataFrame:
    """Thresholds, clusters and kept weights of every layer, as in P1 (arXiv:2501.12900) Table 3.

    Parameters
    ----------
    study : Dataset
        A file of kind ``pruning``, of one seed or joined over seeds.
    paper : str, optional
        Print this paper's values beside ours: of its Table 3 only the totals are known.

    Returns
    -------
    DataFrame
        Two rows a setting and layer, of its input and its output nodes: ``cut`` (threshold), N_c, C_s, diag,
        n; in the first, ``kept`` and ``expected``, fractions of its weights. Last row: all layers.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> layer_rows(pruning_example())[["setting", "layer", "nodes"]].values.tolist()[:2]
    [['kept 0.1', 'block 2 linear1', 'input'], ['kept 0.1', 'block 2 linear1', 'output']]
    """
    fractions = fraction_kept(study)
    table = study.assign(fractions).rename(threshold="cut")
    rows: list[dict[str, Any]] = []
    for setting in study.setting.values:
        for layer in study.layer.values:
            chosen = table.sel(setting=setting, layer=layer)
            for side in study.side.values:
                own = chosen.sel(side=side)
                if side == "output" and not bool(np.isfinite(own.cut).any()):
                    continue  # the outputs of the readout are labels
                row: dict[str, Any] = {"setting": str(setting), "layer": str(layer), "nodes": str(side)}
                for name in ("cut", *NODE_COLUMNS):
                    row |= _with_error(own, name)
                if side == "input":
                    row |= _with_error(own, "kept") | _with_error(own, "expected")
                rows.append(row)
        if study.sizes["layer"] > 1:
            chosen = table.sel(setting=setting)
            total = chosen.rename(kept="k", expected="e").rename(kept_total="kept", expected_total="expected")
            named: dict[str, Any] = {"setting": str(setting), "layer": ALL, "nodes": ""}
            rows.append(named | _with_error(total, "kept") | _with_error(total, "expected"))
    frame = pd.DataFrame(rows)
    if paper == "P1" and _is_last_block(study):
        printed = published()["P1"]["values"]["pruned_block7"]
        value = printed["parameters_after"] / printed["parameters_before"]
        place = list(frame.columns).index("kept_error") + 1
        frame.insert(place, "kept_printed", np.where(frame.layer == ALL, round(value, 3), np.nan))
    return _finished(frame, study)


def method_rows(study: xr.Dataset, paper: str | None = None) -> pd.DataFrame:
    """Accuracy of every method before and after retraining, at equal numbers of kept weights.

    Parameters
    ----------
    study : Dataset
        A file of kind ``pruning``, of one seed or joined over seeds.
    paper : str, optional
        Print this paper's values beside ours, in the settings that it has.

    Returns
    -------
    DataFrame
        One row a setting and method: ``kept`` (fraction), ``before``, ``after``, ``loss`` (against the
        network without pruning, retrained alike), each with its error; first row: that network.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> method_rows(pruning_example()).method.tolist()[:3]
    ['none', 'andc', 'random']
    """
    accuracy, dense = study.pruned_accuracy, study.dense_accuracy
    after = accuracy.isel(epoch=-1, drop=True)
    baseline = dense.isel(epoch=-1, drop=True)
    table = fraction_kept(study)[["kept_total"]].assign(
        before=accuracy.isel(epoch=0, drop=True),
        after=after,
        loss=baseline - after,
        dense_before=dense.isel(epoch=0, drop=True),
        dense_after=baseline,
    )
    for name, source in (
        ("before", accuracy),
        ("after", accuracy),
        ("dense_before", dense),
        ("dense_after", dense),
    ):
        errors = study[f"{source.name}_stderr"]
        table[f"{name}_stderr"] = errors.isel(epoch=0 if name.endswith("before") else -1, drop=True)
    first: dict[str, Any] = {"setting": "", "method": "none", "kept": 1.0}
    first |= _with_error(table, "dense_before", "before") | _with_error(table, "dense_after", "after")
    rows = [first]
    for setting in study.setting.values:
        for method in study.chosen_by.values:
            chosen = table.sel(setting=setting, chosen_by=method)
            row: dict[str, Any] = {"setting": str(setting), "method": str(method)}
            row |= _with_error(chosen, "kept_total", "kept")
            for name in ("before", "after", "loss"):
                row |= _with_error(chosen, name)
            rows.append(row)
    frame = pd.DataFrame(rows)
    if paper == "P1":
        values = [_printed_accuracy(study, row) for row in frame.to_dict("records")]
        if np.isfinite(values).any():
            frame.insert(list(frame.columns).index("after_error") + 1, "after_printed", values)
    return _finished(frame, study)


def export_rows(study: xr.Dataset) -> pd.DataFrame:
    """Bytes and latency of the pruned network in several forms, and what they gain.

    Returns
    -------
    DataFrame
        One row a form: ``file_kilobytes`` and ``size_gain``, then for each batch size the latency in ms
        and its ``gain``: above 1 the pruned network is smaller, or faster.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> export_rows(pruning_example()).form.tolist()[0]
    'before pruning'
    """
    size, latency = study.file_size / 1000, study.latency * 1000
    table = xr.Dataset(
        {
            "file_kilobytes": size,
            "size_gain": size.sel(form="unpruned", drop=True) / size,
            "latency": latency,
            "gain": latency.sel(form="unpruned", drop=True) / latency,
        }
    )
    rows = []
    for form in study.form.values:
        chosen = table.sel(form=form)
        row: dict[str, Any] = {"form": FORM_NAMES[str(form)]}
        row |= _with_error(chosen, "file_kilobytes") | _with_error(chosen, "size_gain")
        for images in study.batch.values:
            own = chosen.sel(batch=images)
            row |= _with_error(own, "latency", f"latency_{images}") | _with_error(
                own, "gain", f"gain_{images}"
            )
        rows.append(row)
    return _finished(pd.DataFrame(rows), study)


def silencing_rows(silenced: xr.Dataset) -> pd.DataFrame:
    """Accuracy without chosen nodes, and with only them trained anew, beside as many random nodes.

    Returns
    -------
    DataFrame
        One row a criterion: ``n_silenced``; ``base``, ``without`` and ``retrained`` accuracies;
        ``by_chance`` and ``retrained_by_chance``, whose errors are deviations over draws; ``p``: the largest
        of the seeds.

    Examples
    --------
    >>> from symbreak.planted import silencing_example
    >>> silencing_rows(silencing_example()).columns.tolist()[:3]
    ['criterion', 'n_silenced', 'n_silenced_error']
    """
    rows = []
    for criterion in silenced.criterion.values:
        chosen = silenced.sel(criterion=criterion)
        row: dict[str, Any] = {"criterion": CRITERION_NAMES[str(criterion)]}
        row |= _with_error(chosen, "n_silenced") | {"n_nodes": int(np.max(chosen.n_nodes))}
        row |= _with_error(chosen, "base_accuracy", "base")
        if not row["n_silenced"]:  # no node is like this in any seed
            rows.append(row)
            continue
        row |= _with_error(chosen, "silenced_accuracy", "without") | _chance(chosen, "silenced", "by_chance")
        row["p"] = float(np.max(chosen.silenced_accuracy_p))
        row |= _with_error(chosen, "retrained_accuracy", "retrained")
        rows.append(row | _chance(chosen, "retrained", "retrained_by_chance"))
    return _finished(pd.DataFrame(rows), silenced)


def _chance(chosen: xr.Dataset, name: str, column: str) -> dict[str, float]:
    mean, deviation = (float(np.mean(chosen[f"{name}_accuracy_null{end}"])) for end in ("", "_deviation"))
    return {column: mean, f"{column}_error": deviation}


def _with_error(chosen: xr.Dataset, name: str, column: str | None = None) -> dict[str, float]:
    mean, error = estimate(chosen, name)
    return {column or name: float(mean), f"{column or name}_error": float(error)}


def _finished(frame: pd.DataFrame, dataset: xr.Dataset) -> pd.DataFrame:
    frame["seeds"], frame["error"] = repetitions(dataset)[0], errors_in_words(dataset)
    return frame


def errors_in_words(dataset: xr.Dataset) -> str:
    """What the errors of accuracies are: over seeds, or binomial over images.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> errors_in_words(pruning_example())
    'standard error over images, one seed'
    """
    seeds, words = repetitions(dataset)
    return words if seeds > 1 else "standard error over images, one seed"


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


def method_words(method: str) -> str:
    """Name of a method on an axis.

    Examples
    --------
    >>> method_words("magnitude")
    'largest weights'
    """
    return METHOD_NAMES[method]
