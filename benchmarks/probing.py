"""One frozen pass and its label means against what they replace.

Silencing node after node, as the papers describe it, runs the network once for
each node; probing tap after tap runs it once for each tap. Both are timed on a
small batch and compared per image in the same run.
"""

import time

import numpy as np
import torch

from benchmarks.timing import interleaved
from symbreak import models
from symbreak.config import Probes
from symbreak.matrices import label_means, nodal
from symbreak.taps import capture

IMAGES, LABELS = 100, 100
NETWORK = {"name": "cct_7_3x2", "dim": 256, "heads": 4}


def best_time(work, repetitions=3):
    """Smallest wall time of some calls, after one that warms up."""
    work()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


@torch.no_grad()
def silencing():
    """All nodal matrices of one tap: from one pass, and by silencing all nodes but one in turn."""
    network = models.build(**NETWORK, labels=LABELS).eval()
    place = (7, "block")
    probes = models.ProbeSet(network.network, LABELS, Probes(taps=["block"])).eval()
    probe, nodes = probes[place], network.network.dim
    images, labels = torch.randn(IMAGES, 3, 32, 32), torch.arange(IMAGES) % LABELS

    def by_moments():
        tokens, _ = capture(network, images, [place])
        means, _ = label_means(probe.features(tokens[place]).numpy(), labels.numpy(), LABELS)
        return nodal(means, probe.readout.weight.numpy())

    def literal(count=4):
        matrices = []
        for node in range(count):
            weight = torch.zeros_like(probe.readout.weight)
            weight[:, node] = probe.readout.weight[:, node]
            tokens, _ = capture(network, images, [place])
            fields = probe.features(tokens[place]) @ weight.T
            matrices.append(label_means(fields.numpy(), labels.numpy(), LABELS)[0])
        return np.stack(matrices)

    np.testing.assert_allclose(by_moments()[:4], literal(), rtol=1e-4, atol=1e-6)
    return best_time(literal) / 4 * nodes / best_time(by_moments)


def separate_passes():
    """A step of all 14 probes of a seven-block network together, against one pass for each."""
    network = models.build(**NETWORK, labels=LABELS).eval()
    probes = models.ProbeSet(network.network, LABELS, Probes())
    images, labels = torch.randn(64, 3, 32, 32), torch.randint(LABELS, (64,))

    def step(places):
        tokens, _ = capture(network, images, places)
        losses = [torch.nn.functional.cross_entropy(probes[p](tokens[p]), labels) for p in places]
        torch.stack(losses).sum().backward()
        probes.zero_grad()

    together = best_time(lambda: step(probes.places))
    apart = best_time(lambda: [step([place]) for place in probes.places])
    return apart / together


def kept_features():
    """A step of all 14 probes with its pass of the trunk, over one with kept features."""
    network = models.build(**NETWORK, labels=LABELS).eval()
    probes = models.ProbeSet(network.network, LABELS, Probes())
    images, labels = torch.randn(64, 3, 32, 32), torch.randint(LABELS, (64,))
    kept, _ = capture(network, images, probes.places)

    def step(tokens):
        losses = [torch.nn.functional.cross_entropy(fields, labels) for fields in probes(tokens).values()]
        torch.stack(losses).sum().backward()
        probes.zero_grad()

    seconds = interleaved(
        {
            "trunk": lambda: step(capture(network, images, probes.places)[0]),
            "kept": lambda: step({place: tokens[torch.arange(64)] for place, tokens in kept.items()}),
        }
    )
    return seconds["trunk"] / seconds["kept"]


def measure():
    """Ratios with the values to reach."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return {
        "silencing of 256 nodes / one pass with label means": (silencing(), 200),
        "14 passes, one for each probe / one pass for all": (separate_passes(), 10),
    }


if __name__ == "__main__":
    for name, (value, goal) in measure().items():
        print(f"{name:55s} {value:8.1f}  goal {goal}")
