"""Claims of P1 (arXiv:2501.12900), section 3, on pruning by the labels of nodes (ANDC)."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.papers.claims.claim import CERTAIN, FAILS, HOLDS, Claim, plain
from symbreak.results.averages import mean_and_error
from symbreak.results.tables.pruning import fraction_kept


def judge_pruning(study: xr.Dataset, name: str) -> list[Claim]:
    """Compare ANDC with its controls at the same number of kept weights, where the fewest are kept.

    Parameters
    ----------
    study : Dataset
        A file of kind ``pruning``, of one seed or joined over seeds.
    name : str
        Name of the study, as it is called in the experiment.

    Returns
    -------
    list of Claim
        One for each control in the file. A lead holds if it exceeds two standard errors: over seeds, with
        one seed over images.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> judge_pruning(pruning_example(), "last")[0].verdict
    'holds'
    """
    kept = fraction_kept(study).kept_total
    kept = kept.mean("seed") if "seed" in kept.dims else kept
    fewest = int(np.argmin(kept.values))
    chosen = study.isel(setting=fewest, epoch=-1)
    readout = all("readout" in str(layer) for layer in study.layer.values)
    printed = {"random": "0.77 compared with 0.53, 5.6 % kept"} if readout else {}
    controls = [control for control in study.chosen_by.values if control != "andc"]
    share = f"{float(kept[fewest]):.1%}"
    return [
        _lead(chosen, str(control), share, name, printed.get(str(control), "not compared"))
        for control in controls
    ]


def _lead(chosen: xr.Dataset, control: str, kept: str, name: str, printed: str) -> Claim:
    ours, theirs = (chosen.sel(chosen_by=method, drop=True) for method in ("andc", control))
    table = xr.Dataset(
        {
            "lead": ours.pruned_accuracy - theirs.pruned_accuracy,
            "lead_stderr": np.hypot(ours.pruned_accuracy_stderr, theirs.pruned_accuracy_stderr),
        }
    )
    lead, error = (float(part) for part in mean_and_error(table, "lead"))
    values = [float(part.pruned_accuracy.mean()) for part in (ours, theirs)]
    return Claim(
        f"ANDC is more accurate than {control} pruning at equal kept weights ({name})",
        printed,
        f"{values[0]:.3f} compared with {values[1]:.3f}, lead {plain(lead, error)}; {kept} kept, after "
        "retraining",
        "",
        HOLDS if lead > CERTAIN * np.nan_to_num(error) else FAILS,
    )
