"""Architectures of P2: names, shapes, what they consist of, how long they take, sweeps over heads."""

import json

import numpy as np
import pytest
import torch
from tiny import SETTINGS
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from symbreak import models
from symbreak.cli import main
from symbreak.config import Data, Latency, Network, dump, parse, read
from symbreak.errors import SymbreakError
from symbreak.measure import latency as measuring
from symbreak.models.describe import layers, summary
from symbreak.planted import head_tables_example
from symbreak.printed.networks import printed_networks
from symbreak.results import figures
from symbreak.results.tables.heads import head_network_table
from symbreak.results.tables.latency import latency_example, latency_table, rank_correlations
from symbreak.store import open_dataset

SMALL = {"dim": 24, "heads": 3, "inner_channels": 8}


def images(side=32, count=2):
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("convolutions", [1, 2, 5])
@pytest.mark.parametrize("pooling", ["every", "first"])
def test_any_blocks_kernel_and_convolutions(blocks, kernel, convolutions, pooling):
    name = f"cct_{blocks}_{kernel}x{convolutions}"
    network = models.build(name, labels=10, pooling=pooling, **SMALL).eval()
    tokens = network.tokenizer(images())
    assert tokens.shape == (2, network.tokenizer.tokens(32), 24)
    assert network(images()).shape == (2, 10)
    assert network.network.nominal_latency == convolutions + 4 * blocks + 1


def test_pooling_after_the_first_convolution_keeps_the_map_of_p2():
    """CCT-2/3x5 pools once: 16 x 16 tokens; pooling five times would leave one."""
    counts = [models.build("cct_2_3x5", pooling=p, **SMALL).tokenizer.tokens(32) for p in ("first", "every")]
    assert counts == [256, 1]


@pytest.mark.parametrize(("heads", "size"), [(93, 11), (78, 13), (1, 37)])
@pytest.mark.parametrize("embedding", ["learnable", "sine"])
def test_odd_dimensions(heads, size, embedding):
    dim = heads * size
    network = models.build(
        "cct_1_3x2", dim=dim, heads=heads, inner_channels=8, positional_embedding=embedding
    )
    stream = network.eval().trunk(images())
    assert stream.shape == (2, 64, dim) and torch.isfinite(stream).all()
    if embedding == "sine":
        positions = network.positional_embedding[0]
        assert len({tuple(row) for row in positions.tolist()}) == 64, "every position is another vector"
        last = dim - 1 - (dim - 1) % 2  # the last even channel is a sine, whether or not a cosine follows
        angle = torch.tensor(5.0) * 1e4 ** (-last / dim)
        torch.testing.assert_close(positions[5, last], angle.sin())


def test_every_network_of_the_printed_tables_can_be_built():
    known = {
        (n.architecture, n.dim, n.heads_per_block) for n in read("config/low_latency.yaml").networks.values()
    }
    known |= {
        (n.architecture, n.dim, n.heads_per_block) for n in read("config/p2_table3.yaml").networks.values()
    }
    tables = ("table2", "table3_dim256", "table3_dim1024", "table4", "table5", "table6", "table7")
    printed = {(row.architecture, row.dim, row.heads) for t in tables for row in printed_networks("P2", t)}
    assert len(printed) > 30 and printed <= known


def test_printed_epochs_of_table_7_are_those_of_the_experiment():
    experiment = read("config/low_latency.yaml")
    ours = {}
    for name, network in experiment.networks.items():
        shape = (network.architecture, network.dim, network.heads_per_block)
        ours.setdefault(shape, set()).add(experiment.training_of(name).epochs)
    for row in printed_networks("P2", "table7"):
        assert row.epochs in ours[row.architecture, row.dim, row.heads]


