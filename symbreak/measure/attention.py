"""One pass over the validation images that yields the attention map of every head (P1 Fig. 9)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from symbreak import models
from symbreak.config import Experiment
from symbreak.data import ImageSet
from symbreak.data.configured import load_configured
from symbreak.errors import SymbreakError
from symbreak.learning.batches import normalised_batches
from symbreak.learning.engine.device import Engine, engine_of
from symbreak.learning.engine.memory import with_smaller_batches
from symbreak.measure.accumulator import label_coordinates
from symbreak.observables import attention_block
from symbreak.progress import Progress
from symbreak.store import open_dataset, provenance, write_dataset
from symbreak.store.joining import stack_blocks
from symbreak.store.provenance import derived, require_trained_by
from symbreak.taps import capture


def measure_attention(experiment: Experiment, weights: Path, folder: Path, block: int | None = None) -> None:
    """Write ``attention/attention.nc``: attention maps of the heads compared, over all validation images.

    The map of a head is what P1 (arXiv:2501.12900) section 4 and Fig. 9 call its average scaled dot-product
    attention output field: at every token t the plain mean over the nodes k of the head of the output of the
    scaled dot-product attention, ``A_h(t) = (1/d_h) sum_{k in h} a_k(t)``. No probe weighs the nodes; the
    best head of an image is the one that alone recognises its label most often (P1 Fig. 8), taken from the
    moments at the tap `attention`.

    Parameters
    ----------
    experiment : Experiment
        Data, and the draws of the null model (`heads`).
    weights : Path
        The trained network.
    folder : Path
        Folder of the seed, with ``moments/attention.nc``.
    block : int, optional
        Default: every block.

    Raises
    ------
    SymbreakError
        If files are missing, do not belong together, or the network has no such block or no heads.
    """
    network, header = models.load_network(weights, experiment.compute.cpu_passes)
    require_trained_by(experiment, header, weights)
    if network.network.convolutional:
        raise SymbreakError(f"{weights} is a convolutional network without attention; give one with heads.")
    if block is not None and not 1 <= block <= network.network.blocks:
        raise SymbreakError(f"There is no block {block}; choose one from 1 to {network.network.blocks}.")
    blocks = list(range(1, network.network.blocks + 1)) if block is None else [block]
    with open_dataset(folder / "moments" / "attention.nc", "moments") as moments:
        derived(moments.attrs, experiment, folder / "moments" / "attention.nc", title="")
        accuracy = moments.head_label_accuracy.transpose("block", "head", "label").load()
    images = load_configured(experiment.data, "validation")
    if accuracy.sizes["label"] != images.n_labels or accuracy.sizes["block"] < max(blocks):
        raise SymbreakError(f"The moments in {folder} are those of another network; measure again.")
    engine = engine_of(experiment.compute, header)
    network = network.to(engine.device).eval()
    maps, correct = attention_maps(network, images, engine, experiment, blocks)
    light, truth = brightness(images, maps[blocks[0]].shape[2]), images.labels.numpy()
    tables = []
    for number in blocks:
        own = accuracy.sel(block=number).values[: maps[number].shape[1]]
        settings = (experiment.heads.n_shuffles, experiment.heads.seed + 1000 * number)
        table = attention_block(maps.pop(number), light, truth, correct, own, *settings)
        tables.append(table.assign(image=_shown(images, table.picture_sample.values)))
    dataset = stack_blocks(tables, xr.DataArray(blocks, dims="block", coords={"block": blocks}))
    dataset["n_heads"] = ("block", [network.network.heads_per_block[number - 1] for number in blocks])
    dataset["truth"] = ("sample", truth.astype("int32"))
    dataset["correct"] = ("sample", correct.astype("int8"))
    shape = {"row": 2, "column": 3, "colour": 4}
    dataset = dataset.assign_coords(
        {name: np.arange(dataset.image.shape[axis]) for name, axis in shape.items()}
        | {name: part for name, part in label_coordinates(images).items() if name.startswith("label")}
    )
    source = f"{header['name']} ({network.network.architecture}) on {images.name}, validation images"
    attributes = provenance(experiment, header=header, title="attention maps", source=source)
    write_dataset(folder / "attention" / "attention.nc", dataset, "attention", attributes)


@torch.no_grad()
def attention_maps(
    network: models.Trunk, images: ImageSet, engine: Engine, experiment: Experiment, blocks: list[int]
) -> tuple[dict[int, NDArray], NDArray]:
    """Maps of all heads of some blocks, (images, heads, tokens) each, and which images are recognised."""
    places = [(block, "attention") for block in blocks]

    def run(batch_size: int) -> tuple[dict[int, NDArray], NDArray]:
        parts: dict[int, list[Tensor]] = {block: [] for block in blocks}
        correct = []
        batches = normalised_batches(images, engine, batch_size, experiment.training)
        with Progress(total=len(images), desc="attention", unit="image") as bar:
            for pixels, truth in batches:
                with engine.autocast():
                    tokens, output = capture(network, pixels, places)
                for (block, _), tensor in tokens.items():
                    heads = network.network.heads_per_block[block - 1]
                    by_head = tensor.float().unflatten(-1, (heads, -1)).mean(-1)
                    parts[block].append(by_head.transpose(1, 2).cpu())
                correct.append((output.argmax(1) == truth).cpu())
                bar.update(len(truth))
        maps = {block: torch.cat(part).numpy() for block, part in parts.items()}
        return maps, torch.cat(correct).numpy()

    return with_smaller_batches(run, experiment.measurement.batch_size, "compare attention maps")


def brightness(images: ImageSet, tokens: int) -> NDArray:
    """Mean brightness of every image on the square grid of its tokens, (images, tokens)."""
    side = math.isqrt(tokens)
    means = [
        functional.adaptive_avg_pool2d(part.float().mean(1, keepdim=True), side).flatten(1)
        for part in images.images.split(1000)
    ]
    return torch.cat(means).numpy()


def _shown(images: ImageSet, samples: NDArray) -> tuple[tuple[str, ...], NDArray]:
    """Pixels of the chosen images, (picture, row, column, colour)."""
    pixels = images.images[torch.as_tensor(samples)].permute(0, 2, 3, 1)
    return ("picture", "row", "column", "colour"), pixels.numpy()
