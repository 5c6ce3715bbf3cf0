"""Which files an experiment has, where they lie, and which results are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from symbreak.config import Experiment
from symbreak.results import registry
from symbreak.results.files import FILES
from symbreak.results.registry import Entry


class Place(NamedTuple):
    """Where a result is made: empty is what its scope does not have."""

    network: str = ""
    tap: str = ""
    study: str = ""
    seed: str = ""


#: All places.
EVERYWHERE = Place()


class Layout:
    """Files and results of an experiment.

    Parameters
    ----------
    experiment : Experiment

    Examples
    --------
    >>> networks, probes = {"vgg": {"architecture": "vgg_6"}}, {"taps": ["filters"]}
    >>> layout = Layout(Experiment(name="x", seeds=[1, 2], networks=networks, probes=probes))
    >>> layout.files("moments", Place(tap="filters"))
    ['vgg/seed1/moments/filters.nc', 'vgg/seed2/moments/filters.nc']
    >>> [entry.name for entry in layout.entries(Place("vgg", "filters"))]
    ['clusters', 'snr', 'clusters', 'snr', 'matrix', 'labels']
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.seeds = [str(seed) for seed in experiment.seeds]

    def names(self, kind: str, network: str) -> Sequence[str]:
        """Taps or studies of which a network has a file; one empty name for a file that has neither."""
        experiment, settings = self.experiment, self.experiment.networks[network]
        match kind:
            case "moments" | "nodes" | "statistics":
                return experiment.taps_of(network)
            case "null":
                return [tap for tap in experiment.taps_of(network) if tap != "filters"]
            case "heads" | "replicas":
                return experiment.headed_taps_of(network)
            case "rotated" | "rotated_within":
                rotated = f"attention_{kind}" in experiment.headed_taps_of(network)
                return ["attention"] if rotated else []
            case "untrained":
                return experiment.headed_taps_of(network) if network in self.untrained else []
            case "attention":
                several = max(settings.heads_per_block, default=0) > 1
                taps = experiment.headed_taps_of(network)
                return ["attention"] if several and "attention" in taps else []
            case "evolution":
                return experiment.evolving_taps_of(network)
            case "pruning":
                return experiment.studies_of(network)
            case "silencing":
                studies = [experiment.pruning.studies[name] for name in experiment.studies_of(network)]
                readout = any(study.only_readout for study in studies)
                return [""] if readout and experiment.pruning.silenced else []
            case "latency":
                return [""] if experiment.latency.batches and settings.trained else []
        return [""]

    @cached_property
    def untrained(self) -> dict[str, str]:
        """Trained network -> that which differs in not being trained."""
        networks = {
            name: network.model_copy(update={"trained": True}).model_dump_json()
            for name, network in self.experiment.networks.items()
            if self.experiment.headed_taps_of(name)
        }
        trained = {name: self.experiment.networks[name].trained for name in networks}
        twins = {shape: name for name, shape in networks.items() if not trained[name]}
        return {name: twins[shape] for name, shape in networks.items() if trained[name] and shape in twins}

    @property
    def voting(self) -> bool:
        """Whether there are committees."""
        committee = self.experiment.committee
        return bool(committee and (self.experiment.committee_of() or committee.others))

    def files(self, kind: str, place: Place = EVERYWHERE) -> list[str]:
        """Files of a kind below the folder of the experiment, for all that the place leaves open."""
        where = FILES[kind]
        if "{network}" not in where and "{untrained}" not in where:
            return [where] if self.voting else []
        found = []
        part = "study" if "{study}" in where else "tap"
        for network in [place.network] if place.network else self.experiment.networks:
            for name in self.names(kind, network):
                if name and getattr(place, part) not in ("", name):
                    continue
                for seed in [place.seed] if place.seed or "{seed}" not in where else self.seeds:
                    words = {"network": network, part: name, "seed": seed}
                    found.append(where.format(**words, untrained=self.untrained.get(network)))
        return found

    def superclasses(self, place: Place) -> bool:
        """Whether labels have superclasses."""
        return self.experiment.data.has_superclasses

    def headed(self, place: Place) -> bool:
        """Whether the tap has heads."""
        return place.tap in self.experiment.headed_taps_of(place.network)

    def units(self, place: Place) -> bool:
        """Whether matrices are those of nodes, not of filters."""
        return place.tap != "filters"

    def sweep(self, place: Place) -> bool:
        """Whether networks differ in the number of their heads only."""
        networks = [name for name in self.experiment.networks if self.experiment.headed_taps_of(name)]
        return len({self.experiment.families[name] for name in networks}) < len(networks)

    def has(self, entry: Entry, place: Place) -> bool:
        """Whether a result exists at a place of its scope."""
        possible = not entry.condition or getattr(self, entry.condition)(place)
        return possible and all(self.files(kind, place) for kind in entry.required)

    def in_report(self, place: Place) -> bool:
        """Whether the report shows results of a place by default: null models stand in those of others."""
        networks = self.experiment.networks
        if self.experiment.report.detail == "full" or not place.network:
            return True
        trained = networks[place.network].trained or not any(one.trained for one in networks.values())
        return trained and not place.tap.startswith("attention_rotated")

    def entries(self, place: Place) -> list[Entry]:
        """Results that exist at a place, in the order of the registry."""
        scope = scope_of(place)
        return [entry for entry in registry.ENTRIES if entry.scope == scope and self.has(entry, place)]

    def inputs(self, entries: Iterable[Entry], place: Place) -> list[str]:
        """All files of which some results are made."""
        kinds = dict.fromkeys(kind for entry in entries for kind in entry.required + entry.optional)
        return list(dict.fromkeys(path for kind in kinds for path in self.files(kind, place)))

    def places(self, scope: str, network: str = "") -> Iterator[Place]:
        """All places of a scope, of all networks or of one."""
        if scope == "experiment":
            yield Place()
            return
        for name in [network] if network else self.experiment.networks:
            match scope:
                case "network":
                    yield Place(name)
                case "tap":
                    taps = [*self.names("statistics", name), *self.names("evolution", name)]
                    yield from (Place(name, tap=tap) for tap in dict.fromkeys(taps))
                case "study":
                    yield from (Place(name, study=study) for study in self.names("pruning", name))
                case "seed":
                    yield from (Place(name, seed=seed) for seed in self.seeds)


def scope_of(place: Place) -> str:
    """Scope of the results that are made at a place.

    Examples
    --------
    >>> scope_of(Place()), scope_of(Place("cct")), scope_of(Place("cct", tap="block"))
    ('experiment', 'network', 'tap')
    """
    own = next((name for name in ("tap", "study", "seed") if getattr(place, name)), "")
    return own or ("network" if place.network else "experiment")