def test_inner_channels_one_by_one():
    network = models.build("cct_1_3x3", inner_channels=[8, 12], dim=24, heads=3)
    assert [tuple(layer.weight.shape[:2]) for layer in network.tokenizer.convolutions] == [
        (8, 3),
        (12, 8),
        (24, 12),
    ]
    again = models.load_official(models.official.export_official(network), heads=3)
    assert again.network.inner_channels == [8, 12]
    torch.testing.assert_close(again.eval()(images()), network.eval()(images()))
    with pytest.raises(SymbreakError, match="lists 1 numbers for the 2 convolutions"):
        models.build("cct_1_3x3", inner_channels=[8])


def test_convolutions_behind_the_blocks_act_on_the_map_of_the_tokens():
    network = models.build("cct_2_3x1", labels=10, convolutions_behind=2, **SMALL).eval()
    plain = models.build("cct_2_3x1", labels=10, **SMALL).eval()
    plain.load_state_dict({k: v for k, v in network.state_dict().items() if not k.startswith("behind")})
    with torch.no_grad():
        maps = plain.trunk(images()).transpose(1, 2).reshape(2, 24, 16, 16)
        for layer in network.behind.convolutions:
            maps = functional.relu(functional.conv2d(maps, layer.weight, padding=1))
        torch.testing.assert_close(network.trunk(images()), maps.flatten(2).transpose(1, 2))
        kept = network.trunk(images())
        for layer in network.behind.convolutions:  # the centre of an identity kernel: nothing but the ReLU
            layer.weight.copy_(torch.zeros_like(layer.weight))
            layer.weight[:, :, 1, 1] = torch.eye(24)
        torch.testing.assert_close(network.trunk(images()), plain.trunk(images()).relu())
    assert not torch.equal(kept, plain.trunk(images()).relu())


def test_both_orders_of_the_same_layers_have_the_same_size_and_latency():
    networks = read("config/low_latency_cpu.yaml").networks
    both = [summary(models.create(networks[name], 100)) for name in ("hybrid", "reversed")]
    assert both[0]["parameters"] == both[1]["parameters"] and both[0]["macs"] == both[1]["macs"]
    assert both[0]["nominal_latency"] == both[1]["nominal_latency"] == 8


def test_new_keys_at_their_default_leave_no_trace(tmp_path):
    """Files and resume keys of networks of before are the same."""
    old = {"architecture", "dim", "heads", "mlp_ratio", "image_size", "inner_channels", "pooling"}
    old |= {"positional_embedding", "dropout", "attention_dropout", "stochastic_depth"}
    assert set(Network().determining()) == old and set(Network().described()) == old | {"trained"}
    assert set(Network(trained=False).determining()) == old | {"trained"}
    assert set(Network(epochs=3, convolutions_behind=1).determining()) == old | {
        "epochs",
        "convolutions_behind",
    }
    assert {"split", "split_file", "image_size"}.isdisjoint(Data().determining())
    models.save(tmp_path / "a.safetensors", models.build("cct_2_3x1", convolutions_behind=1, **SMALL))
    assert models.load(tmp_path / "a.safetensors")[0].network.convolutions_behind == 1


def test_a_network_has_its_own_epochs():
    settings = SETTINGS | {"networks": {"a": {"epochs": 9}, "b": {}}}
    experiment = parse(settings)
    assert [experiment.training_of(name).epochs for name in ("a", "b")] == [9, 3]
    settings["networks"]["a"] = {"epochs": 1}
    with pytest.raises(SymbreakError, match=r"networks\.a\.epochs = 1"):
        parse(settings)


def test_parameters_of_the_published_network():
    known = summary(models.build("cct_7_3x1", labels=100))
    assert known["parameters"] == 3_783_269 and known["nominal_latency"] == 30


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cct_2_3x2", SMALL | {"heads": [1, 6]}),
        ("cct_1_3x3", SMALL | {"pooling": "first", "positional_embedding": "none"}),
        ("cct_1_3x1", SMALL | {"convolutions_behind": 2, "positional_embedding": "sine"}),
        ("cct_2_7x2", SMALL | {"image_size": 64}),
        ("vgg_6", {"inner_channels": 4}),
        ("resnet_20", {}),
    ],
)
def test_parameters_and_operations_add_up_to_what_pytorch_counts(name, options):
    network = models.build(name, labels=10, **options).eval()
    rows = layers(network)
    assert sum(row.parameters for row in rows) == models.count_parameters(network)
    side = network.network.image_size
    # Older versions of PyTorch do not count its fused attention on a processor, so it is done by products.
    plain = sdpa_kernel(SDPBackend.MATH)
    with plain, FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, side, side))
    assert 2 * sum(row.macs for row in rows) == counter.get_total_flops()
    assert rows[-1].output == (10,) and rows[-1].layer == "readout"


