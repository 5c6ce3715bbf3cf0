"""One readout by any of the solvers, from batches of pooled features."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import SymbreakError
from symbreak.features.adamw import adamw_readout
from symbreak.features.logistic import logistic_readout
from symbreak.features.ridge import RidgeSums

#: How readouts are fitted to pooled features.
Solver = Literal["ridge", "lbfgs", "adamw"]
SOLVERS = get_args(Solver)


class Fitter:
    """One readout, from batches of pooled features: from their sums (ridge), or from the features themselves.

    Parameters
    ----------
    solver : {"ridge", "lbfgs", "adamw"}

    Examples
    --------
    >>> fitter = Fitter("ridge")
    >>> fitter.add(np.eye(4)[np.arange(60) % 3], np.arange(60) % 3)
    >>> fitter.solve(3)[0].shape
    (3, 4)
    """

    def __init__(self, solver: str) -> None:
        if solver not in SOLVERS:
            raise SymbreakError(f"There is no solver {solver!r}; choose {', '.join(SOLVERS)}.")
        self._solver = solver
        self._sums: RidgeSums | None = None
        self._kept: list[tuple[NDArray, NDArray]] = []

    def add(self, features: NDArray, labels: NDArray) -> None:
        """Add pooled features, (inputs, nodes), and their labels, integers from 0."""
        if self._solver != "ridge":
            self._kept.append((features, labels))
            return
        self._sums = self._sums or RidgeSums(features.shape[1])
        self._sums.add(features, labels)

    def solve(self, n_labels: int) -> tuple[NDArray, float]:
        """Readout, (labels, nodes), and its regularisation."""
        if self._sums is not None:
            return self._sums.solve()
        features, labels = (np.concatenate(parts) for parts in zip(*self._kept, strict=True))
        solve = logistic_readout if self._solver == "lbfgs" else adamw_readout
        return solve(features, labels, n_labels)


def fit(features: NDArray, labels: NDArray, n_labels: int, solver: str) -> tuple[NDArray, float]:
    """Readout, (labels, nodes), of pooled features, and its regularisation."""
    fitter = Fitter(solver)
    fitter.add(features, labels)
    return fitter.solve(n_labels)
