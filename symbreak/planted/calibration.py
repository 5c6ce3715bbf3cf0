"""Size and power of every test, simulated: how often does it reject where nothing is to be found?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from symbreak.clusters import membership
from symbreak.errors import SymbreakError
from symbreak.numerics.combining import combine_seeds, paired_difference, trend_test
from symbreak.observables import (
    appearance_of_heads,
    architecture_test,
    order_parameters,
    overlap_test,
    owner_accuracy_test,
    ownership_test,
    shuffle_nodes,
    superclass_pairs_test,
)
from symbreak.planted.copula import copula_null
from symbreak.planted.divided import divided_labels, scaled_labels
from symbreak.planted.specialised import MembershipWorld, head_gain

#: A p-value from the seed of a world.
Draw = Callable[[int], float]

SUPERCLASS = np.repeat(np.arange(12), 5)
SIMILARITY = (SUPERCLASS[:, None] == SUPERCLASS).astype(float)
#: Draws of the null model in each test.
SHUFFLES = 199


class Case(NamedTuple):
    """One test in one world."""

    test: str
    world: str
    kind: str
    """size: nothing is there; power: something is; uncovered: the null is false for another reason."""
    draw: Draw


def _order(name: str, make: Callable[[int], MembershipWorld]) -> Draw:
    def draw(seed: int) -> float:
        world = make(seed)
        null = shuffle_nodes(world.membership, world.head_of_node, SHUFFLES, seed)
        counts = appearance_of_heads(world.membership, world.head_of_node)
        return order_parameters(counts, null, len(world.membership), names=[name])[name].p_value

    return draw


def _owned(make: Callable[[int], MembershipWorld]) -> Draw:
    def draw(seed: int) -> float:
        world = make(seed)
        return ownership_test(world.membership, world.head_of_node, 2.0, SHUFFLES, seed).total_p_value

    return draw


def _pairs(make: Callable[[int], MembershipWorld]) -> Draw:
    def draw(seed: int) -> float:
        world = make(seed)
        options = {"n_shuffles": SHUFFLES, "seed": seed}
        return superclass_pairs_test(world.membership, world.head_of_node, SUPERCLASS, **options).p_value

    return draw


def _overlap(shared: bool, **options) -> Draw:
    def draw(seed: int) -> float:
        owners = [seed, seed if shared else seed + 500_000]
        worlds = [
            divided_labels(**options, owner_seed=owner, seed=2 * seed + place)
            for place, owner in enumerate(owners)
        ]
        counts = [appearance_of_heads(world.membership, world.head_of_node) for world in worlds]
        return overlap_test(counts[0], counts[1], SIMILARITY, SHUFFLES, seed).p_value

    return draw


def _owner_accuracy(gain: float) -> Draw:
    """Images of a linear world whose heads see the labels with unequal gains."""

    def draw(seed: int) -> float:
        world = head_gain(gain, n_labels=20, head_size=12, n_test=2, noise=2.0, seed=seed)
        rng = np.random.default_rng(seed + 1)
        truth = np.repeat(np.arange(20), 10)
        images = world.feature_mean[truth] + 2.0 * rng.standard_normal((truth.size, 48))
        found = membership(world.feature_mean, world.readout, 0.3, threads=1)
        return owner_accuracy_test(
            found, world.head_of_node, images, world.readout, truth, n_shuffles=59, seed=seed
        ).p_value

    return draw


def _copula(clusters: bool) -> Draw:
    """Number of clusters: a Gaussian copula, or nodes that hold labels at different scales."""

    def draw(seed: int) -> float:
        rng = np.random.default_rng(seed)
        if clusters:
            mean, readout = scaled_labels(seed)
        else:
            mean, noise = rng.standard_normal((2, 20, 24))
            readout = 0.7 * mean + 0.7 * noise
        found = copula_null(mean, readout, [0.3], n_draws=19, seed=seed, threads=1)
        return float(found.n_clusters_p[0])

    return draw


def _architectures(difference: float) -> Draw:
    """Agreement of six pairs of networks, each network with an accuracy of its own."""

    def draw(seed: int) -> float:
        rng = np.random.default_rng(seed)
        kind, own = np.repeat(np.arange(6), 2), rng.normal(0, 0.02, 12)
        noise = rng.normal(0, 0.01, (12, 12))
        table = 0.7 + own + own[:, None] + (noise + noise.T) / 2
        return architecture_test(table + difference * (kind == kind[:, None]), kind).p_value

    return draw


def _combined(make: Callable[[int], MembershipWorld]) -> Draw:
    one = _order("mutual_information", make)
    return lambda seed: combine_seeds([one(3 * seed + place) for place in range(3)]).p_value


def _trend(slope: float) -> Draw:
    return lambda seed: trend_test(np.random.default_rng(seed).standard_normal((3, 5)) + slope * np.arange(5))


def _difference(mean: float) -> Draw:
    return lambda seed: paired_difference(np.random.default_rng(seed).normal(mean, 1, 3)).p_value


def _worlds(**options) -> Callable[[int], MembershipWorld]:
    return lambda seed: divided_labels(**options, seed=seed)


def cases() -> list[Case]:
    """Every test in every world that it claims to cover, and in some that it does not.

    Examples
    --------
    >>> sorted({case.kind for case in cases()})
    ['power', 'size', 'uncovered']
    """
    headless = {"nodes at random": _worlds(), "similar labels in a node": _worlds(similarity=1.0)}
    of_heads: dict[str, Callable[[Callable], Draw]] = {
        "mutual information": lambda make: _order("mutual_information", make),
        "Edwards-Anderson order, unbiased": lambda make: _order("edwards_anderson_unbiased", make),
        "Potts order": lambda make: _order("potts_order", make),
        "labels owned": _owned,
    }
    found = []
    for test, draw in of_heads.items():
        found += [Case(test, world, "size", draw(make)) for world, make in headless.items()]
        for order in (0.05, 0.1, 0.2):
            found.append(Case(test, f"label order {order}", "power", draw(_worlds(order=order))))
        found.append(Case(test, "twin nodes", "uncovered", draw(_worlds(twins=True))))
    pairs = "pairs in superclasses"
    found += [Case(pairs, world, "size", _pairs(make)) for world, make in headless.items()]
    found.append(Case(pairs, "label order 0.2", "size", _pairs(_worlds(order=0.2, similarity=1.0))))
    for order in (0.1, 0.2, 0.3):
        make = _worlds(order=order, by="superclass", similarity=0.5)
        found.append(Case(pairs, f"superclass order {order}", "power", _pairs(make)))
    overlap, specialists = "overlap of replicas", {"order": 0.3, "by": "superclass"}
    found += [
        Case(overlap, "independent, nodes at random", "size", _overlap(False)),
        Case(overlap, "independent superclass specialists", "size", _overlap(False, **specialists)),
        Case(overlap, "shared division of labels, order 0.2", "power", _overlap(True, order=0.2)),
        Case(overlap, "shared division of superclasses", "power", _overlap(True, **specialists)),
        Case("owner is the best head", "heads alike", "size", _owner_accuracy(0.0)),
        Case("owner is the best head", "heads of unequal gains 0.5", "power", _owner_accuracy(0.5)),
        Case("copula null, N_c", "means and weights jointly Gaussian", "size", _copula(False)),
        Case("copula null, N_c", "labels at different scales", "power", _copula(True)),
        Case("architectures agree less", "pairs at random", "size", _architectures(0.0)),
        Case("architectures agree less", "seeds agree 0.02 more", "power", _architectures(0.02)),
        Case("seeds combined (3)", "nodes at random", "size", _combined(headless["nodes at random"])),
        Case("seeds combined (3)", "label order 0.05", "power", _combined(_worlds(order=0.05))),
        Case("trend along 5 blocks (3 seeds)", "no trend", "size", _trend(0.0)),
        Case("trend along 5 blocks (3 seeds)", "half a deviation a block", "power", _trend(0.5)),
        Case("paired difference (3 seeds)", "no difference", "size", _difference(0.0)),
        Case("paired difference (3 seeds)", "four deviations", "power", _difference(4.0)),
    ]
    return found


def calibrate(
    n_worlds: int = 400,
    tests: Iterable[str] | None = None,
    kinds: Iterable[str] = ("size", "power", "uncovered"),
    seed: int = 0,
    progress: Callable[[list[Case]], Iterable[Case]] = lambda chosen: chosen,
) -> pd.DataFrame:
    """Simulate the size and the power of the tests.

    Parameters
    ----------
    n_worlds : int
        Worlds for each row; a rate of .05 then has a standard error of sqrt(.0475/n_worlds).
    tests : iterable of str, optional
        Names of tests as in :func:`cases`; default: all.
    kinds : iterable of {"size", "power", "uncovered"}
        Which rows.
    seed : int
        World w of a row has seed ``seed + w``.
    progress : callable, optional
        Wraps the list of cases, to show how far it is.

    Returns
    -------
    DataFrame
        ``test``, ``world``, ``kind`` (size, power, uncovered), ``rate_05``, ``rate_01`` (share of worlds
        with p at most .05, .01), ``uniform_p`` (Kolmogorov-Smirnov p of the p-values against uniform, only
        where nothing is there), ``n_worlds`` (worlds in which the test was defined).

    Raises
    ------
    SymbreakError
        For an unknown test.

    Notes
    -----
    Ties make discrete statistics conservative: their p-values are not uniform (small ``uniform_p``) though
    their size is below the level.

    Examples
    --------
    >>> calibrate(20, ["trend along 5 blocks (3 seeds)"]).kind.tolist()
    ['size', 'power']
    """
    from scipy.stats import kstest

    every = cases()
    names = list(dict.fromkeys(case.test for case in every))
    asked = names if tests is None else list(tests)
    for name in asked:
        if name not in names:
            raise SymbreakError(f"There is no test {name!r} to calibrate: choose among {', '.join(names)}.")
    rows, wanted = [], set(kinds)
    for case in progress([case for case in every if case.test in asked and case.kind in wanted]):
        p_values = np.array([case.draw(seed + world) for world in range(n_worlds)])
        kept = p_values[~np.isnan(p_values)]
        uniform = float(kstest(kept, "uniform").pvalue) if case.kind == "size" and kept.size else np.nan
        rates = [float((kept <= level + 1e-12).mean()) if kept.size else np.nan for level in (0.05, 0.01)]
        rows.append((case.test, case.world, case.kind, *rates, uniform, kept.size))
    columns = ["test", "world", "kind", "rate_05", "rate_01", "uniform_p", "n_worlds"]
    return pd.DataFrame(rows, columns=columns)


def calibration_page(table: pd.DataFrame) -> str:
    """Markdown page of a table of :func:`calibrate`.

    Examples
    --------
    >>> calibration_page(calibrate(5, ["paired difference (3 seeds)"])).splitlines()[0]
    '# Calibration: how often does each test reject?'
    """
    worlds = int(table.n_worlds.max()) if len(table) else 0
    lines = [
        "# Calibration: how often does each test reject?",
        "",
        f"Simulated by `symbreak calibrate --worlds {worlds}`; a rate of .05 has a standard error of "
        f"{np.sqrt(0.0475 / max(worlds, 1)):.3f}.",
        "size: nothing is there, the test should reject in 5 % (1 %) of worlds or fewer. power: something is",
        "there. uncovered: the null is false for a reason that is not the question asked (twin nodes are not",
        "exchangeable, though no head prefers anything). uniform: p of a Kolmogorov-Smirnov test of the",
        "p-values against uniform; small where ties make a test conservative.",
        "",
        "| test | world | kind | p ≤ .05 | p ≤ .01 | uniform | worlds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table.itertuples():
        uniform = "" if np.isnan(row.uniform_p) else f"{row.uniform_p:.2g}"
        rates = f"{row.rate_05:.3f} | {row.rate_01:.3f}"
        lines.append(f"| {row.test} | {row.world} | {row.kind} | {rates} | {uniform} | {row.n_worlds} |")
    return "\n".join(lines) + "\n"
