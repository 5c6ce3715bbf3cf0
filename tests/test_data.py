"""Loading of image sets: CIFAR from counterfeit files with their own checksums, and every way to fail."""

import hashlib
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision import datasets

from symbreak.data import NAMES, SPLITS, ImageSet, first_per_label, load
from symbreak.data.image_set import assemble, fingerprint
from symbreak.errors import SymbreakError

FINE = [f"label {i}" for i in range(100)]
COARSE = [f"group {i}" for i in range(20)]


def coarse_of(label: int) -> int:
    return (7 * label) % 20


def write(path: Path, content: dict) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content))
    return hashlib.md5(path.read_bytes()).hexdigest()


def batch(labels: list[int], seed: int) -> dict:
    pixels = np.random.default_rng(seed).integers(0, 256, (len(labels), 3072), dtype=np.uint8)
    return {"data": pixels}


@pytest.fixture
def cifar100(tmp_path, monkeypatch):
    """Folder with a small CIFAR-100 whose checksums torchvision is told to expect."""
    folder = tmp_path / "cifar-100-python"
    sums = {}
    for seed, (name, copies) in enumerate({"train": 3, "test": 2}.items()):
        labels = list(range(100)) * copies
        groups = [coarse_of(label) for label in labels]
        content = batch(labels, seed) | {"fine_labels": labels, "coarse_labels": groups}
        sums[name] = write(folder / name, content)
    sums["meta"] = write(folder / "meta", {"fine_label_names": FINE, "coarse_label_names": COARSE})
    expect(monkeypatch, sums)
    return tmp_path


def expect(monkeypatch, sums: dict[str, str]) -> None:
    monkeypatch.setattr(datasets.CIFAR100, "train_list", [["train", sums["train"]]])
    monkeypatch.setattr(datasets.CIFAR100, "test_list", [["test", sums["test"]]])
    meta = {"filename": "meta", "key": "fine_label_names", "md5": sums["meta"]}
    monkeypatch.setattr(datasets.CIFAR100, "meta", meta)


def no_network(monkeypatch) -> None:
    def refuse(*args, **options):
        raise URLError("no network here")

    monkeypatch.setattr(datasets.cifar, "download_and_extract_archive", refuse)


def test_cifar100_images_labels_and_superclasses(cifar100):
    train = load("cifar100", "train", root=str(cifar100), download=False)
    assert train.images.shape == (300, 3, 32, 32) and train.images.dtype == torch.uint8
    with (cifar100 / "cifar-100-python" / "train").open("rb") as stream:
        raw = pickle.load(stream)
    expected = torch.from_numpy(raw["data"]).reshape(-1, 3, 32, 32)
    assert torch.equal(train.images, expected)
    assert train.labels.tolist() == raw["fine_labels"] and train.labels.dtype == torch.int64
    assert train.label_names == tuple(FINE) and train.superclass_names == tuple(COARSE)
    assert train.superclass == tuple(coarse_of(label) for label in range(100))
    assert len(load("cifar100", "validation", root=str(cifar100), download=False)) == 200


def test_limit_keeps_the_first_of_every_label(cifar100):
    whole = load("cifar100", "train", root=str(cifar100), download=False)
    limited = load("cifar100", "train", root=str(cifar100), download=False, limit_per_label=2)
    assert torch.equal(limited.images, whole.images[:200])
    assert limited.labels.bincount().tolist() == [2] * 100
    assert limited.sha256 != whole.sha256


def test_cifar10_has_no_superclasses(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-10-batches-py"
    labels = list(range(10)) * 2
    train = write(folder / "data_batch_1", batch(labels, 0) | {"labels": labels})
    test = write(folder / "test_batch", batch(labels, 1) | {"labels": labels})
    names = [f"thing {i}" for i in range(10)]
    meta = write(folder / "batches.meta", {"label_names": names})
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [["data_batch_1", train]])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [["test_batch", test]])
    described = {"filename": "batches.meta", "key": "label_names", "md5": meta}
    monkeypatch.setattr(datasets.CIFAR10, "meta", described)
    images = load("cifar10", "validation", root=str(tmp_path), download=False)
    assert images.n_labels == 10 and images.superclass == (-1,) * 10 and images.superclass_names == ()


@pytest.mark.parametrize("download", [True, False])
def test_a_damaged_file_is_named_and_not_read(cifar100, download, monkeypatch):
    no_network(monkeypatch)
    victim = cifar100 / "cifar-100-python" / "test"
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    with pytest.raises(SymbreakError, match=r"cifar-100-python/test is damaged .* run again") as caught:
        load("cifar100", "train", root=str(cifar100), download=download)
    assert "\n" not in str(caught.value)


