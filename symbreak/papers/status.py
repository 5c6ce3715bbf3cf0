"""Status of a printed table: reproduced at full budget, in miniature, or not run; one of the three."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from symbreak.papers.exact import samples_follow_law
from symbreak.papers.results import Run
from symbreak.papers.targets import Target
from symbreak.printed.networks import PrintedNetwork

FULL, MINIATURE, NOT_RUN = "reproduced at full budget", "reproduced in miniature", "not run"


class Found(NamedTuple):
    """Status of a printed table with the runs that show it: of the experiment that comes nearest."""

    target: Target
    status: str
    rows_at_full_budget: int
    runs: list[Run]


def judge_target(target: Target, runs: Sequence[Run]) -> Found:
    """Status of a table from the budgets that result files were made with: exactly one of three.

    At full budget: for every printed row there is a network of its shape, trained on all images of the
    paper's data set for at least as many epochs. In miniature: the same was measured with less. Rows at
    full budget next to others that are not make no full budget.

    Examples
    --------
    >>> from symbreak.papers.targets import targets
    >>> judge_target(targets()[0], []).status
    'not run'
    """
    if not target.rows:  # exact mathematics, made anew with the page
        return Found(target, FULL if samples_follow_law() else NOT_RUN, 0, [])
    by_experiment: dict[str, list[Run]] = {}
    for run in runs:
        by_experiment.setdefault(str(run.path.parents[0 if run.kind == "committee" else 2]), []).append(run)
    fitting = [part for found in by_experiment.values() if (part := target.fits(found))]
    if not fitting:
        return Found(target, NOT_RUN, 0, [])
    # rows may be spread over experiments, of which one alone makes no sweep
    everywhere = [run for run in runs if run.kind == fitting[0][0].kind]
    full = sum(any(_at_full_budget(target, row, run) for run in everywhere) for row in target.rows)
    nearest = max(fitting, key=lambda part: _nearness(target, part))
    nearest = sorted(
        nearest, key=lambda run: not any(_at_full_budget(target, row, run) for row in target.rows)
    )
    return Found(target, FULL if full == len(target.rows) else MINIATURE, full, nearest)


def _at_full_budget(target: Target, row: PrintedNetwork, run: Run) -> bool:
    wanted = [run.network] if run.network else list(run.networks)
    flowers = target.dataset == "flowers102"
    return (
        run.dataset == target.dataset
        and run.whole_data
        and (not flowers or run.config["data"].get("split") == "kaggle")
        and any(
            name in run.networks
            and run.networks[name].image_size == (224 if flowers else 32)
            and row.is_of(run.networks[name])
            and (run.epochs[name] == row.epochs if target.exact_epochs else run.epochs[name] >= row.epochs)
            for name in wanted
        )
    )


def _nearness(target: Target, runs: list[Run]) -> tuple[int, bool, bool, int, int]:
    full = sum(any(_at_full_budget(target, row, run) for run in runs) for row in target.rows)
    epochs = max(max(run.epochs.values(), default=0) for run in runs)
    real = runs[0].dataset == target.dataset
    return full, real, real and runs[0].whole_data, epochs, len(runs[0].seeds)
