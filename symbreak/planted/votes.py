"""Output fields of members with known accuracy and agreement, without any network."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import xarray as xr

from symbreak.observables import Member, committee_tables


def independent_members(
    accuracies: Sequence[float] = (0.7, 0.7),
    images: int = 1000,
    labels: int = 10,
    shared: float = 0.0,
    seeds: int = 1,
    seed: int = 0,
) -> list[Member]:
    """Networks that recognise each image with given probability, by a common draw now and then.

    A member recognises an image if its uniform number is below its accuracy. With probability `shared` this
    is the number that all seeds of its network have in common, else its own. Two seeds of one network of
    accuracy A then agree on c^2 + (1 - c^2)(A^2 + (1 - A)^2) of the images, c = `shared`; different networks
    err independently and agree on A B + (1 - A)(1 - B). The highest field is 1 plus a little noise, on the
    true label or, where it errs, on another at random; the fields of the other labels are noise.

    Parameters
    ----------
    accuracies : sequence of float
        One for each network.
    images, labels : int
    shared : float
        Probability c.
    seeds : int
        Members of each network.
    seed : int
        Of numpy's default generator.

    Returns
    -------
    list of Member
        Networks ``a``, ``b``, …, the seeds of each side by side; nominal latencies 10, 20, ….

    Examples
    --------
    >>> [(one.network, one.seed) for one in independent_members(seeds=2)]
    [('a', 1), ('a', 2), ('b', 1), ('b', 2)]
    """
    rng = np.random.default_rng(seed)
    truth = np.arange(images) % labels
    members = []
    for number, accuracy in enumerate(accuracies):
        common = rng.random(images)
        for trained in range(1, seeds + 1):
            drawn = np.where(rng.random(images) < shared, common, rng.random(images))
            wrong = (truth + rng.integers(1, labels, images)) % labels
            fields = 0.1 * rng.random((images, labels), dtype=np.float32)
            fields[np.arange(images), np.where(drawn < accuracy, truth, wrong)] += 1
            name = "abcdefghijklmnopqrstuvwxyz"[number]
            members.append(Member(name, trained, fields, truth, "planted images", 10.0 * (number + 1)))
    return members


def committee_example(seeds: int = 2, images: int = 400) -> xr.Dataset:
    """Committees of two networks with planted outputs, as ``committee.nc`` holds them.

    Parameters
    ----------
    seeds, images : int
        Numbers of seeds of each network, and of images.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> committee_example().network.values.tolist()
    ['a', 'a', 'b', 'b']
    """
    shapes = {
        "a": {"architecture": "cct_1_3x1", "dim": 64, "heads": 4, "epochs": 3},
        "b": {"architecture": "cct_2_3x2", "dim": 64, "heads": 8, "epochs": 3},
    }
    members = [
        member._replace(nominal_latency={"a": 6.0, "b": 11.0}[member.network])
        for member in independent_members((0.6, 0.7), images, shared=0.7, seeds=seeds)
    ]
    table = committee_tables(members)
    return table.assign_attrs(networks=json.dumps(shapes), source="planted outputs")
