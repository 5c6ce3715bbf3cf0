"""Committees by size: the best of many on fresh images, seeds of one network against different networks."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from symbreak.config import Committee as Settings
from symbreak.observables.committees.bench import Bench, with_intervals
from symbreak.observables.committees.members import members_by_network, same_and_diverse
from symbreak.observables.committees.vote import Committee, random_halves

#: Halvings of the images by which the choice of a best committee is tested; one where it is greedy.
HALVINGS = 20


def committees_by_size(
    bench: Bench, committees: list[Committee], every: bool, settings: Settings
) -> xr.Dataset:
    """Best committee of every size: on the images it was chosen on, and chosen and evaluated on halves.

    Parameters
    ----------
    bench : Bench
    committees : list of tuple
        Evaluated committees, of every size at least one.
    every : bool
        Whether these are all; otherwise the choice on a half of the images grows them anew.
    settings : Committee

    Returns
    -------
    Dataset
        On (committee_size): accuracies as fractions, and the number of the best committee.

    Examples
    --------
    >>> from symbreak.planted.votes import independent_members
    >>> bench = Bench(independent_members(accuracies=[0.8, 0.8], images=500))
    >>> committees_by_size(bench, [(0,), (1,), (0, 1)], True, Settings()).best_committee.values.tolist()[1]
    3
    """
    correct = bench.correct(committees)
    size = np.array([len(committee) for committee in committees])
    n = int(size.max())
    accuracy = correct.mean(axis=1)
    best = [int(np.flatnonzero(size == k)[accuracy[size == k].argmax()]) for k in range(1, n + 1)]
    halves = _chosen_on_half(bench, correct, size, settings) if every else _grown_on_half(bench, settings)
    columns = {
        "best_accuracy": accuracy[best],
        "best_committee": np.array(best) + 1,
        "split_half_accuracy": halves.mean(axis=0),
    }
    if every:
        columns["mean_accuracy"] = np.array([accuracy[size == k].mean() for k in range(1, n + 1)])
    return xr.Dataset(
        {name: ("committee_size", values) for name, values in columns.items()},
        coords={"committee_size": np.arange(1, n + 1)},
    )


def _chosen_on_half(
    bench: Bench, correct: NDArray[np.bool_], size: NDArray, settings: Settings
) -> NDArray[np.float64]:
    found = []
    for halving in range(HALVINGS):
        half = random_halves(len(bench.truth), settings.seed + halving)
        one, other = correct[:, half].mean(axis=1), correct[:, ~half].mean(axis=1)
        for chosen_by, evaluated_on in ((one, other), (other, one)):
            places = [np.flatnonzero(size == k) for k in range(1, size.max() + 1)]
            found.append([evaluated_on[of_size[chosen_by[of_size].argmax()]] for of_size in places])
    return np.array(found)


def _grown_on_half(bench: Bench, settings: Settings) -> NDArray[np.float64]:
    half = random_halves(len(bench.truth), settings.seed)
    found = []
    for chosen in (half, ~half):
        grown = bench.grown(range(len(bench.members)), settings.largest_search, chosen)
        found.append(bench.correct(grown)[:, ~chosen].mean(axis=1))
    return np.array(found)


def same_against_diverse(bench: Bench, settings: Settings) -> xr.Dataset:
    """Seeds of one network against different networks with one seed each, at equal numbers of members.

    The claim of P2 (arXiv:2506.23832, section 4), with intervals over images of the paired difference. The
    gain over the mean member is large wherever members are unequal, as the committee follows the better ones;
    so the gain over the best member is given, too.

    Returns
    -------
    Dataset
        On (committee_size): accuracy and gains of both kinds and their differences; agreement of pairs.
        Empty where there are no seeds or no different networks.

    Examples
    --------
    >>> from symbreak.planted.votes import independent_members
    >>> bench = Bench(independent_members(accuracies=[0.8, 0.8], images=500, seeds=2))
    >>> same_against_diverse(bench, Settings()).committee_size.values.tolist()
    [2]
    """
    sizes = range(2, min(len(bench.members), settings.largest_comparison) + 1)
    per_image: dict[str, list[NDArray]] = {}
    kept = []
    for size in sizes:
        same, diverse = same_and_diverse(bench.members, size, settings.draws, settings.seed)
        if not same or not diverse:
            continue
        kept.append(size)
        of_same, of_diverse = bench.evaluated(same), bench.evaluated(diverse)
        for name, less in (("accuracy", None), ("gain", 1), ("gain_best", 2)):
            one, other = (part[0] - (0 if less is None else part[less]) for part in (of_same, of_diverse))
            for word, values in (
                (f"same_{name}", one),
                (f"diverse_{name}", other),
                (f"{name}_difference", other - one),
            ):
                per_image.setdefault(word, []).append(values)
    found = with_intervals(per_image, "committee_size", kept, settings)
    return found.merge(_pair_agreement(bench, settings))


def _pair_agreement(bench: Bench, settings: Settings) -> xr.Dataset:
    """Mean agreement of pairs of seeds and of pairs of networks, with their difference.

    Of m members of which k are right on an image, C(k, 2) + C(m - k, 2) pairs agree.
    """
    groups = list(members_by_network(bench.members).values())
    n_pairs = np.array([_pairs(np.array(len(group))) for group in groups]).sum()
    n_diverse = _pairs(np.array(len(bench.members))) - n_pairs
    if not n_pairs or not n_diverse:
        return xr.Dataset()
    agreeing = sum(_agreeing(bench.single[group]) for group in groups)
    alike = [agreeing / n_pairs, (_agreeing(bench.single) - agreeing) / n_diverse]
    named = {"same_agreement": alike[0], "diverse_agreement": alike[1]}
    named["agreement_difference"] = alike[1] - alike[0]
    found = with_intervals({name: [values] for name, values in named.items()}, "one", [0], settings)
    network = np.array([one.network for one in bench.members])
    upper = np.triu_indices(len(network), 1)
    same = network[upper[0]] == network[upper[1]]
    for name, chosen in (("same", same), ("diverse", ~same)):
        found[f"{name}_agreement_independent"] = ("one", [bench.pairs.independent[upper][chosen].mean()])
    return found.isel(one=0, drop=True)


def _pairs(n: NDArray) -> NDArray[np.float64]:
    return n * (n - 1.0) / 2


def _agreeing(correct: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Pairs of members that agree on each image."""
    right = correct.sum(axis=0)
    return _pairs(right) + _pairs(len(correct) - right)
