"""Claims of P1 (arXiv:2501.12900), section 3, on pruning by the labels of nodes (ANDC)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.stats import norm

from symbreak.numerics.combining import both_sides, combine_seeds, paired_difference
from symbreak.papers.claims.claim import (
    LEVEL,
    SMALLEST_ACCURACY,
    UNDECIDED,
    UNTESTABLE,
    Claim,
    decide,
    per_seed,
)
from symbreak.papers.claims.trends import interval
from symbreak.results.averages import with_seeds
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
        One for each control in the file. A lead holds if it is significant over images (the seeds combined
        by Stouffer), its t interval over seeds excludes zero, and it is at least 0.005. One seed cannot
        decide.

    Examples
    --------
    >>> from symbreak.planted import pruning_example
    >>> [judge_pruning(pruning_example(seeds), "last")[0].verdict for seeds in (1, 3)]
    ['undecided', 'holds']
    """
    kept = fraction_kept(study).kept_total
    kept = kept.mean("seed") if "seed" in kept.dims else kept
    fewest = int(np.argmin(kept.values))
    chosen = with_seeds(study).isel(setting=fewest, epoch=-1)
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
    values = [per_seed(part, "pruned_accuracy") for part in (ours, theirs)]
    errors = [per_seed(part, "pruned_accuracy_stderr") for part in (ours, theirs)]
    found = paired_difference(values[0] - values[1])
    p, share = _over_images(values[0] - values[1], np.hypot(*errors))
    seen = f"{share:.0%} of the seeds alone lead at the level {LEVEL:g} over images" if p == p else ""
    return Claim(
        f"ANDC is more accurate than {control} pruning at equal kept weights ({name})",
        printed,
        f"{values[0].mean():.3f} compared with {values[1].mean():.3f}, {interval('lead', found)}; "
        f"{kept} kept, after retraining",
        seen,
        _verdict(p, found.mean, found.p_value),
        p,
    )


def _over_images(lead: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    """Two-sided p-value of all seeds, and the share of seeds that lead by themselves; NaN without errors."""
    known = np.where(error > 0, error, np.nan)
    p_values = norm.sf(lead / known)
    return both_sides(p_values), combine_seeds(p_values).share


def _verdict(p: float, lead: float, p_of_seeds: float) -> str:
    found = decide(p, lead, SMALLEST_ACCURACY)
    return found if found == UNTESTABLE or p_of_seeds <= LEVEL else UNDECIDED
