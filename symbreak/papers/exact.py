"""The one printed table that is exact mathematics: superclasses of random labels (P1 Table 4, middle)."""

from __future__ import annotations

import pandas as pd

from symbreak.observables import superclass_law, superclass_monte_carlo

#: Labels of the four heads of block 7 in P1, from its text, for which random labels are drawn.
HEAD_LABELS = (23, 15, 15, 21)


def random_labels(n_samples: int = 50_000) -> pd.DataFrame:
    """Superclasses filled by random labels, exact law and the simulation of P1: Table 4, middle.

    Examples
    --------
    >>> random_labels(1000)[["labels", "filling"]].values.tolist()[0]
    [23, 1]
    """
    rows = []
    for labels in dict.fromkeys(HEAD_LABELS):
        law = superclass_law(labels)
        sample = superclass_monte_carlo(labels, n_samples=n_samples)
        for filling in range(1, len(law)):
            rows.append(
                {
                    "labels": labels,
                    "filling": filling,
                    "exact": float(law[filling]),
                    "samples": float(sample.mean[0, filling]),
                    "samples_error": float(sample.standard_error[0, filling]),
                }
            )
    return pd.DataFrame(rows)


def samples_follow_law(n_samples: int = 50_000) -> bool:
    """Whether simulation and exact law agree within five standard errors everywhere.

    Examples
    --------
    >>> samples_follow_law()
    True
    """
    table = random_labels(n_samples)
    allowed = 5 * table.samples_error.clip(lower=1 / n_samples)
    return bool(((table.samples - table.exact).abs() <= allowed).all())
