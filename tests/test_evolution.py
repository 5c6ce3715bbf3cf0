"""The symmetry-breaking curve: kept weights, order of the heads at each, table and figure."""

import csv
import json

import numpy as np
import pytest
import torch
import xarray as xr
from tiny import SETTINGS, experiment

from symbreak.cli import main
from symbreak.config import Training, dump, parse
from symbreak.errors import SymbreakError
from symbreak.learning import checkpoints, train_network, train_probes
from symbreak.learning.loop import Loop
from symbreak.measure import evolution, measure
from symbreak.models.weights import read_weights, write_weights
from symbreak.observables import head_tables
from symbreak.observables.heads.epochs import FOLLOWED, evolution_table
from symbreak.planted import evolution_example, head_tables_example
from symbreak.results import figures
from symbreak.results.tables.order import beyond_chance, epoch_table
from symbreak.store import open_dataset

KEEPING = {"training": {"checkpoints": "log"}, "heads": {"n_shuffles": 99}, "evolution": {"probe_epochs": 2}}
EPOCHS = (0, 1, 2, 3)


class Killed(BaseException):
    pass


def train(folder, settings=None):
    train_network(
        settings or experiment(**KEEPING),
        "small",
        1,
        folder / "network.safetensors",
        folder / "history.csv",
    )


def kept(folder):
    return {path.name: path.read_bytes() for path in (folder / "checkpoints").iterdir()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "seed1"
    train(folder)
    return folder


@pytest.fixture(scope="module")
def evolved(trained):
    evolution.evolve(experiment(**KEEPING), trained)
    return trained


def test_epochs_are_equidistant_on_a_logarithmic_axis():
    assert checkpoints.checkpoint_epochs(1) == [0, 1]
    assert checkpoints.checkpoint_epochs(8) == [0, 1, 2, 4, 8]
    assert checkpoints.checkpoint_epochs(300)[-3:] == [128, 256, 300]


def test_the_default_keeps_nothing_and_leaves_older_trainings_valid(trained, tmp_path):
    plain = Training()
    before = plain.model_dump(mode="json")
    del before["checkpoints"]  # a key of a later version, at its default
    assert list(plain.determining().items()) == list(before.items())
    assert Training(checkpoints="log").determining()["checkpoints"] == "log"
    train(tmp_path, experiment())
    assert not (tmp_path / "checkpoints").exists()
    ours, header = read_weights(tmp_path / "network.safetensors")
    theirs, _ = read_weights(trained / "network.safetensors")
    assert "checkpoints" not in header["training"]
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs), "keeping weights changes none"


def test_first_checkpoint_is_untrained_and_last_is_the_network(trained, tmp_path):
    assert sorted(kept(trained)) == [f"epoch{epoch}.safetensors" for epoch in EPOCHS]
    networks = {"small": SETTINGS["networks"]["small"] | {"trained": False}}
    train(tmp_path, experiment(networks=networks))
    untrained, _ = read_weights(tmp_path / "network.safetensors")
    whole, header = read_weights(trained / "network.safetensors")
    for epoch, expected in ((0, untrained), (3, whole)):
        found, own = read_weights(checkpoints.checkpoint_path(trained / "network.safetensors", epoch))
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
        assert own.pop("epoch") == epoch
        assert (own == header) == (epoch == 3)
    assert read_weights(trained / "checkpoints" / "epoch0.safetensors")[1]["validation_accuracy"] is None


@pytest.mark.parametrize("step", [1, 9, 17])
def test_a_resumed_training_keeps_the_same_weights(trained, tmp_path, monkeypatch, step):
    plain = Loop._step

    def dying(self, number):
        if number == step:
            raise Killed
        plain(self, number)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_step", dying)
        with pytest.raises(Killed):
            train(tmp_path)
    assert "epoch0.safetensors" in kept(tmp_path)
    train(tmp_path)
    assert kept(tmp_path) == kept(trained)


def test_a_new_training_forgets_the_weights_of_the_one_before(tmp_path):
    train(tmp_path)
    train(tmp_path, experiment(training={"checkpoints": "log", "epochs": 2}))
    assert sorted(kept(tmp_path)) == [f"epoch{epoch}.safetensors" for epoch in (0, 1, 2)]


def test_missing_and_foreign_checkpoints_are_refused(trained, tmp_path):
    weights = tmp_path / "network.safetensors"
    tensors, header = read_weights(trained / "network.safetensors")
    write_weights(weights, tensors, header)
    with pytest.raises(SymbreakError, match=r"There is no checkpoint .*epoch0"):
        evolution.evolve(experiment(**KEEPING), tmp_path)
    for epoch in EPOCHS:
        path = checkpoints.checkpoint_path(weights, epoch)
        write_weights(path, tensors, header | {"epoch": epoch, "seed": 1 + (epoch == 2)})
    with pytest.raises(SymbreakError, match=r"epoch2.* is of another training"):
        checkpoints.require_checkpoints(weights, 3)
    with pytest.raises(SymbreakError, match="No weights were kept"):
        evolution.evolve(experiment(), tmp_path)


