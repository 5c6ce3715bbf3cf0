"""Faults by their kinds: what users write, hold and run on, and what comes of it.

A member is a name and a function that is refused by a sentence, or whose result is asserted to be right: a
wrong result that nobody tells is silent. Most members are none that somebody has reported.
"""

import errno
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from test_foreign_files import KNOWN
from tiny import SETTINGS

from symbreak import errors
from symbreak.config import combine, parse, strict
from symbreak.data.images import flowers
from symbreak.data.images.files import hint, read_image
from symbreak.errors import SymbreakError
from symbreak.learning.engine.processes import launched_place
from symbreak.models import build, load_official
from symbreak.models.official import export_official
from symbreak.models.weights import read_weights, write_weights
from symbreak.numerics.threads import processors, thread_count

Member = tuple[str, Callable[[], object]]


@dataclass(frozen=True)
class Kind:
    """What came of the members of a kind."""

    tries: int
    silent: list[str]
    message: str


def wrong(text: str) -> Member:
    """A YAML text after the head of an experiment; it must be refused."""
    head = "name: tiny\nnetworks: {small: {dim: 64}}\n"
    return text, lambda: _refused(lambda: parse(strict.load(head + text, "tiny.yaml"), "tiny.yaml"))


def right(text: str, value: object) -> Member:
    """A YAML value and what it must be read as."""
    return text, lambda: _equal(strict.load(f"a: {text}", "tiny.yaml")["a"], value)


def impossible(**change: dict) -> Member:
    """Settings that cannot end well."""
    merged = SETTINGS | {key: SETTINGS.get(key, {}) | value for key, value in change.items()}
    return str(change), lambda: _refused(lambda: parse(merged, "tiny.yaml"))


def network(**change: object) -> Member:
    """A network that cannot be, or a name that clashes."""
    return impossible(networks={name: SETTINGS["networks"]["small"] | keys for name, keys in change.items()})


def _refused(act: Callable[[], object]) -> None:
    found = act()
    raise AssertionError(f"was taken as {found!r:.80}")


def _read_as(read: Callable[[], object], expected: object) -> None:
    _equal(read(), expected)


def _equal(found: object, expected: object) -> None:
    assert found == expected and type(found) is type(expected), f"{found!r} in place of {expected!r}"


def _reads() -> Iterator[Member]:
    yield from (
        wrong(f"training: {{{key}: {value}}}")
        for key, value in (
            ("epochs", "3e-1"),
            ("epochs", "1_00"),
            ("batch_size", "0b11"),
            ("mixup", "TRUE"),
            ("erasing", "off"),
            ("learning_rate", "6e−4"),
            ("checkpoints", "no"),
            ("schedule", "~"),
            ("cutmix", "[1]"),
        )
    )
    yield from (
        wrong(text)
        for text in (
            "seeds: [1, 1.0]",
            "seeds: 1:20",
            "seeds: {1: 2}",
            "data: {download: 0}",
            "title: 2024",
            "title: 1.5",
            "data: {seed: 1}\ndata: {seed: 2}",
            "heads: {seed: 1, 'seed': 2}",
            "heads: {? seed : 1, seed: 2}",
            "committee: {groups: {a: [small], a: [small]}}",
            "seeds: !!set {1, 2}",
            "title: !!binary YQ==",
        )
    )
    yield from (
        right(text, value)
        for text, value in (
            ("08", 8),
            ("-010", -10),
            ("+1e3", 1000.0),
            ("1.", 1.0),
            (".5e1", 5.0),
            ("NULL", None),
            ("No", "No"),
            ("0x1F", "0x1F"),
            ("12:30:45", "12:30:45"),
            ("1e", "1e"),
            ("2001-12-14", "2001-12-14"),
            ("True", True),
            ("tRue", "tRue"),
            ("=", "="),
            ("1,000", "1,000"),
        )
    )
    yield (
        "--config",
        lambda: _equal(
            combine([], {"heads": {"seed": "08", "ratio": "1e1"}}), {"heads": {"seed": 8, "ratio": 10.0}}
        ),
    )


def _identities() -> Iterator[Member]:
    yield from (
        network(**{name: {}})
        for name in (
            "Figures",
            "BENCHMARKS",
            "scorecard.html",
            "summary.HTML",
            "pruning.nc",
            "x.svg",
            "a.json",
        )
    )
    yield network(**{"v1.0": {}, "v1x0": {}})
    yield network(**{"Net": {}, "net": {}})
    yield impossible(pruning={"studies": {"Silencing": {}}})
    yield impossible(pruning={"studies": {"a": {"kept": [0.33333331, 0.33333332]}}})
    yield impossible(committee={"groups": {"small": ["small"]}})
    state = export_official(build("cct_1_3x1", labels=3, dim=6, heads=3, image_size=8))
    yield "heads that nobody tells", lambda: _refused(lambda: load_official(state, image_size=8))
    for hidden in (7, 13, 29):
        plain = build("cct_1_3x1", labels=3, dim=6, heads=2, image_size=8, mlp_ratio=hidden / 6)
        own = export_official(plain)
        yield (
            f"{hidden} hidden nodes",
            lambda own=own, hidden=hidden: _equal(
                load_official(own, heads=2, image_size=8).blocks[0].linear1.out_features, hidden
            ),
        )