def test_missing_folder_names_the_place_and_the_cure(tmp_path, monkeypatch):
    no_network(monkeypatch)
    for download, reason in ((False, "download is off"), (True, "no network here")):
        with pytest.raises(SymbreakError, match=reason) as caught:
            load("cifar100", "train", root=str(tmp_path / "nowhere"), download=download)
        assert str(tmp_path / "nowhere" / "cifar-100-python") in str(caught.value)
        assert "data.root" in str(caught.value) and "\n" not in str(caught.value)


def test_a_sound_archive_is_unpacked_without_network(cifar100, monkeypatch):
    archive = pack(cifar100)
    monkeypatch.setattr(datasets.CIFAR100, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    folder = cifar100 / "cifar-100-python"
    (folder / "train").unlink()
    (folder / "meta").write_bytes(b"half written")  # as after a kill in the middle of unpacking
    assert len(load("cifar100", "train", root=str(cifar100))) == 300


def test_a_damaged_archive_is_named(cifar100, monkeypatch):
    archive = pack(cifar100)
    (cifar100 / "cifar-100-python" / "train").unlink()
    monkeypatch.setattr(datasets.CIFAR100, "tgz_md5", "0" * 32)
    no_network(monkeypatch)
    with pytest.raises(SymbreakError, match=rf"{archive.name} is damaged .* delete it"):
        load("cifar100", "train", root=str(cifar100))


def pack(root: Path) -> Path:
    archive = root / datasets.CIFAR100.filename
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(root / "cifar-100-python", "cifar-100-python")
    return archive


def test_superclasses_that_are_no_partition_are_refused(cifar100, monkeypatch):
    path = cifar100 / "cifar-100-python" / "train"
    content = pickle.loads(path.read_bytes())
    content["coarse_labels"][5] = (content["coarse_labels"][5] + 1) % 20
    sums = {name: _md5(path.with_name(name)) for name in ("test", "meta")} | {"train": write(path, content)}
    expect(monkeypatch, sums)
    with pytest.raises(SymbreakError, match="20 groups of 5"):
        load("cifar100", "train", root=str(cifar100), download=False)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_unknown_names_and_numbers_are_refused():
    with pytest.raises(SymbreakError, match="diacritics, cifar10, cifar100, flowers102"):
        load("mnist", "train")
    with pytest.raises(SymbreakError, match="train, validation"):
        load("diacritics", "test")
    with pytest.raises(SymbreakError, match="limit_per_label is 0"):
        load("diacritics", "train", limit_per_label=0)
    assert NAMES == ("diacritics", "cifar10", "cifar100", "flowers102") and SPLITS == ("train", "validation")


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(1, 5))
def test_first_per_label_by_brute_force(labels, limit):
    seen = dict.fromkeys(range(5), 0)
    expected = []
    for position, label in enumerate(labels):
        seen[label] += 1
        if seen[label] <= limit:
            expected.append(position)
    assert first_per_label(torch.tensor(labels), limit).tolist() == expected


def test_fingerprint_is_that_of_the_bytes():
    images = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2)
    labels = torch.tensor([3, 1])
    expected = hashlib.sha256(bytes(range(24)) + np.array([3, 1], dtype="<i8").tobytes()).hexdigest()
    assert fingerprint(images, labels) == expected
    # A view with the same values but another memory layout has the same bytes in order.
    assert fingerprint(images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), labels) == expected


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (torch.zeros(2, 3, 4, 4), torch.tensor([0, 1]), "uint8"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.tensor([0, 1]), "uint8"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([0]), "one label per image"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([0, 2]), "between 0 and 1"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([-1, 1]), "between 0 and 1"),
    ],
)
def test_parts_that_do_not_fit_are_refused(images, labels, words):
    with pytest.raises(SymbreakError, match=words):
        assemble("toy", images, labels, ("a", "b"), (-1, -1), ())


def test_an_image_set_cannot_be_changed():
    pixels = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    images = assemble("toy", pixels, torch.tensor([0]), ("a",), (-1,), ())
    assert isinstance(images, ImageSet) and len(images) == 1
    with pytest.raises(AttributeError):
        images.name = "other"


def test_torchvision_is_imported_only_for_cifar():
    code = (
        "import sys; from symbreak.data import load; from symbreak.data.images import diacritics; "
        "print(*(name in sys.modules for name in ('torchvision', 'matplotlib', 'scipy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"] * 3
