"""Evaluate the soft committees of an experiment from saved output fields."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbreak.cli.verb import Verb, add_step, read_step
from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    from symbreak.config import Experiment
    from symbreak.observables import Member


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `committee`."""
    add_step(parser, "folder of the experiment; committee.nc goes there", threads=False)


def run(options: Namespace) -> None:
    """Evaluate the committees of an experiment."""
    from symbreak.observables import committee_tables
    from symbreak.store import provenance, write_dataset

    experiment = read_step(options, "committee")
    if experiment.committee is None:
        raise SymbreakError(f"{options.config} has `committee: null`; remove it to evaluate committees.")
    kept: dict[str, Any] = {}
    first: dict[str, Any] = {}

    def read_members() -> Iterator[Member]:
        """One after the other, as all of them may be more than fits in memory."""
        for member, settings, attributes in _members(experiment, options.folder):
            kept[member.network] = settings
            first.update(first or attributes)
            yield member

    table = committee_tables(read_members(), experiment.committee)
    facts = {key: first.get(key, "") for key in ("dataset", "dataset_sha256", "precision", "device")}
    seeds = sorted(set(table.member_seed.values.tolist()))
    images = table.attrs["images"].split(maxsplit=1)[0]
    count = f"{len(kept)} network{'s' if len(kept) > 1 else ''}, {table.sizes['member']} members"
    source = f"{count} on {facts['dataset']}, {images} images"
    attributes = provenance(experiment, title="soft committees", source=source, seed=seeds, **facts)
    extra = {"networks": json.dumps(kept)} | table.attrs
    write_dataset(options.folder / "committee.nc", table, "committee", attributes | extra)


def _members(experiment: Experiment, folder: Path) -> Iterator[tuple[Member, dict[str, Any], dict[str, Any]]]:
    """Members with the settings of their networks and the attributes of their files."""
    from symbreak.store.provenance import derived

    own = experiment.committee_of()
    if not own and not (experiment.committee and experiment.committee.others):
        raise SymbreakError(
            f"{experiment.name} has fewer than two trained networks or seeds; a committee needs two, or name "
            "other experiments in `committee.others`."
        )
    for network in own:
        for seed in experiment.seeds:
            path = folder / network / f"seed{seed}" / "logits" / "network.nc"
            member = _member(path, network)
            derived(member[2], experiment, path, title="")
            yield member
    for other in experiment.committee.others if experiment.committee else []:
        for path in _logits_of(Path(other)):
            yield _member(path, None)


def _logits_of(place: Path) -> Sequence[Path]:
    """Logits files of the trained networks of an experiment's folder, or the file itself."""
    if place.suffix == ".nc":
        return [place]
    found = sorted(place.glob("*/seed*/logits/network.nc"))
    if not found:
        raise SymbreakError(
            f"There are no {place}/*/seed*/logits/network.nc; run that experiment up to its measuring pass, "
            "or correct `committee.others`."
        )
    return found


def _member(path: Path, name: str | None) -> tuple[Member, dict[str, Any], dict[str, Any]]:
    from symbreak.config import Network
    from symbreak.observables import Member
    from symbreak.results.context import load

    logits = load(path, "logits")
    if logits.logits.dims != ("sample", "output"):
        raise SymbreakError(f"{path} holds outputs of probes, not of a network; give logits/network.nc.")
    config = json.loads(logits.attrs["config"])
    place, study = _network_and_study(path)
    settings = config["networks"].get(place, {})
    settings = settings | {"epochs": settings.get("epochs") or config["training"]["epochs"]}
    if name is None:
        name = "/".join([config["name"], place, *study, *([path.stem] if path.stem != "network" else [])])
    try:
        latency = float(Network.model_validate(settings).nominal_latency)
    except ValueError:  # a key of another version: the member votes, its latency is unknown
        latency = float("nan")
    member = Member(
        name,
        int(logits.attrs["seed"]),
        logits.logits.values,
        logits.truth.values,
        str(logits.attrs["measured_on"]),
        latency,
        _measured_latency(path.absolute().parents[2] / "latency.nc"),
    )
    return member, settings, dict(logits.attrs)


def _network_and_study(path: Path) -> tuple[str, list[str]]:
    """Name of a network and, if it is pruned, of the study, from where its outputs lie.

    Of ``network/seed1/logits/network.nc`` and of ``network/seed1/pruning/study/logits/network.nc``.
    """
    *_, before, study, _, _ = ("", "", *path.absolute().parts)
    if before == "pruning":
        return path.absolute().parents[4].name, [study]
    return path.absolute().parents[2].name, []


def _measured_latency(path: Path) -> float:
    """Seconds for one image in eager mode on the first device of the file; NaN where nobody measured that."""
    from symbreak.results.context import load

    if not path.is_file():
        return float("nan")
    latency = load(path, "latency").latency
    if 1 not in latency.batch or "eager" not in latency["mode"]:
        return float("nan")
    return float(latency.sel(mode="eager", batch=1).isel(device=0))


VERB = Verb(
    "committee",
    "evaluate the soft committees of the trained networks from their saved outputs (P2 section 4)",
    "--config config/demo_full.yaml --folder results/demo_full",
    arguments,
    run,
)
