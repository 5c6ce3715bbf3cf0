"""Files that are joined or read together belong together, and say truthfully where they come from."""

import json

import numpy as np
import pytest
import xarray as xr
from tiny import SETTINGS, experiment

import symbreak  # noqa: F401  (registers the accessor)
from symbreak.cli import main
from symbreak.config import dump, parse
from symbreak.errors import SymbreakError
from symbreak.learning import train_network, train_probes
from symbreak.measure import measure
from symbreak.observables import block_tables, replica_tables
from symbreak.planted import head_tables_example, moments_example
from symbreak.store import open_dataset, provenance, write_dataset
from symbreak.store.joining import join_seeds
from symbreak.store.provenance import derived, require_trained_by

FACTS = {"dataset": "none", "dataset_sha256": "0", "precision": "fp32", "device": "cpu", "network": "small"}
FOLDERS = {1: "seed1", 2: "seed2"}


def write_moments(path, seed=1, settings=None, **facts):
    known = provenance(
        settings or experiment(), title="t", source="planted", **(FACTS | {"seed": seed} | facts)
    )
    write_dataset(path, moments_example(seed=abs(seed)), "moments", known)
    return path


def join(tmp_path, *folders, output="joined"):
    verb = ["join", *(str(tmp_path / folder) for folder in folders), "--names", "moments/attention.nc"]
    return main([*verb, "--output", str(tmp_path / output)])


@pytest.fixture
def two(tmp_path):
    for seed, folder in FOLDERS.items():
        write_moments(tmp_path / folder / "moments" / "attention.nc", seed)
    return tmp_path


def test_seed_is_a_coordinate_before_and_after_joining(two):
    with open_dataset(two / "seed2" / "moments" / "attention.nc") as one:
        assert one.seed.dims == () and int(one.seed) == 2 and one.seed.dtype == np.int64
        plain = one.load()
    paths = [two / folder / "moments" / "attention.nc" for folder in FOLDERS.values()]
    stacked = xr.concat([xr.load_dataset(path) for path in paths], "seed")
    assert stacked.seed.values.tolist() == [1, 2]
    for seed in (1, 2):
        own = moments_example(seed=seed).symbreak.matrix(1, node=1)
        np.testing.assert_allclose(stacked.symbreak.matrix(1, node=1, seed=seed), own)
    with pytest.raises(SymbreakError, match="seed"):
        plain.symbreak.matrix(1, node=1, seed=7)
    assert join(two, "seed1", "seed2") == 0
    with open_dataset(two / "joined" / "moments" / "attention.nc") as joined:
        assert joined.feature_mean.dims[0] == "seed" and joined.seed.values.tolist() == [1, 2]
        assert joined.attrs["seed"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"training": {"epochs": 4}}, "training.epochs is 3 in the one and 4"),
        ({"data": {"seed": 3}}, "data.seed is 0 in the one and 3"),
        ({"measurement": {"inputs": "training"}}, "measurement.inputs"),
        ({"measurement": {"folds": 2}}, "measurement.folds"),
        ({"probes": {"label_smoothing": 0.0}}, "probes.label_smoothing"),
        ({"compute": {"precision": "bf16"}}, "compute.precision"),
        ({"networks": {"small": SETTINGS["networks"]["small"] | {"dim": 24}}}, "network.dim is 16"),
    ],
)
def test_files_of_other_settings_are_not_joined(two, changes, named, capsys):
    write_moments(two / "seed2" / "moments" / "attention.nc", 2, experiment(**changes))
    assert join(two, "seed1", "seed2") == 2
    said = capsys.readouterr().err
    assert "seed 1 and seed 2 do not belong together" in said and named in said
    assert not (two / "joined").exists()


def test_files_of_other_networks_are_not_joined(two, capsys):
    networks = {"networks": SETTINGS["networks"] | {"large": {"architecture": "cct_2_3x2", "dim": 32}}}
    for seed, network in ((1, "small"), (2, "large")):
        path = two / f"seed{seed}" / "moments" / "attention.nc"
        write_moments(path, seed, experiment(**networks), network=network)
    assert join(two, "seed1", "seed2") == 2 and "network." in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes",
    [{"data": {"root": "elsewhere"}}, {"heads": {"level": 0.1}}, {"probes": {"checkpoint_seconds": 9.0}}],
)
def test_settings_that_determine_nothing_of_a_file_may_differ(two, changes):
    write_moments(two / "seed2" / "moments" / "attention.nc", 2, experiment(**changes), device="another")
    assert join(two, "seed1", "seed2") == 0
    with open_dataset(two / "joined" / "moments" / "attention.nc") as joined:
        assert joined.attrs["device"] == "cpu; another"


@pytest.mark.parametrize("seed", [-1, 7, 3])
def test_seeds_that_the_experiment_does_not_list_are_not_joined(two, seed, capsys):
    write_moments(two / "seed2" / "moments" / "attention.nc", seed)
    assert join(two, "seed1", "seed2") == 2
    assert f"no seed {seed}, but 1, 2" in capsys.readouterr().err


