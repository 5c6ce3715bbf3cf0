"""Where files come from, as their global attributes tell, and whether files belong together."""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import symbreak
from symbreak.errors import SymbreakError
from symbreak.store.schema import FILES, P1, P2, SCHEMA_VERSION

if TYPE_CHECKING:
    from symbreak.config import Experiment

#: Facts in the header of weights that the files measured on them repeat.
_OF_WEIGHTS = ("seed", "dataset", "dataset_sha256", "precision", "device")
#: Settings that say where something lies, how often it is saved, or which files there are.
_WITHOUT_EFFECT = {"root", "download", "checkpoint_seconds", "cache", "taps", "checkpoints", "validate_every"}
#: Key of a training that matters to a network without one: what its images undergo.
_OF_UNTRAINED = "normalisation"


def provenance(
    experiment: Experiment,
    *,
    title: str,
    source: str,
    header: Mapping[str, Any] | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """Global attributes that tell how a result came about.

    Parameters
    ----------
    experiment : Experiment
        Stored whole, as canonical JSON with its SHA-256.
    title, source : str
        CF attributes: what the file holds, and of which network and data.
    header : mapping, optional
        Header of the weights that were measured, which tells what they were trained on.
    **facts
        What the header does not tell: `network`, `seed`, `dataset`, `dataset_sha256`, `precision`, `device`,
        `trained_on`, `measured_on`.
    """
    known: dict[str, Any] = {
        "network": "",
        "trained_on": canonical(_data_of(experiment.model_dump(mode="json"))),
    }
    if header is not None:
        known |= {name: header[name] for name in _OF_WEIGHTS} | {"network": header["name"]}
        if "data" in header:
            known["trained_on"] = canonical(header["data"])
    return {
        "Conventions": "CF-1.11",
        "title": title,
        "source": source,
        "references": f"{P1} (P1), {P2} (P2)",
        "schema_version": SCHEMA_VERSION,
        **_of_now(experiment.model_dump(mode="json")),
        "measured_on": measured_on(experiment.model_dump(mode="json")),
        **known,
        **facts,
    }


def brought(
    settings: Mapping[str, Any], *, title: str, network: str, dataset: str, seed: int, **facts: Any
) -> dict[str, Any]:
    """Global attributes of what was computed from a network or features that no experiment made.

    Parameters
    ----------
    settings : mapping
        What is known of how it was computed; stored as canonical JSON in place of an experiment.
    title, network, dataset : str
        What the file holds, and names of the network and of the data, whatever they are.
    seed : int
        By which several networks are joined.
    **facts
        `dataset_sha256`, `precision` and `device`.

    Returns
    -------
    dict
        All that `write_dataset` demands.
    """
    return {
        "Conventions": "CF-1.11",
        "title": title,
        "source": f"{network} on {dataset}",
        "references": f"{P1} (P1), {P2} (P2)",
        "schema_version": SCHEMA_VERSION,
        **_of_now({"seeds": [seed], "networks": {}, "data": {"name": dataset}, **settings}),
        "network": network,
        "seed": seed,
        "dataset": dataset,
        "trained_on": "unknown",
        "measured_on": dataset,
        **facts,
    }


def derived(
    attributes: Mapping[str, Any], experiment: Experiment, where: str | Path, *, title: str, **facts: Any
) -> dict[str, Any]:
    """Global attributes of what an experiment computes from a file, after checking that they belong together.

    Parameters
    ----------
    attributes : mapping
        Of the file.
    experiment : Experiment
        Its settings of what the file was made by must be those that the file embeds.
    where : path
        The file, for the message.
    title : str
    **facts
        Attributes to change.

    Raises
    ------
    SymbreakError
        Naming the first setting in which they differ, or a seed that the experiment does not list.
    """
    require_listed(np.atleast_1d(attributes["seed"]).tolist(), experiment.seeds, str(where))
    ours = provenance(experiment, title="", source="", network=attributes["network"])
    _require_same(
        {str(where): attributes, "the experiment": ours}, FILES[str(attributes["symbreak_kind"])].settings
    )
    return {**attributes, **_of_now(experiment.model_dump(mode="json")), "title": title, **facts}


def require_together(files: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse files that do not belong together: all that determines them must agree, but the seed.

    Parameters
    ----------
    files : mapping of name to attributes
        Global attributes of files of one kind.

    Raises
    ------
    SymbreakError
        Naming the first deviation and the two files.
    """
    kinds = {str(attributes["symbreak_kind"]) for attributes in files.values()}
    if len(kinds) > 1:
        raise SymbreakError(
            f"{', '.join(files)} are of several kinds ({', '.join(sorted(kinds))}); give one."
        )
    for name, attributes in files.items():
        listed = json.loads(str(attributes["config"]))["seeds"]
        require_listed(np.atleast_1d(attributes["seed"]).tolist(), listed, name)
    _require_same(files, FILES[kinds.pop()].settings)


def require_listed(seeds: Sequence[int], listed: Sequence[int], where: str) -> None:
    """Refuse seeds that an experiment does not list.

    Raises
    ------
    SymbreakError
        Naming the seed and those of the experiment.

    Examples
    --------
    >>> require_listed([7], [1, 2], "seed7")
    Traceback (most recent call last):
    symbreak.errors.SymbreakError: seed7: the experiment has no seed 7, but 1, 2; add it to `seeds`.
    """
    for seed in seeds:
        if seed not in listed:
            known = ", ".join(map(str, listed))
            raise SymbreakError(
                f"{where}: the experiment has no seed {seed}, but {known}; add it to `seeds`."
            )


def require_trained_by(experiment: Experiment, header: Mapping[str, Any], where: str | Path) -> None:
    """Refuse weights that an experiment did not train: its settings would be recorded as theirs.

    Their data may be others: a network may be measured on images of any data set with as many labels.

    Raises
    ------
    SymbreakError
        Naming the first setting in which they differ, or a seed that the experiment does not list.
    """
    name = str(header["name"])
    require_listed([header["seed"]], experiment.seeds, str(where))
    if name not in experiment.networks:
        return
    ours = {
        "training": experiment.training_of(name).determining(),
        "network": experiment.networks[name].described(),
    }
    theirs = {key: header.get(key, ours[key]) for key in ours}
    if not experiment.networks[name].trained:
        ours["training"], theirs["training"] = (_untrained(of["training"]) for of in (ours, theirs))
    for path, one, other in _differences(theirs, ours):
        raise SymbreakError(
            f"{where} was trained with {path} = {one} and the experiment says {other}; "
            "give the experiment that it was trained by, or train again."
        )


def require_of(experiment: Experiment, attributes: Mapping[str, Any], where: str | Path) -> None:
    """Refuse a file whose numbers other settings determined than the experiment has now.

    Raises
    ------
    SymbreakError
        Naming the first setting in which they differ.
    """
    from symbreak.config import parse

    kept = parse(json.loads(str(attributes["config"])), str(where))  # with defaults of keys that came later
    theirs, ours = (
        _settings(dict(attributes) | {"config": canonical(known.model_dump(mode="json"))}, sections)
        for known in (kept, experiment)
        for sections in [FILES[str(attributes["symbreak_kind"])].settings]
    )
    for path, one, other in _differences(theirs, ours):
        raise SymbreakError(
            f"{where} was made with {path} = {one} and the experiment says {other}; run it again."
        )


def measured_on(config: Mapping[str, Any]) -> str:
    """Which images were measured, as text that is equal for equal images.

    Examples
    --------
    >>> config = {"data": {"name": "cifar100", "root": "a"}, "measurement": {"inputs": "validation"}}
    >>> measured_on(config)
    'validation images of {"name": "cifar100"}'
    """
    inputs = config.get("measurement", {}).get("inputs", "validation")
    data = _data_of(config)
    if inputs == "validation":
        data.pop("train_per_label", None)
    return f"{inputs} images of {canonical(data)}"


def canonical(settings: Any) -> str:
    """Settings as JSON that is equal where they are."""
    return json.dumps(settings, sort_keys=True, ensure_ascii=False)


def _data_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Section `data` without the keys that say only where it lies."""
    return {key: value for key, value in config["data"].items() if key not in _WITHOUT_EFFECT}


def _of_now(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of the settings and the program that write a file."""
    config = canonical(settings)
    return {
        "history": f"{now()} symbreak {symbreak.__version__}",
        "symbreak_version": symbreak.__version__,
        "git_commit": git_commit(),
        "config": config,
        "config_sha256": hashlib.sha256(config.encode()).hexdigest(),
    }


def _require_same(files: Mapping[str, Mapping[str, Any]], sections: Sequence[str]) -> None:
    (first, reference), *others = [(name, _settings(known, sections)) for name, known in files.items()]
    for name, settings in others:
        for path, one, other in _differences(reference, settings):
            raise SymbreakError(
                f"{first} and {name} do not belong together: {path} is {one} in the one and {other} in the "
                "other; give files of one experiment, or run it again."
            )


def _settings(attributes: Mapping[str, Any], sections: Sequence[str]) -> dict[str, Any]:
    """What determines a file, but the seed: sections of its experiment, its network and its images."""
    config = json.loads(str(attributes["config"]))
    network = str(attributes["network"])
    found = {name: config.get(name) for name in sections}
    found["network"] = config["networks"].get(network, network)
    if (
        isinstance(found["network"], Mapping)
        and found["network"].get("trained") is False
        and "training" in found
    ):
        found["training"] = _untrained(found["training"])
    found["measured on"] = str(attributes["measured_on"])
    return found | ({"data": _data_of(config)} if "data" in found else {})


def _untrained(training: Mapping[str, Any]) -> dict[str, Any]:
    return {_OF_UNTRAINED: training.get(_OF_UNTRAINED)}


def _differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Place and values of every deviation of nested settings."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in (key for key in {**one, **other} if key not in _WITHOUT_EFFECT):
            yield from _differences(one.get(key), other.get(key), f"{path}.{key}" if path else key)
    elif one != other:
        yield path, one, other


def now() -> str:
    """Universal time to the second, ISO 8601."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.cache
def git_commit() -> str:
    """Commit of the checkout that the package runs from; `unknown` outside one."""
    folder = Path(symbreak.__file__).parent
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()
