"""Masks of pruned networks hold while the rest learns, files keep them, compact forms compute the same."""

import copy

import pytest
import torch

from symbreak import models
from symbreak.errors import SymbreakError
from symbreak.learning.engine.device import Engine
from symbreak.models.weights import read_weights, write_weights
from symbreak.pruning import export
from symbreak.pruning.retraining import TwoRates


@pytest.fixture
def network():
    return models.build("cct_2_3x2", labels=100, dim=16, heads=[2, 4], inner_channels=8).eval()


def random_masks(network, share=0.3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    layers = ("blocks.1.qkv", "blocks.1.linear1", "readout")
    shapes = {name: network.get_submodule(name).weight.shape for name in layers}
    return {name: torch.rand(shape, generator=generator) < share for name, shape in shapes.items()}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "two_rates"])
def test_masks_survive_every_optimiser_in_both_precisions(network, precision, optimizer):
    masks = random_masks(network)
    models.apply_masks(network, masks)
    before = {name: network.get_submodule(name).weight.detach().clone() for name in masks}
    groups = [{"params": list(network.parameters()), "factor": 0.5}]
    make = {
        "adamw": lambda: torch.optim.AdamW(groups, lr=0.05, weight_decay=0.1, fused=True),
        "sgd": lambda: torch.optim.SGD(groups, lr=0.5, momentum=0.9, nesterov=True, weight_decay=0.1),
        "two_rates": lambda: TwoRates(groups, lr=0.05),
    }
    steps, engine = make[optimizer](), Engine(torch.device("cpu"), precision)
    pixels = torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    for _ in range(3):
        with engine.autocast():
            cost = network.train()(pixels).float().square().mean()
        steps.zero_grad()
        cost.backward()
        steps.step()
    for name, kept in masks.items():
        weight = network.get_submodule(name).weight
        assert torch.equal(weight[~kept], torch.zeros_like(weight[~kept]))
        assert (weight[kept] != before[name][kept]).any()
        stored = network.get_submodule(name).parametrizations.weight.original
        assert torch.equal(stored[~kept], torch.zeros_like(stored[~kept])), "nothing grows behind the mask"
    assert models.count_kept(network) == models.count_parameters(network) - sum(
        int((~kept).sum()) for kept in masks.values()
    )


def test_a_pruned_network_is_saved_and_loaded_as_it_is(network, tmp_path):
    masks = random_masks(network, 0.1)
    models.apply_masks(network, masks)
    network.readout.parametrizations.weight.original.data[masks["readout"]][0] = 0.0  # kept, though zero
    models.save(tmp_path / "n.safetensors", network, name="small")
    loaded, header = models.load(tmp_path / "n.safetensors")
    assert header["name"] == "small" and isinstance(loaded, models.CCT)
    for name, kept in models.masks_of(loaded).items():
        assert torch.equal(kept, masks[name])
        assert torch.equal(loaded.get_submodule(name).weight, network.get_submodule(name).weight)
    pixels = torch.randn(2, 3, 32, 32)
    assert torch.equal(loaded(pixels), network.eval()(pixels))
    plain = models.without_masks(loaded)
    assert torch.equal(plain(pixels), loaded(pixels)) and not models.masks_of(plain)
    assert torch.equal(copy.deepcopy(loaded)(pixels), loaded(pixels))
    models.save(tmp_path / "again.safetensors", loaded, name="small")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "n.safetensors").read_bytes()
    models.save(tmp_path / "whole.safetensors", plain, name="small")
    assert (tmp_path / "n.safetensors").stat().st_size < (tmp_path / "whole.safetensors").stat().st_size


def test_damaged_masks_and_foreign_layers_are_refused(network, tmp_path):
    models.apply_masks(network, random_masks(network))
    path = tmp_path / "n.safetensors"
    models.save(path, network, name="small")
    tensors, header = read_weights(path)
    for name, change in (
        ("readout.weight.kept_bits", lambda t: t[:-1]),
        ("readout.weight.kept_values", lambda t: t[1:]),
    ):
        write_weights(path, tensors | {name: change(tensors[name])}, header)
        with pytest.raises(SymbreakError, match="do not fit"):
            models.load(path)
    with pytest.raises(SymbreakError, match=r"No fully connected layer blocks\.9\.qkv"):
        models.apply_masks(network, {"blocks.9.qkv": torch.ones(2, 2)})


def test_all_compact_forms_compute_the_same(network):
    masks = random_masks(network, 0.05)
    masks["blocks.1.linear1"][:4] = False  # hidden nodes that nothing enters
    masks["blocks.1.linear2"] = torch.rand(16, 32) < 0.2
    masks["blocks.1.linear2"][:, 4:7] = False  # and that nothing leaves
    models.apply_masks(network, masks)
    pixels = torch.randn(3, 3, 32, 32)
    expected = network(pixels)
    for name, form in export.compact_forms(network, seconds=0.0).items():
        torch.testing.assert_close(form(pixels), expected, atol=1e-5, rtol=1e-4, msg=name)
        if name == "dropped":
            assert form.blocks[1].linear2.inputs <= 25
    assert torch.equal(network(pixels), expected), "the network itself is untouched"
