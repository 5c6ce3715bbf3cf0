"""Inputs that are mutated at random, for every reader; only one sentence may come of them, and soon.

The HDF5 library under NetCDF is written in C: a crash of it would end this process, and the test with it.
"""

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import xarray as xr
import yaml
from faults import Outcome, fault
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tiny import SETTINGS, experiment

from symbreak.config import Network, Probes, dump, parse, read
from symbreak.errors import SymbreakError
from symbreak.learning.resume import ResumeFile
from symbreak.models import ProbeSet, build, load, read_official, save
from symbreak.models.official import export_official
from symbreak.store import open_dataset, provenance, read_values, write_dataset
from symbreak.store.tables import check_csv

#: Seconds after which a reader is said to hang; the slowest inputs take a hundredth.
HANG = 30

Reader = Callable[[Path], object]


@contextmanager
def soon() -> Iterator[None]:
    """Raise what no reader catches if it takes too long."""

    def hang(number, frame):
        raise Hang

    previous = signal.signal(signal.SIGALRM, hang)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


class Hang(BaseException):
    """A reader does not come to an end."""


def refused(reader: Reader, argument: object) -> str | None:
    """The sentence with which an input is refused, None if it is taken; anything else is an error here."""
    signal.alarm(HANG)
    try:
        reader(argument)
    except SymbreakError as error:
        message = str(error)
        assert message and "Traceback" not in message and "\n" not in message, message
        return message
    finally:
        signal.alarm(0)
    return None


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Change bytes: some values, a run of zeros or ones, a cut, an insertion, a copy from elsewhere."""
    result, place = bytearray(content), chance.randrange(len(content))
    length = min(chance.choice([1, 2, 4, 8, 64, 300]), len(content) - place)
    match chance.randrange(7):
        case 0 | 1:
            for _ in range(chance.choice([1, 1, 2, 4, 16, 64])):
                result[chance.randrange(len(result))] = chance.randrange(256)
        case 2:
            result[place : place + length] = bytes(length)
        case 3:
            result[place : place + length] = b"\xff" * length
        case 4:
            del result[place:]
        case 5:
            result[place:place] = chance.randbytes(length)
        case 6:
            other = chance.randrange(len(content))
            result[other : other + length] = result[place : place + length]
    return bytes(result)


def fuzz_file(reader: Reader, path: Path, tries: int) -> Outcome:
    """Read a file that is mutated again and again."""
    content, chance, message = path.read_bytes(), random.Random(path.name), ""
    with soon():
        for _ in range(tries):
            path.write_bytes(mutated(content, chance))
            message = refused(reader, path) or message
    path.write_bytes(content)
    assert refused(reader, path) is None
    return Outcome(tries, 0, message.replace(f"{path.parent}/", ""))


def netcdf_values(path: Path) -> None:
    """Read everything in a NetCDF file of ours."""
    with open_dataset(path) as dataset:
        for name in dataset.variables:
            read_values(dataset[name], str(path))


def resume_state(path: Path) -> None:
    """Go on from a resume file."""
    model = torch.nn.Linear(3, 2)
    file = ResumeFile(path.with_name("network.safetensors"), "key")
    file.known_facts()
    file.load(model, torch.optim.AdamW(model.parameters()))


def published(path: Path) -> None:
    """Read a published checkpoint of a network of this shape."""
    read_official(path, heads=2, image_size=8)


#: Reader, file and tries.
READERS: list[tuple[str, Reader, str, int]] = [
    ("experiment files, byte by byte", read, "tiny.yaml", 2000),
    ("NetCDF files", netcdf_values, "logits.nc", 1000),
    ("weights of networks", load, "network.safetensors", 1500),
    ("weights of probes", load, "probes.safetensors", 1000),
    ("resume files", resume_state, ".network.resume.safetensors", 1500),
    ("published checkpoints (.pth)", published, "cct.pth", 500),
    ("tables (CSV)", check_csv, "history.csv", 1500),
]
#: Values that are put in the place of others by hypothesis.
EXAMPLES = 2000
TRIES = EXAMPLES + sum(tries for *_, tries in READERS)


def fuzz_bytes(box, reader, name, tries):
    """Mutate the bytes of a file of ours."""
    return fuzz_file(reader, originals(box.empty()) / name, tries)


for _kind, *_rest in READERS:
    fault(f"mutated {_kind}", *_rest)(fuzz_bytes)


def originals(folder: Path) -> Path:
    """Write one small file of every kind."""
    (folder / "tiny.yaml").write_text(dump(SETTINGS))
    (folder / "history.csv").write_text("epoch,train_loss,seconds\n1,2.5,0.1\n2,2.25,\n")
    network = build("cct_1_3x1", labels=3, dim=4, heads=2, image_size=8)
    probes = ProbeSet(network.network, 3, Probes(taps=["attention"]))
    save(folder / "network.safetensors", network, name="small")
    save(folder / "probes.safetensors", probes, name="small")
    torch.save(export_official(network), folder / "cct.pth")
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(3)).sum().backward()
    optimizer.step()
    progress = {"step": 1, "sums": [0.0], "history": [], "seconds": 1.0}
    ResumeFile(folder / "network.safetensors", "key").save(model, optimizer, progress)
    fields = np.arange(12, dtype="float32").reshape(4, 3)
    dataset = xr.Dataset(
        {"logits": (("sample", "output"), fields), "truth": ("sample", np.arange(4))},
        coords={"sample": np.arange(4), "output": np.arange(3)},
    )
    facts = {"seed": 1, "dataset": "none", "dataset_sha256": "0", "precision": "fp32", "device": "cpu"}
    attributes = provenance(experiment(), title="an example", source="planted", **facts)
    write_dataset(folder / "logits.nc", dataset, "logits", attributes)
    return folder


#: Values of any kind, those that YAML knows and JSON does not among them.
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.dates(),
    st.binary(max_size=4), st.sampled_from([10**30, -1, 0, "cct_999_3x1", "vgg_16", "resnet_20"]),
    st.sampled_from(["../..", "$(touch pwned)", "\ud800", "x\0"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
PLACES = [
    (section, key)
    for section, keys in parse(SETTINGS).model_dump().items()
    for key in (keys if isinstance(keys, dict) and section != "networks" else [None])
] + [("networks", key) for key in Network.model_fields]


@fault("mutated experiment files, value by value (hypothesis)", EXAMPLES)
def fuzz_values(box, tries):
    """Put a value of any kind in the place of any key."""
    said = []

    @seed(0)
    @settings(
        max_examples=tries, deadline=None, database=None, derandomize=False, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.sampled_from(PLACES), VALUES)
    def run(place, value):
        said.append(refused(parse, _with_value(place, value)))

    with soon():
        run()
    return Outcome(len(said), 0, next(message for message in reversed(said) if message))


def _with_value(place: tuple, value: object) -> dict:
    section, key = place
    if section == "networks":
        return SETTINGS | {"networks": {"small": SETTINGS["networks"]["small"] | {key: value}}}
    return SETTINGS | {section: value if key is None else SETTINGS.get(section, {}) | {key: value}}


BOMBS = {
    "aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{n}: &{n} [{','.join([f'*{m}'] * 9)}]\n" for m, n in zip("abcdefgh", "bcdefghi"))
    + "seeds: *i\n",
    "merges": "a: &a {x: 1}\n"
    + "".join(f"{n}: &{n} {{<<: [{','.join([f'*{m}'] * 9)}]}}\n" for m, n in zip("abcdefgh", "bcdefghi")),
    "itself": "a: &a [*a]\nseeds: *a\n",
    "depth": "seeds: " + "[" * 20_000,
    "digits": "seeds: [0x" + "f" * 50_000 + "]\n",
    "length": "title: " + "x" * 10_000_000,
    "sixties": "seeds: [" + "1:" * 50_000 + "1]\n",
}


@fault("experiment files that blow up")
def bombs(box):
    """Small files that stand for endless values."""
    path = box.empty() / "tiny.yaml"
    with soon():
        for name, text in BOMBS.items():
            path.write_text(text)
            message = refused(read, path)
            assert message and len(message) < 2000, name
    assert yaml.safe_load("a: 1") == {"a": 1}
    return Outcome(len(BOMBS), 0, message.replace(f"{path.parent}/", ""))
