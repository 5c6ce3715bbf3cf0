"""Files: schema round trip, atomic writes, and clear refusal of what is damaged or foreign."""

import numpy as np
import pytest
import xarray as xr
from tiny import experiment

import symbreak
from symbreak.errors import SymbreakError
from symbreak.planted import moments_example
from symbreak.store import check, open_dataset, provenance, read_values, replacing, write_dataset
from symbreak.store.schema import DIMENSIONS, GLOBALS, KINDS, SUFFIXES


def attributes(**facts):
    given = {"seed": 1, "dataset": "none", "dataset_sha256": "0", "precision": "fp32", "device": "cpu"}
    return provenance(experiment(), title="an example", source="planted", **(given | facts))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "moments" / "block.nc"
    write_dataset(path, moments_example(), "moments", attributes())
    return path


def test_round_trip_keeps_values_and_describes_them(path):
    with open_dataset(path, "moments") as read:
        original = moments_example()
        for name in original.data_vars:
            np.testing.assert_array_equal(read[name].transpose(*original[name].dims), original[name])
        assert set(GLOBALS) <= set(read.attrs)
        assert read.attrs["Conventions"] == "CF-1.11"
        for name, variable in read.data_vars.items():
            if name != "network_accuracy":
                assert variable.attrs["units"] == "1" and variable.attrs["long_name"], name
        order = [list(DIMENSIONS).index(d) for d in read.feature_mean.dims]
        assert order == sorted(order)
        assert read.feature_mean.encoding["chunksizes"][0] == 1, "one chunk for each block"
        assert read.feature_mean.encoding["zlib"]


def test_opening_is_lazy_and_plain_xarray_can_do_it(path):
    with xr.open_dataset(path) as read:
        assert not read.feature_mean.variable._in_memory
        matrix = read.symbreak.matrix(block=2, node=3)
    expected = moments_example().symbreak.matrix(block=2, node=3)
    np.testing.assert_allclose(matrix, expected)
    assert matrix.dims == ("label", "output") and "label_name" in matrix.coords


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "header"])
def test_damaged_files_are_named(path, damage):
    whole = path.read_bytes()
    content = {
        "cut": whole[: len(whole) // 3],
        "empty": b"",
        "text": b"hello",
        "header": b"\x00" * 64 + whole[64:],
    }
    path.write_bytes(content[damage])
    with pytest.raises(SymbreakError, match=r"block\.nc"):
        open_dataset(path)


def test_damaged_values_are_named(path):
    with xr.open_dataset(path) as read:
        size = path.stat().st_size
    whole = bytearray(path.read_bytes())
    whole[size // 3 : 2 * size // 3] = bytes(2 * size // 3 - size // 3)
    path.write_bytes(whole)
    with pytest.raises(SymbreakError, match=r"block\.nc"), open_dataset(path) as read:
        for name in read.variables:
            read_values(read[name], str(path))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: d.attrs.pop("symbreak_kind"), "not written by symbreak"),
        (lambda d: d.attrs.update(schema_version="9.0"), "schema version 9.0"),
        (lambda d: d.attrs.update(config="{}"), "changed by hand"),
        (lambda d: d.attrs.pop("git_commit"), "git_commit"),
    ],
)
def test_foreign_and_changed_files_are_refused(path, change, word):
    with open_dataset(path) as read:
        dataset = read.load()
    change(dataset)
    with pytest.raises(SymbreakError, match=word):
        check(dataset, "a.nc")
    with pytest.raises(SymbreakError, match="lacks the variable `readout`"):
        write_dataset(path, moments_example().drop_vars("readout"), "moments", attributes())
    with pytest.raises(SymbreakError, match="wanted here"):
        open_dataset(path, "statistics")


def test_every_kind_names_known_dimensions():
    for kind in KINDS.values():
        for name, variable in kind.declared.items():
            assert set(variable.dims) <= set(DIMENSIONS) and set(variable.suffixes) <= set(SUFFIXES), name
            order = [list(DIMENSIONS).index(dim) for dim in variable.dims]
            assert order == sorted(order) or kind.folder == "", name
            assert variable.long_name and not variable.long_name.startswith("see "), name


def test_writes_are_whole_or_absent(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(KeyError), replacing(target) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert target.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    blocked = tmp_path / "a.txt" / "b.txt"
    with pytest.raises(SymbreakError, match="Cannot write"), replacing(blocked):
        pass


def test_provenance_carries_the_whole_experiment():
    facts = attributes(seed=7)
    assert symbreak.config.parse(__import__("json").loads(facts["config"])) == experiment()
    assert facts["seed"] == 7 and len(facts["config_sha256"]) == 64
