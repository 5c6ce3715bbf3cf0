"""Seeds trained at once: the same numbers as one by one, resumable, refused where it makes no sense."""

import copy
import csv
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny import SETTINGS, experiment

from symbreak import models
from symbreak.config import dump, parse
from symbreak.errors import SymbreakError
from symbreak.learning import together, train_network
from symbreak.learning.together import SeedsLoop, Stacked, train_together
from symbreak.models.weights import read_weights

#: Without what is drawn for all seeds together.
STILL = SETTINGS["networks"]["small"] | {"attention_dropout": 0.0, "stochastic_depth": 0.0}
#: The first tokens see no gradient to speak of at this size: AdamW would turn rounding into whole steps.
SGD = {"optimizer": "sgd", "learning_rate": 0.05, "epochs": 2, "together": True}


VGG = {"architecture": "vgg_6", "inner_channels": 4}


def settings(network=STILL, **training):
    taps = ["filters"] if network is VGG else ["block"]
    settings = SETTINGS | {"networks": {"small": network}, "probes": {"taps": taps}}
    settings |= {"data": SETTINGS["data"] | {"train_per_label": 2}}
    return parse(settings | {"training": SETTINGS["training"] | SGD | training})


def apart(wanted, folder):
    for seed in wanted.seeds:
        own = folder / f"seed{seed}"
        train_network(wanted, "small", seed, own / "network.safetensors", own / "history.csv")


def rows(path):
    with open(path) as handle:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(handle)]


@pytest.mark.parametrize(
    ("network", "training"),
    [
        (STILL, {}),
        (STILL, {"gradient_clip": 0.3, "randaugment": 0, "mixup": 0, "cutmix": 0}),
        (VGG, {}),
    ],
    ids=["cct", "clipped", "vgg"],
)
def test_each_seed_becomes_what_it_becomes_alone(tmp_path, network, training):
    wanted = settings(network, **training)
    apart(wanted, tmp_path / "apart")
    train_together(wanted, "small", tmp_path / "together")
    for seed in wanted.seeds:
        ours, facts = read_weights(tmp_path / "together" / f"seed{seed}" / "network.safetensors")
        theirs, known = read_weights(tmp_path / "apart" / f"seed{seed}" / "network.safetensors")
        assert ours.keys() == theirs.keys()
        for name in ours:
            torch.testing.assert_close(ours[name], theirs[name], atol=2e-4, rtol=2e-3)
        assert facts["seed"] == seed and facts["validation_accuracy"] == known["validation_accuracy"]
        assert set(facts) == set(known)
        found, expected = (
            rows(tmp_path / way / f"seed{seed}" / "history.csv") for way in ("together", "apart")
        )
        assert len(found) == wanted.training.epochs and found[0].keys() == expected[0].keys()
        for row, other in zip(found, expected):
            for name, value in row.items():
                assert math.isclose(float(value), float(other[name]), rel_tol=2e-3, abs_tol=2e-3), name
    assert not list((tmp_path / "together").glob(".*"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vgg_6", {"inner_channels": 4}),
        ("cct_2_3x2", {"dim": 16, "heads": 2, "attention_dropout": 0.0, "stochastic_depth": 0.0}),
    ],
)
def test_a_stack_follows_its_networks_for_as_long_as_numbers_are_exact(name, options):
    """In single precision a VGG drifts away within sixteen steps; in double nothing does: it is rounding."""
    torch.manual_seed(0)
    single = [models.build(name, labels=10, **options).double().train() for _ in range(2)]
    stack = Stacked(copy.deepcopy(single)).train()

    def optimizer(model):
        return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)

    def learn(model, steps, images, labels):
        steps.zero_grad()
        torch.nn.functional.cross_entropy(model(images).flatten(0, -2), labels.flatten()).backward()
        steps.step()

    together_steps, own = optimizer(stack), [optimizer(model) for model in single]
    for group in together_steps.param_groups:
        group["lr"] *= 2  # the mean over both batches halves each gradient
    for _ in range(20):
        images = torch.randn(2, 8, 3, 32, 32, dtype=torch.float64)
        labels = torch.randint(10, (2, 8))
        learn(stack, together_steps, images, labels)
        for model, steps, pixels, truth in zip(single, own, images, labels):
            learn(model, steps, pixels, truth)
    for place, model in enumerate(single):
        ours = stack.network(place).state_dict()
        for key, value in model.state_dict().items():
            torch.testing.assert_close(ours[key], value, atol=1e-12, rtol=1e-10)