def _early() -> Iterator[Member]:
    yield impossible(measurement={"inputs": "training"}, data={"train_per_label": 1})
    yield impossible(data={"name": "cifar100", "validation_per_label": 101})
    yield impossible(probes={"batch_size": 500})
    yield impossible(probes={"train_per_label": 2, "batch_size": 250})
    yield impossible(compute={"processes": 60})
    yield impossible(committee={"groups": {"a": ["small", "demo/cct"]}})
    yield impossible(committee={"others": ["results/../../x"]})
    yield impossible(pruning={"studies": {"a": {"kept": [1e-9], "layers": ["readout"]}}})
    yield impossible(pruning={"studies": {"a": {"layers": ["linear1"], "thresholds": {"query": 0.5}}}})
    yield impossible(pruning={"studies": {"a": {}}, "batch_size": 5000})
    yield network(small={"mlp_ratio": 1e-6})
    yield network(small={"image_size": 28})


def _surroundings() -> Iterator[Member]:
    yield from (
        (str(given), lambda given=given: _refused(lambda: launched_place(1, given)))
        for given in (
            {"RANK": "0", "WORLD_SIZE": "2"},
            {"RANK": "0x1", "WORLD_SIZE": "1"},
            {"RANK": "0", "WORLD_SIZE": "1.0"},
            {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2,1"},
            {"RANK": "5", "WORLD_SIZE": "1"},
        )
    )
    yield "empty variables", lambda: _equal(launched_place(1, {"RANK": "", "WORLD_SIZE": ""}), None)
    yield "processors", lambda: _equal(processors(), len(os.sched_getaffinity(0)))
    yield "threads", lambda: _equal(thread_count(1), 1)


def _causes() -> Iterator[Member]:
    for number, cause in (
        (errno.EDQUOT, errors.NoSpace),
        (errno.EROFS, errors.NotAllowed),
        (errno.ELOOP, errors.WrongPlace),
        (errno.ESTALE, errors.Unreachable),
        (errno.ETXTBSY, errors.InUse),
    ):
        error = OSError(number, os.strerror(number))
        yield (
            cause.__name__,
            lambda error=error, cause=cause: _equal(type(errors.of_system("write", "a", error)), cause),
        )
    folder = Path(tempfile.mkdtemp())
    for tensor in (torch.empty(2, device="meta"), torch.eye(2).to_sparse(), torch.zeros(2).to_sparse()):
        yield "tensor", lambda tensor=tensor: _refused(lambda: write_weights(folder / "a", {"t": tensor}, {}))
    yield "a folder", lambda: _refused(lambda: read_weights(folder))
    yield "no file", lambda: _refused(lambda: read_weights(folder / "none"))
    other = export_official(build("cct_1_3x1", labels=3, dim=6, heads=3, image_size=16))
    wrapped = {f"net.{name}": tensor for name, tensor in other.items()}
    yield "a wrapper", lambda: _equal(load_official(wrapped, heads=3, image_size=16).labels, 3)
    yield "images of another size", lambda: _refused(lambda: load_official(other, heads=3, image_size=8))


def _foreign() -> Iterator[Member]:
    folder = Path(tempfile.mkdtemp())
    for text in (
        "IMAGE;SPLIT\n1;Train\n",
        "\ufeffsplit\timage\ntraining\t9\n",
        "image,split\n./image_1.jpeg,train\n",
        "image,split\n1,train\n1,train\n",
        "image\n1\n",
    ):
        path = folder / f"{abs(hash(text))}.csv"
        path.write_text(text)
        fits = text.count("1") == 1 and "split" in text.lower()
        read = partial(flowers._chosen, KNOWN, "train", path)
        yield text, partial(_read_as, read, KNOWN[:1]) if fits else partial(_refused, read)
    for value in (0, 256, 40000, 65535):
        Image.fromarray(np.full((2, 2), value, "uint16")).save(folder / f"{value}.png")
        yield (
            f"grey {value}",
            lambda value=value: _equal(
                int(np.asarray(read_image(folder / f"{value}.png"))[0, 0, 0]), round(value / 257)
            ),
        )
    Image.new("RGB", (9, 9)).save(folder / "cut.webp")
    (folder / "cut.webp").write_bytes((folder / "cut.webp").read_bytes()[:20])
    yield "a cut WebP", lambda: _refused(lambda: read_image(folder / "cut.webp"))
    (folder / "flowers-102").mkdir()
    yield "a level too deep", lambda: _equal(str(folder) in hint(folder / "flowers-102", "flowers-102"), True)


#: Kind -> its members.
KINDS: dict[str, Callable[[], Iterator[Member]]] = {
    "what is written is read as another value": _reads,
    "identity by guess, names that clash": _identities,
    "found only after the expensive work": _early,
    "unusual surroundings": _surroundings,
    "one sentence for many causes": _causes,
    "files of others": _foreign,
}


def outcome(kind: str) -> Kind:
    """Try all members of a kind."""
    tries, silent, message = 0, [], ""
    for name, act in KINDS[kind]():
        tries += 1
        try:
            act()
        except SymbreakError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000, name
            message = str(error)
        except AssertionError as error:
            silent.append(f"{name}: {error}")
    return Kind(tries, silent, re.sub(rf"{tempfile.gettempdir()}/\w+/", "", message))


def table() -> str:
    """Part of docs/reliability.md."""
    lines = ["| kind | tries | silent | lost | message |", "|---|---|---|---|---|"]
    for kind in KINDS:
        found = outcome(kind)
        message = found.message.replace("|", "\\|").replace("<", "\\<")
        lines.append(f"| {kind} | {found.tries} | {len(found.silent)} | 0 | {message} |")
    return "\n".join(lines) + "\n"
