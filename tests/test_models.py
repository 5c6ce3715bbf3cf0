"""Networks: the published mathematics, the taps, the files."""

import pytest
import torch
from plain_cct import PlainCCT

from symbreak import models
from symbreak.config import Probes, parse
from symbreak.errors import SymbreakError
from symbreak.models.cct import Block
from symbreak.models.cpu.block import FusedBlock
from symbreak.models.official import export_official
from symbreak.taps import capture


def small(**options):
    torch.manual_seed(0)
    return models.build("cct_2_3x2", labels=10, dim=24, **({"heads": 3} | options)).eval()


def images(count=4):
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("blocks", "kernel", "convolutions", "dim", "heads"),
    [(7, 3, 1, 256, 4), (2, 3, 2, 128, 2), (2, 7, 2, 64, 4)],
)
def test_published_weights_give_published_fields(blocks, kernel, convolutions, dim, heads):
    torch.manual_seed(3)
    published = PlainCCT(blocks, kernel, convolutions, dim, heads).eval()
    ours = models.load_official(published.state_dict(), heads=heads).eval()
    with torch.no_grad():
        torch.testing.assert_close(ours(images()), published(images()), atol=1e-5, rtol=0)


def test_published_names_round_trip():
    network = small()
    names = set(PlainCCT(2, 3, 2, 24, 3, labels=10).state_dict())
    assert set(export_official(network)) == names


def test_foreign_state_dict_is_refused_in_one_sentence():
    with pytest.raises(SymbreakError, match="not a published CCT"):
        models.load_official({"conv1.weight": torch.zeros(3)})
    truncated = export_official(small())
    del truncated["classifier.blocks.1.linear2.bias"]
    with pytest.raises(SymbreakError, match="linear2"):
        models.load_official(truncated, heads=3)


def test_parameter_counts():
    assert models.count_parameters(models.build("cct_7_3x1", labels=100)) == 3_783_269
    assert models.count_parameters(models.build("cct_7_3x1", labels=10)) == 3_760_139


def test_taps_are_consistent_with_each_other():
    network = small(heads=[3, 6])
    taps = network.network.taps
    places = [(block, tap) for block in (1, 2) for tap in taps]
    tokens, _ = capture(network, images(), places)
    widths = models.tap_widths(network.network)
    for (block, tap), tensor in tokens.items():
        assert tensor.shape == (4, 64, widths[tap]), (block, tap)
    for number, block in enumerate(network.blocks, start=1):
        part = {tap: tokens[number, tap] for tap in taps}
        torch.testing.assert_close(torch.cat([part["query"], part["key"], part["value"]], -1), part["qkv"])
        torch.testing.assert_close(block.projection(part["attention"]), part["projection"])
        torch.testing.assert_close(block.feedforward_norm(part["projection_skip"]), part["feedforward_norm"])
        torch.testing.assert_close(block.linear2(part["linear1"]), part["linear2"])
        torch.testing.assert_close(part["feedforward_norm"] + part["linear2"], part["block"])
    torch.testing.assert_close(tokens[2, "projection_skip"] - tokens[2, "projection"], tokens[1, "block"])


def test_a_head_owns_a_contiguous_slice_of_the_attention_tap():
    network = small()
    block = network.blocks[0]
    before, _ = capture(network, images(), [(1, "attention")])
    with torch.no_grad():
        block.qkv.weight[2 * 24 + 8 : 2 * 24 + 16] = 0  # values of the second of three heads
    after, _ = capture(network, images(), [(1, "attention")])
    changed = (before[1, "attention"] != after[1, "attention"]).any(dim=(0)).any(dim=0)
    assert changed.tolist() == [False] * 8 + [True] * 8 + [False] * 8


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("cct_7_3x1", {"heads": 3}, "divisible"),
        ("cct_7_3x1", {"heads": [4, 4]}, "2 numbers for 7 blocks"),
        ("resnet", {}, "architecture"),
        ("cct_0_3x1", {}, "at least one block"),
        ("cct_7_3x1", {"labels": 0}, "at least one label"),
        ("cct_7_3x1", {"width": 3}, "width"),
    ],
)
def test_impossible_networks_are_refused(name, options, word):
    with pytest.raises(SymbreakError, match=word):
        models.build(name, **options)


@pytest.mark.parametrize("embedding", ["learnable", "sine", "none"])
@pytest.mark.parametrize("pooling", ["every", "first"])
def test_variants_run(embedding, pooling):
    network = small(positional_embedding=embedding, pooling=pooling)
    assert network(images()).shape == (4, 10)