def test_a_seed_twice_or_joined_already_or_of_another_kind_is_refused(two, capsys):
    assert join(two, "seed1", "seed1") == 2 and "twice" in capsys.readouterr().err
    assert join(two, "seed1", "seed2") == 0
    assert join(two, "joined", "seed1", output="more") == 2
    assert "joined over seeds already" in capsys.readouterr().err
    one = (
        moments_example()
        .assign_coords(seed=1)
        .assign_attrs(provenance(experiment(), title="", source="", seed=1))
    )
    kinds = [one.assign_attrs(symbreak_kind=kind) for kind in ("moments", "logits")]
    with pytest.raises(SymbreakError, match="several kinds"):
        join_seeds(kinds, [1, 2])


def test_a_coordinate_that_contradicts_the_attribute_is_refused(two):
    path = two / "seed1" / "moments" / "attention.nc"
    with open_dataset(path) as one:
        changed = one.load().assign_attrs(seed=2)
    changed.to_netcdf(two / "changed.nc")
    with pytest.raises(SymbreakError, match=r"is of seed \[2\] and its coordinate `seed` says 1"):
        open_dataset(two / "changed.nc")


@pytest.mark.parametrize("seed", ["7", "-1", "0", "99999999999999999999"])
def test_training_of_an_unlisted_seed_starts_nothing(tmp_path, seed, capsys):
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(SETTINGS))
    verb = ["train", "--config", str(config), "--network", "small", f"--seed={seed}"]
    assert main([*verb, "--folder", str(tmp_path / "seed")]) == 2
    assert f"no seed {seed}, but 1, 2" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


@pytest.mark.parametrize("verb", ["scan", "heads"])
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"training": {"epochs": 9}}, "training.epochs"),
        ({"seeds": [2, 3]}, "no seed 1"),
        ({"data": {"seed": 1}}, "data.seed"),
    ],
)
def test_what_is_computed_from_label_means_belongs_to_them(two, verb, changes, named, capsys):
    config = two / "other.yaml"
    settings = SETTINGS | {k: SETTINGS[k] | v if isinstance(v, dict) else v for k, v in changes.items()}
    config.write_text(dump(settings))
    options = ["--config", str(config), "--folder", str(two / "seed1"), "--taps", "attention"]
    assert main([verb, *options]) == 2 and named in capsys.readouterr().err
    assert [path.name for path in (two / "seed1").iterdir()] == ["moments"]


def test_what_is_computed_carries_the_settings_that_computed_it(two):
    config = two / "other.yaml"
    config.write_text(dump(SETTINGS | {"statistics": {"thresholds": 5, "rule": "min_cover"}}))
    assert main(["scan", "--config", str(config), "--folder", str(two / "seed1"), "--taps", "attention"]) == 0
    with open_dataset(two / "seed1" / "statistics" / "attention.nc") as found:
        assert parse(json.loads(found.attrs["config"])).statistics.rule == "min_cover"
        assert found.attrs["network"] == "small" and int(found.seed) == 1


def test_replicas_of_other_null_draws_are_refused(tmp_path, capsys):
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(SETTINGS | {"heads": {"n_shuffles": 199}}))
    known = provenance(experiment(), title="", source="planted", **(FACTS | {"seed": [1, 2]}))
    heads = head_tables_example(seeds=2)
    write_dataset(tmp_path / "heads" / "attention.nc", heads, "heads", known | heads.attrs | {"seed": [1, 2]})
    verb = ["replicas", "--config", str(config), "--folder", str(tmp_path), "--taps", "attention"]
    assert main(verb) == 2 and "heads.n_shuffles" in capsys.readouterr().err
    assert "overlap" in replica_tables(heads, experiment(heads={"n_shuffles": 99}).heads)


def header(settings, **changes):
    known = {"name": "small", "seed": 1, "training": settings.training_of("small").determining()}
    return known | {"network": settings.networks["small"].described()} | changes


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"training": {"epochs": 5}}, "training.epochs = 3 and the experiment says 5"),
        ({"training": {"mixup": 0.0}}, "training.mixup"),
        ({"networks": {"small": SETTINGS["networks"]["small"] | {"heads": 4}}}, "network.heads"),
    ],
)
def test_weights_of_another_training_are_refused(changes, named):
    require_trained_by(experiment(), header(experiment()), "network.safetensors")
    require_trained_by(experiment(data={"seed": 3}), header(experiment()), "network.safetensors")
    with pytest.raises(SymbreakError, match=named):
        require_trained_by(experiment(**changes), header(experiment()), "network.safetensors")
    with pytest.raises(SymbreakError, match="no seed 9"):
        require_trained_by(experiment(), header(experiment(), seed=9), "network.safetensors")


def test_a_network_measured_on_other_images_says_so(tmp_path):
    trained, other = experiment(), experiment(data={"seed": 5})
    weights, probes = tmp_path / "network.safetensors", tmp_path / "probes.safetensors"
    train_network(trained, "small", 1, weights, tmp_path / "history.csv")
    train_probes(trained, weights, probes, tmp_path / "probes.csv")
    measure(other, weights, probes, tmp_path)
    with open_dataset(tmp_path / "moments" / "attention.nc") as found:
        assert json.loads(found.attrs["trained_on"])["seed"] == 0
        kind, data = found.attrs["measured_on"].split(" images of ")
        assert kind == "validation" and json.loads(data)["seed"] == 5
        assert parse(json.loads(found.attrs["config"])) == other
        with pytest.raises(SymbreakError, match=r"data\.seed is 5"):
            derived(found.attrs, trained, "attention.nc", title="")
        statistics, _ = block_tables(found.load(), other.statistics)
    assert int(statistics.seed) == 1