def test_the_last_point_repeats_the_heads_of_the_trained_network(evolved, tmp_path):
    settings, weights = experiment(), evolved / "network.safetensors"
    train_probes(settings, weights, tmp_path / "probes.safetensors", tmp_path / "probes.csv")
    measure(settings, weights, tmp_path / "probes.safetensors", tmp_path)
    with open_dataset(tmp_path / "moments" / "attention.nc", "moments") as moments:
        expected = head_tables(moments.load(), settings.statistics)
    with open_dataset(evolved / "evolution" / "attention.nc", "evolution") as found:
        assert found.epoch.values.tolist() == list(EPOCHS) and found.potts_order.dims == ("block", "epoch")
        for name in (*FOLLOWED, "potts_order_stderr", "accuracy", "network_accuracy"):
            np.testing.assert_allclose(found[name].sel(epoch=3), expected[name], err_msg=name)
        assert found.attrs["n_shuffles"] == 99 and found.attrs["seed"] == 1
        assert parse(json.loads(found.attrs["config"])) == experiment(**KEEPING)
    assert [path.name for path in (evolved / "evolution").iterdir()] == ["attention.nc"]


def test_a_killed_run_goes_on_with_the_checkpoint_where_it_stopped(evolved, tmp_path, monkeypatch):
    whole = xr.load_dataset(evolved / "evolution" / "attention.nc")
    folder = tmp_path / "seed1"
    for name, content in kept(evolved).items():
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        (folder / "checkpoints" / name).write_bytes(content)
    (folder / "network.safetensors").write_bytes((evolved / "network.safetensors").read_bytes())
    plain, measured = evolution.measure, []

    def dying(settings, checkpoint, probes, work):
        if len(measured) == 2:
            measured.append("killed")
            raise Killed
        measured.append(checkpoint.stem)
        plain(settings, checkpoint, probes, work)

    monkeypatch.setattr(evolution, "measure", dying)
    with pytest.raises(Killed):
        evolution.evolve(experiment(**KEEPING), folder)
    assert not (folder / "evolution" / "attention.nc").exists()
    evolution.evolve(experiment(**KEEPING), folder)
    assert measured == ["epoch0", "epoch1", "killed", "epoch2", "epoch3"]
    xr.testing.assert_equal(xr.load_dataset(folder / "evolution" / "attention.nc"), whole)
    assert not list(folder.rglob(".*"))


def test_verbs_join_seeds_and_write_table_and_figure(evolved, tmp_path):
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(SETTINGS | {key: SETTINGS.get(key, {}) | value for key, value in KEEPING.items()}))
    other = tmp_path / "seed2" / "evolution" / "attention.nc"
    other.parent.mkdir(parents=True)
    with open_dataset(evolved / "evolution" / "attention.nc") as one:
        one.load().assign_coords(seed=2).assign_attrs(seed=2).to_netcdf(other)
    joined = ["join", str(evolved), str(tmp_path / "seed2"), "--names", "evolution/attention.nc"]
    assert main([*joined, "--output", str(tmp_path / "small")]) == 0
    assert main(["evolution-results", "--config", str(config), "--folder", str(tmp_path)]) == 0
    with open(tmp_path / "tables" / "small" / "attention" / "heads_evolution.csv") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(EPOCHS) * 2 * (len(FOLLOWED) + 2)
    assert (tmp_path / "figures" / "small" / "attention" / "heads_evolution.png").stat().st_size > 5000


def test_growing_order_is_seen_beside_chance():
    planted = evolution_example(seeds=3)
    excess, error, deviation = beyond_chance(planted, "potts_order")
    assert (excess.sel(epoch=4) > excess.sel(epoch=0) + 2 * error.sel(epoch=4)).all()
    assert (excess.sel(epoch=4) > 2 * deviation.sel(epoch=4)).all()
    rows = epoch_table(planted)
    last = rows[(rows.epoch == 4) & (rows.block == 2) & (rows.quantity == "potts_order")].iloc[0]
    assert last.value - last.by_chance == pytest.approx(last.beyond_chance) and last.p <= 0.05


def test_figure_shows_epoch_zero_and_every_block():
    figure = figures.plot_order_by_epoch(evolution_example(seeds=2))
    for axis in figure.axes:
        assert axis.get_xscale() == "symlog"
        assert [text.get_text() for text in axis.get_xticklabels()] == ["0", "1", "2", "4"]
        assert axis.get_xlabel() and axis.get_ylabel()
    assert len(figure.axes[0].collections) >= 2, "a band for each block"
    one = figures.plot_order_by_epoch(evolution_example())
    assert len(one.axes) == 6


def test_a_block_of_one_head_has_no_order_at_any_epoch():
    heads = head_tables_example()
    alone = heads.copy()
    for name in ("potts_order", "potts_order_null", "potts_order_p"):
        alone[name] = heads[name].where(heads.block != 1)
    table = evolution_table({0: alone, 1: alone})
    assert np.isnan(table.potts_order.sel(block=1)).all() and np.isnan(table.potts_order_q.sel(block=1)).all()
    assert len(figures.plot_order_by_epoch(table.assign_attrs(seed=1)).axes) == 6