def test_blocks_are_described_in_the_order_of_the_data():
    rows = layers(models.build("cct_2_3x2", labels=10, **(SMALL | {"heads": [3, 6]})))
    assert [row.layer for row in rows if row.part == "block 2"] == [
        "attention_norm", "qkv", "attention, 6 heads", "projection", "feedforward_norm", "linear1", "linear2",
    ]  # fmt: skip
    assert list(dict.fromkeys(row.part for row in rows)) == ["tokenizer", "block 1", "block 2", "classifier"]


def test_describe_prints_text_csv_and_json(tmp_path, capsys):
    assert main(["describe", "cct_7_3x1"]) == 0
    text = capsys.readouterr().out
    assert "3,783,269 parameters" in text and "nominal latency 30 (1 convolution + 4 × 7 + 1)" in text
    assert main(["describe", "cct_1_3x2", "--options", "dim=24", "heads=3", "--format", "json"]) == 0
    known = json.loads(capsys.readouterr().out)
    assert known["parameters"] == sum(row["parameters"] for row in known["layers"])
    path = tmp_path / "a.safetensors"
    models.save(path, models.build("vgg_6", labels=7, inner_channels=4))
    assert main(["describe", str(path), "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "part,layer,output,parameters,macs" and lines[-1].startswith("classifier,readout,7,")
    assert main(["describe", "config/demo_full.yaml"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["network", "cct", "untrained", "vgg"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cct_x"], "architecture"),
        (["cct_1_3x1", "--options", "heads=5"], "divisible"),
        (["cct_1_3x1", "--options", "heads"], "not KEY=VALUE"),
        (["config/demo.yaml", "--network", "none"], "no network 'none'"),
        (["config/demo.yaml", "--options", "dim=3"], "change it there"),
        (["nowhere.safetensors"], "nowhere.safetensors"),
    ],
)
def test_describe_refuses_in_one_sentence(arguments, words, capsys):
    assert main(["describe", *arguments]) == 2
    message = capsys.readouterr().err.strip()
    assert words in message and "\n" not in message


def test_latency_file_holds_medians_of_every_case(tmp_path, monkeypatch):
    monkeypatch.setattr(
        torch, "compile", lambda model, **options: model
    )  # compiling takes too long for a test
    settings = SETTINGS | {"latency": {"batches": [1, 3], "repeats": 5}}
    config = tmp_path / "tiny.yaml"
    config.write_text(dump(settings))
    arguments = ["--config", str(config), "--network", "small", "--folder", str(tmp_path / "small")]
    assert main(["latency", *arguments]) == 0
    with open_dataset(tmp_path / "small" / "latency.nc", "latency") as dataset:
        dataset.load()
    assert dataset.latency.dims == ("device", "mode", "batch")
    assert dataset["mode"].values.tolist() == ["eager", "compiled"] and dataset.batch.values.tolist() == [
        1,
        3,
    ]
    assert (dataset.latency > 0).all() and (dataset.latency_spread >= 0).all()
    np.testing.assert_allclose(
        dataset.throughput.values, (dataset.batch / dataset.latency).transpose(*dataset.latency.dims).values
    )
    assert dataset.attrs["nominal_latency"] == 11 and dataset.attrs["threads"] == 1
    assert dataset.attrs["architecture"] == "cct_2_3x2" and dataset.latency.attrs["units"] == "s"
    known = summary(models.create(parse(settings).networks["small"], 100))
    assert (dataset.attrs["n_parameters"], dataset.attrs["macs"]) == (known["parameters"], known["macs"])
    table = tmp_path / "latency.html"
    files = ["--latency", str(tmp_path / "small" / "latency.nc")]
    assert main(["table", "latency", *files, "--html", str(table), "--output", str(tmp_path / "l.csv")]) == 0
    assert "Nominal latency" in table.read_text() and "images/s" in table.read_text()
    assert main(["figure", "latency", *files, "--output", str(tmp_path / "latency.png")]) == 0


def test_what_cannot_be_compiled_leaves_its_place_empty(monkeypatch, capsys):
    def refuse(model, **options):
        raise RuntimeError("no compiler here\nand a long trace")

    monkeypatch.setattr(torch, "compile", refuse)
    network = Network(architecture="cct_1_3x2", **SMALL)
    engines = measuring.latency_engines("cpu", "auto")
    dataset = measuring.time_network(models.create(network, 10), Latency(batches=[2], repeats=3), engines)
    assert np.isfinite(dataset.latency.sel(mode="eager")).all()
    assert np.isnan(dataset.latency.sel(mode="compiled")).all()
    assert "no compiler here" in dataset.attrs["not_compiled"]
    assert "Its place stays empty" in capsys.readouterr().err
    table = latency_table({"a": dataset, "b": dataset})
    assert len(rank_correlations(table)) == 1
    assert len(figures.plot_latency({"a": dataset}).axes) == 1


def test_median_and_spread_are_those_of_the_passes(monkeypatch):
    clock = iter(np.cumsum([0, 9, 0, 9, 0, 9, *(x for t in (4, 1, 3, 2, 5) for x in (0, t))]))
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: float(next(clock)))
    seconds = measuring.time_passes(lambda pixels: pixels, torch.zeros(1), repeats=5)
    assert seconds.tolist() == [4, 1, 3, 2, 5], "the warm-up is not among them"


def test_latency_without_batches_or_gpu_is_refused(tmp_path):
    with pytest.raises(SymbreakError, match="no `batches`"):
        measuring.measure_latency(parse(SETTINGS), "small", tmp_path)
    if not torch.cuda.is_available():
        with pytest.raises(SymbreakError, match="shows no GPU"):
            measuring.latency_engines("cuda", "auto")


def test_rank_correlation_of_networks_in_reversed_order_is_minus_one():
    networks = {str(n): latency_example(nominal=n, seconds=1e-3 / n) for n in (6, 7, 11, 14)}
    assert rank_correlations(latency_table(networks)).with_nominal.round(9).tolist() == [-1.0, -1.0]


def test_networks_that_differ_in_heads_only_are_one_family():
    experiment = parse(
        SETTINGS
        | {
            "networks": {
                "a": {"dim": 16, "heads": 1},
                "b": {"dim": 16, "heads": 4},
                "c": {"dim": 32},
                "d": {"dim": 16, "trained": False},
            }
        }
    )
    words = experiment.families
    assert words["a"] == words["b"] == "cct_7_3x1, dim 16" and len(set(words.values())) == 3


def test_figure_of_the_sweep_draws_a_point_for_each_network():
    example = head_tables_example()
    rows = {(f"h{n}", "attention"): example.assign(n_heads=0 * example.n_heads + n) for n in (2, 4)}
    table = head_network_table(rows)
    figure = figures.plot_head_networks(table, {"h2": "one", "h4": "one"})
    lines = [line for line in figure.axes[2].get_lines() if len(line.get_xdata()) == 2]
    assert lines and lines[0].get_xdata().tolist() == [2, 4]
    np.testing.assert_allclose(np.asarray(lines[0].get_ydata(), float), table.cluster_size)
    beside = table.assign(accuracy_printed=[0.5, 0.6])
    assert len(figures.plot_head_networks(beside, {"h2": "one", "h4": "two"}).axes) == 6
