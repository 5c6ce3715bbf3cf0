"""Opening all blocks of a ViT at the attention: ridge from one pass compared with what else one would do.

    python -m benchmarks.opening [--images 2000] [--network vit_small_patch16_224]

Each way runs in a process of its own, on one thread; seconds are those of its processor, memory the largest
that the process held above what it held before the images. The pass of one batch is measured and the solution
of the readouts, which costs the same whatever the number of images.
"""

import argparse
import importlib
import json
import resource
import subprocess
import sys
import time

import torch

from symbreak import taps
from symbreak.door.inputs import Pooling
from symbreak.door.passes import Fitting, run_through
from symbreak.models.probe import Probe

BATCH, LABELS, EPOCHS = 16, 100, 30
WAYS = ("forward", "ridge", "adamw", "hooks", "torchlens")


def network_of(name):
    """Network with random weights; the costs are those of a trained one."""
    import timm

    torch.manual_seed(0)
    return timm.create_model(name, num_classes=LABELS).eval()


def batches(network, images):
    """Random images and labels in batches, one at a time in memory."""
    side = network.patch_embed.img_size
    for start in range(0, images, BATCH):
        count = min(BATCH, images - start)
        generator = torch.Generator().manual_seed(start)
        labels = torch.arange(start, start + count) % min(LABELS, max(2, images // 2))
        yield torch.randn(count, 3, *side, generator=generator), labels


def forward(network, images):
    """The bare passes."""
    with torch.no_grad():
        for pixels, _ in batches(network, images):
            network(pixels)
    return {}


def ridge(network, images):
    """Ours: float64 sums of every block from one pass, then the readouts."""
    anatomy, fitting = taps.find(network), Fitting("ridge")
    places, pooling = anatomy.places(["attention"]), Pooling("mean", 1)
    run_through(network, anatomy, places, pooling, batches(network, images), "training", fitting.take)
    start = time.process_time()
    fitting.readouts([str(label) for label in range(fitting.labels())])
    return {"solution": time.process_time() - start}


def adamw(network, images):
    """One epoch of probes with learned pooling, trained by AdamW while the trunk runs."""
    anatomy = taps.find(network)
    places = anatomy.places(["attention"])
    probes = torch.nn.ModuleList(Probe(network.embed_dim, LABELS) for _ in places)
    optimizer = torch.optim.AdamW(probes.parameters(), lr=1e-3)
    for pixels, labels in batches(network, images):
        tokens, _ = taps.capture(network, pixels, places, anatomy)
        fields = [probe(tokens[place]) for probe, place in zip(probes, places)]
        loss = sum(torch.nn.functional.cross_entropy(field, labels) for field in fields)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"epochs": EPOCHS}


def hooks(network, images):
    """Plain hooks that keep the activations of all blocks, as in many notebooks."""
    kept = {number: [] for number in range(len(network.blocks))}
    for number, block in enumerate(network.blocks):
        block.attn.proj.register_forward_pre_hook(lambda _, given, own=kept[number]: own.append(given[0]))
    with torch.no_grad():
        for pixels, _ in batches(network, images):
            network(pixels)
    for parts in kept.values():
        torch.cat(parts).mean(1)
    return {}


def torchlens(network, images):
    """TorchLens, which traces every operation of a pass; the trace of one batch is in memory at a time."""
    import torchlens

    with torch.no_grad():
        for pixels, _ in batches(network, images):
            torchlens.trace(network, pixels)
    return {}


def measured(name, way, images):
    """Seconds of the processor and megabytes of one way, in this process."""
    torch.set_num_threads(1)
    network = network_of(name)
    forward(network, 2)
    if way == "torchlens":
        importlib.import_module(way).trace  # found on first use  # noqa: B018
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    facts = globals()[way](network, images)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "megabytes": (peak - before) / 1024, **facts}


def in_a_process(name, way, images):
    """`measured` in a process of its own; None where a library is missing."""
    command = [sys.executable, "-m", "benchmarks.opening", "--network", name]
    answer = subprocess.run(
        [*command, "--images", str(images), "--way", way], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        print(f"{way}: {answer.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return json.loads(answer.stdout.splitlines()[-1])


def main():
    """Measure every way and print them, with the ratios that have a goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="vit_small_patch16_224", help="(%(default)s)")
    parser.add_argument("--images", type=int, default=2000, help="(%(default)s)")
    parser.add_argument("--way", choices=WAYS, help="measure one way in this process, and print JSON")
    parser.add_argument("--of", type=int, default=2000, help="images of the ratios (%(default)s)")
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measured(options.network, options.way, options.images)))
        return
    found = {way: in_a_process(options.network, way, options.images) for way in WAYS}
    for way, row in found.items():
        if row:
            print(f"{way:10} {row['seconds']:8.1f} s {row['megabytes']:8.0f} MB for {options.images} images")
    per_image = {way: row["seconds"] / options.images for way, row in found.items() if row}
    solution = found["ridge"]["solution"]
    ours = (found["ridge"]["seconds"] - solution) / options.images * options.of + solution
    bare, trained = per_image["forward"] * options.of, per_image["adamw"] * options.of * EPOCHS
    print(f"Of {options.of} images, readouts solved in {solution:.1f} s:")
    print(f"ridge / bare passes: {ours / bare:.3f} (goal 1.15)")
    print(f"ridge / AdamW of {EPOCHS} epochs: {ours / trained:.4f} (goal 0.2)")


if __name__ == "__main__":
    main()
