"""One table of what the readouts of a trained CCT and of a trained ViT say, by each solver.

    python -m benchmarks.solvers results/demo

The CCT is seed 1 of a finished experiment on letters; the ViT (timm) is trained on the same letters here,
which takes some minutes. The readout of the papers, pooling and layer trained by AdamW, is that of the files.
"""

import argparse
from pathlib import Path

import pandas as pd
import timm
import torch
from torch.nn import functional

import symbreak
from symbreak import models
from symbreak.config import read
from symbreak.data.configured import load_configured
from symbreak.features.solving import SOLVERS
from symbreak.learning.batches import normalise, statistics_of
from symbreak.store import open_dataset

EPOCHS, BATCH, THRESHOLD, TAP = 4, 64, 0.3, "attention"
VIT = {"img_size": 32, "patch_size": 4, "embed_dim": 96, "depth": 3, "num_heads": 4, "num_classes": 100}


def batches(experiment, split):
    """Normalised images and labels, in batches."""
    images = load_configured(experiment.data, split)
    pixels = normalise(images.images, experiment.training.normalisation, *statistics_of(images))
    return list(zip(pixels.split(BATCH), images.labels.split(BATCH), strict=True))


def trained_vit(train):
    """A small ViT after some epochs of AdamW with a cosine schedule."""
    torch.manual_seed(0)
    network = timm.create_model("vit_tiny_patch16_224", **VIT).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, EPOCHS * len(train), pct_start=0.1)
    for _ in range(EPOCHS):
        for number in torch.randperm(len(train)).tolist():
            pixels, labels = train[number]
            loss = functional.cross_entropy(network(pixels), labels, label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def row(network, readout, statistics, heads):
    """What the table says of the last block."""
    block = int(statistics.block[-1])
    nodes = statistics.sel(block=block).sel(threshold=THRESHOLD, method="nearest").squeeze()
    order = heads.sel(block=block).squeeze()
    names = {"N_c": "n_clusters", "C_s": "cluster_size", "diag": "diagonal", "n": "noise", "SNR": "snr"}
    found = {"network": network, "readout": readout, "accuracy": f"{float(nodes.accuracy):.3f}"}
    for symbol, name in names.items():
        found[symbol] = f"{float(nodes[name]):.2f} ± {float(nodes[f'{name}_stderr']):.2f}"
    found["owned"] = int((order.owner > 0).sum())
    for symbol, name in {
        "information": "mutual_information",
        "Edwards-Anderson": "edwards_anderson_unbiased",
    }.items():
        found[symbol] = f"{float(order[name]):.3f} (p = {float(order[f'{name}_p']):.2g})"
    return found


def table(folder):
    """Rows of both networks."""
    experiment, place = read(folder / "experiment.yaml"), folder / "cct" / "seed1"
    train, validation = (batches(experiment, split) for split in ("train", "validation"))
    files = [open_dataset(place / kind / f"{TAP}.nc").load() for kind in ("statistics", "heads")]
    rows = [row("CCT", "learned pooling, AdamW", *files)]
    cct, _ = models.load_network(place / "network.safetensors")
    for name, network in (("CCT", cct.eval()), ("ViT", trained_vit(train))):
        for solver in SOLVERS:
            found = symbreak.study(
                network,
                validation,
                train,
                taps=[TAP],
                solver=solver,
                statistics=experiment.statistics,
                heads=experiment.heads,
            )
            rows.append(row(name, f"mean pooling, {solver}", found.statistics(TAP), found.heads(TAP)))
    return pd.DataFrame(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="results of an experiment on letters with a network `cct`")
    print(table(parser.parse_args().folder).to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main()