def test_a_killed_training_goes_on_bit_for_bit(tmp_path, monkeypatch):
    wanted = settings(SETTINGS["networks"]["small"], checkpoints="log")  # with dropout
    train_together(wanted, "small", tmp_path / "through")
    plain = SeedsLoop._step

    def dying(self, step):
        if step == 6:
            raise KeyboardInterrupt
        plain(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(SeedsLoop, "_step", dying)
        with pytest.raises(KeyboardInterrupt):
            train_together(wanted, "small", tmp_path / "killed")
    assert (tmp_path / "killed" / ".together.resume.safetensors").exists()
    train_together(wanted, "small", tmp_path / "killed")
    files = sorted(
        path.relative_to(tmp_path / "through") for path in tmp_path.glob("through/**/*.safetensors")
    )
    assert len(files) == 2 * (1 + len([0, 1, 2]))
    for name in files:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "through" / name).read_bytes()


def test_dropout_and_stochastic_depth_differ_between_seeds_and_images():
    torch.manual_seed(0)
    network = models.build(
        "cct_2_3x2", dim=16, heads=2, labels=5, attention_dropout=0.5, stochastic_depth=0.5
    )
    stack = Stacked([network, network]).train()
    image = torch.randn(3, 32, 32).expand(2, 3, -1, -1, -1)  # two seeds, three times the same
    fields = stack(image).flatten(0, 1)
    assert (torch.cdist(fields, fields) + torch.eye(6) > 1e-7).all()
    still = stack.eval()(image)
    assert torch.allclose(still, still[0, 0].expand_as(still), atol=1e-5)


def test_untrained_networks_keep_their_initial_weights(tmp_path):
    wanted = settings(STILL | {"trained": False})
    train_together(wanted, "small", tmp_path)
    torch.manual_seed(together.mixed_seed(2, "initial weights", 0))
    expected = models.create(wanted.networks["small"], 100).state_dict()
    found = read_weights(tmp_path / "seed2" / "network.safetensors")[0]
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_seeds_and_batches_are_not_shared_at_once():
    with pytest.raises(SymbreakError, match="not both"):
        parse(SETTINGS | {"training": SETTINGS["training"] | {"together": True}, "compute": {"processes": 2}})


@pytest.mark.workflow
def test_the_workflow_trains_seeds_together_only_if_asked(tmp_path):
    root = Path(__file__).parents[1]
    for name in ("Snakefile", "workflow", "config", "symbreak", "environment.yml", "profiles"):
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "tiny.yaml").write_text(dump(SETTINGS))
    snakemake = Path(sys.executable).parent / "snakemake"
    command = [snakemake, "--cores", "1", "--dry-run", "--configfile", "tiny.yaml"]
    for more, found in (([], False), (["--config", "training={together: true}"], True)):
        answer = subprocess.run([*command, *more], cwd=tmp_path, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr[-2000:]
        jobs = answer.stdout + answer.stderr
        assert ("Train small, all seeds at once" in jobs) is found
        assert ("Train small, seed 2" in jobs) is not found


def test_the_default_determines_what_it_did_before():
    assert "together" not in experiment().training.determining()
    assert settings().training.determining()["together"] is True
    assert not {"compile", "processes"} & set(experiment().compute.determining())
