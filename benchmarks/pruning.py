"""ANDC beside the magnitude pruning of Torch-Pruning, at equal numbers of parameters.

    python -m benchmarks.pruning --config config/demo_full.yaml --folder results/demo_full/cct/seed1

Torch-Pruning (https://github.com/VainF/Torch-Pruning, `pip install torch-pruning`) takes whole nodes away:
here those between Linear1 and Linear2 of the last block with the smallest group magnitude, until as many
weights are left as the other methods keep. All networks are retrained alike. Nothing else needs it.
"""

import argparse
import copy
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from symbreak.config import Study, read
from symbreak.learning.loop import mixed_seed
from symbreak.learning.resume import ResumeFile
from symbreak.models import load_network
from symbreak.pruning.controls import choose_pairs
from symbreak.pruning.export import compact_forms, median_time
from symbreak.pruning.places import layers_of, sets_at, thresholds_of
from symbreak.pruning.retraining import prepare, pruned_copy, retrain
from symbreak.pruning.subject import subject_of

KEPT = (0.1, 0.2, 0.4)
METHODS = ("andc", "artificial", "random", "magnitude")


def with_study(experiment):
    """The experiment with one study, of Linear1 and Linear2 of the last block."""
    study = Study(layers=["linear1", "linear2"], kept=list(KEPT), methods=list(METHODS))
    return experiment.model_copy(
        update={"pruning": experiment.pruning.model_copy(update={"studies": {"feedforward": study}})}
    )


def without_nodes(network, block, weights):
    """Torch-Pruning: the hidden nodes of least group magnitude go until so many weights are left."""
    import torch_pruning

    smaller = copy.deepcopy(network).cpu()
    layer = smaller.blocks[block - 1].linear1
    side = network.network.image_size
    graph = torch_pruning.DependencyGraph().build_dependency(smaller, torch.randn(1, 3, side, side))
    every = list(range(layer.out_features))
    group = graph.get_pruning_group(layer, torch_pruning.prune_linear_out_channels, idxs=every)
    score = torch_pruning.importance.GroupMagnitudeImportance(p=1)(group)
    left = max(1, round(weights / (2 * layer.in_features)))
    away = torch.argsort(score)[: len(every) - left].tolist()
    graph.get_pruning_group(layer, torch_pruning.prune_linear_out_channels, idxs=away).prune()
    return smaller.to(next(network.parameters()).device)


def compare(experiment, folder):
    """One row for each method and number of weights: accuracy before and after retraining, latency."""
    network, header = load_network(folder / "network.safetensors")
    subject = subject_of(experiment, folder, network, header, ["feedforward"])
    network, study = subject.network, experiment.pruning.studies["feedforward"]
    layers = layers_of(study, network.network.blocks)
    place = prepare(subject, "feedforward", layers)
    seed = mixed_seed(header["seed"], "benchmark", 0)
    after = recover(place, pruned_copy(network, {}), seed, "none")
    rows = [("none", 1.0, place.accuracy(network), after, latency(network))]
    for setting in study.settings:
        cuts = thresholds_of(setting, study, layers, subject.nodes, experiment.statistics)
        sets = sets_at(subject.nodes, cuts, experiment.statistics)
        weights = {la: network.get_submodule(la.module).weight.detach().cpu().numpy() for la in layers}
        for method in (*METHODS, "torch-pruning"):
            generator = np.random.default_rng(mixed_seed(header["seed"], f"{setting}/{method}", 0))
            rule = "andc" if method == "torch-pruning" else method
            kept, _ = choose_pairs(rule, layers, sets, weights, generator)
            count = sum(int(mask.sum()) for mask in kept.values())
            share = count / sum(mask.size for mask in kept.values())
            if method == "torch-pruning":
                pruned = without_nodes(network, network.network.blocks, count)
            else:
                pruned = pruned_copy(network, kept)
            before = place.accuracy(pruned)
            after = recover(place, pruned, seed, f"{setting}, {method}")
            compact = pruned if method == "torch-pruning" else compact_forms(pruned.cpu())["fastest"]
            rows.append((method, share, before, after, latency(compact)))
    return rows


def recover(place, pruned, seed, words):
    """Accuracy after the short retraining."""
    with tempfile.TemporaryDirectory() as scratch:
        resume = ResumeFile(Path(scratch) / "unit.json", words)
        return retrain(place, pruned, resume, seed, words)[-1]["validation_accuracy"]


@torch.no_grad()
def latency(network):
    """Median seconds of a batch of 100 images on the CPU."""
    network = copy.deepcopy(network).cpu().eval()
    pixels = torch.randn(100, 3, network.network.image_size, network.network.image_size)
    return median_time(lambda: network(pixels), 1.0)


def main():
    """Print the table, or why there is none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("config/demo_full.yaml"))
    parser.add_argument("--folder", type=Path, default=Path("results/demo_full/cct/seed1"))
    options = parser.parse_args()
    try:
        import torch_pruning
    except ImportError:
        print("skipped: torch-pruning is not installed (pip install torch-pruning)")
        return 0
    if not (options.folder / "network.safetensors").exists():
        print(f"skipped: there is no trained network in {options.folder}; run the workflow first")
        return 0
    print(f"Linear1 and Linear2 of the last block; torch-pruning {torch_pruning.__version__}")
    print("| weights | method | before | after retraining | 100 images (ms) |\n|---|---|---|---|---|")
    for method, share, before, after, seconds in compare(with_study(read(options.config)), options.folder):
        print(f"| {share:.1%} | {method} | {before:.3f} | {after:.3f} | {1e3 * seconds:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