def test_files_round_trip_and_damage_is_named(tmp_path):
    network = small()
    models.save(tmp_path / "a.safetensors", network, name="small", seed=1)
    read, header = models.load(tmp_path / "a.safetensors")
    assert header["name"] == "small"
    torch.testing.assert_close(read(images()), network(images()), atol=0, rtol=0)
    probes = models.ProbeSet(network.network, 10, Probes(taps=["attention", "block"]))
    models.save(tmp_path / "p.safetensors", probes)
    again, _ = models.load(tmp_path / "p.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), probes.state_dict().values()))
    whole = (tmp_path / "a.safetensors").read_bytes()
    for name, content in {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "foreign": b"PK\x03\x04" + whole,
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SymbreakError, match=name):
            models.load(tmp_path / name)
    with pytest.raises(SymbreakError, match="train the network first"):
        models.load(tmp_path / "nowhere.safetensors")


def test_probe_has_a_norm_on_residual_taps_only_and_no_bias_by_default():
    probes = models.ProbeSet(small().network, 10, Probes(taps=["attention", "block"]))
    assert isinstance(probes[1, "block"].norm, torch.nn.LayerNorm)
    assert isinstance(probes[1, "attention"].norm, torch.nn.Identity)
    assert probes[1, "block"].readout.bias is None


def a_training_network(stochastic_depth=0.5):
    torch.manual_seed(5)
    options = {"attention_dropout": 0.0, "stochastic_depth": stochastic_depth}
    return models.build("cct_2_3x2", labels=10, dim=24, heads=3, **options).double().train()


class ComputingAll(FusedBlock):
    """A block that computes every branch and masks it, with the products of the other."""

    forward = Block.forward


def computing_all(network, block=ComputingAll):
    """The same network of other blocks."""
    other = models.CCT(network.network, network.labels, block)
    other.load_state_dict(network.state_dict())
    return other.to(next(network.parameters()).dtype).train()


def fields_and_gradients(network, seed):
    torch.manual_seed(seed)
    fields = network(images(8).double())
    return fields, torch.autograd.grad(fields.square().sum(), list(network.parameters()))


@pytest.mark.parametrize("seed", range(4))
def test_images_that_are_not_computed_change_nothing(seed):
    """In plain blocks every branch is computed and masked; in fused ones only those that stay."""
    network = a_training_network()
    assert {type(block) for block in network.blocks} == {FusedBlock}
    whole, known = fields_and_gradients(computing_all(network, Block), seed)
    skipped, found = fields_and_gradients(network, seed)
    torch.testing.assert_close(skipped, whole)
    for own, other in zip(found, known, strict=True):
        torch.testing.assert_close(own, other)


def test_passes_for_processors_are_left_out_where_they_are_switched_off():
    settings = {"name": "plain", "networks": {"small": {"architecture": "cct_1_3x2", "dim": 24, "heads": 3}}}
    for wish, block in (({}, FusedBlock), ({"cpu_passes": "off"}, Block)):
        experiment = parse(settings | {"compute": wish})
        network = models.create(experiment.networks["small"], 10, experiment.compute.cpu_passes)
        assert type(network.blocks[0]) is block


@pytest.mark.parametrize("seed", range(2))
def test_in_bfloat16_leaving_images_out_changes_no_more_than_rounding(seed):
    network, found = a_training_network().float(), []
    for own in (computing_all(network), network):
        torch.manual_seed(seed)
        with torch.autocast("cpu", torch.bfloat16):
            fields = own(images(8)).float()
        gradients = torch.autograd.grad(fields.square().sum(), list(own.parameters()))
        found.append([fields, *gradients])
    for own, known in zip(*found, strict=True):
        assert (own - known).norm() <= 0.05 * known.norm() + 1e-6


def test_a_branch_is_computed_only_for_images_that_keep_it():
    network, seen = a_training_network(), []
    network.blocks[1].linear1.register_forward_pre_hook(lambda layer, given: seen.append(len(given[0])))
    network.blocks[0].linear1.register_forward_pre_hook(lambda layer, given: seen.append(len(given[0])))
    for seed in range(20):
        torch.manual_seed(seed)
        network(images(8).double())
    first, last = seen[::2], seen[1::2]
    assert set(first) == {8}  # stochastic depth grows from zero in the first block
    assert min(last) < 8 and abs(sum(last) / 160 - 0.5) < 5 * 0.5 / 160**0.5


def test_where_all_images_are_dropped_the_parameters_get_zeros_not_nothing():
    network = a_training_network(stochastic_depth=1.0)
    fields = network(images(3).double())
    fields.sum().backward()
    gradient = network.blocks[1].linear1.weight.grad
    assert fields.isfinite().all() and gradient is not None and not gradient.any()
