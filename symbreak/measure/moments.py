"""One pass over images that yields every label mean, head accuracy and output field.

Silencing all weights of the fully connected layer but those of node k gives
``M_k[i, j] = mu_k(i) W_jk`` exactly, because the layer is linear: the label
means mu and the readout W are all that any matrix needs (P1 section 2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symbreak import models
from symbreak.config import Experiment
from symbreak.data import ImageSet
from symbreak.errors import SymbreakError
from symbreak.learning.batches import measured_images, normalised_batches
from symbreak.learning.engine import parallel
from symbreak.learning.engine.device import Engine, engine_of
from symbreak.learning.engine.memory import with_smaller_batches
from symbreak.measure.accumulator import TapAccumulator, binomial_error, fold_of_images, logits_dataset
from symbreak.models.probe import ProbeSet
from symbreak.progress import Progress
from symbreak.store import provenance, write_dataset
from symbreak.store.provenance import require_trained_by
from symbreak.store.variables import check_finite
from symbreak.taps import capture

#: What to do about numbers that are not finite after a pass.
NOT_FINITE = "the weights of the network or its probes are not finite or too large; train them again"


@parallel.in_processes
def measure(experiment: Experiment, weights: Path, probes_path: Path, folder: Path) -> None:
    """Write ``moments/{tap}.nc`` and ``logits/{tap}.nc`` for every tap, and ``logits/network.nc``.

    Parameters
    ----------
    experiment : Experiment
        Which images (`measurement.inputs`) and how many folds.
    weights, probes_path : Path
        Trained network and probes.
    folder : Path
        Folder of the seed.

    Raises
    ------
    SymbreakError
        If the files are missing or damaged, or do not belong together.
    """
    network, header = models.load_network(weights, experiment.compute.cpu_passes)
    require_trained_by(experiment, header, weights)
    probes, _ = models.load(probes_path)
    if not isinstance(probes, ProbeSet) or probes.network != network.network:
        raise SymbreakError(
            f"The probes {probes_path} belong to another network than {weights}; train them again."
        )
    images, split = measured_images(experiment), experiment.measurement.inputs
    _require_two_per_label(images, split)
    engine = engine_of(experiment.compute, header)
    network, probes = network.to(engine.device).eval(), probes.to(engine.device).eval()
    facts = {
        "header": header,
        "source": f"{header['name']} ({network.network.architecture}) on {images.name}, {split} images",
    }
    with parallel.alone_together(folder / "moments"):
        taps, fields = accumulate(network, probes, images, engine, experiment)
        if parallel.is_first():
            _write(experiment, images, taps, fields, folder, facts)


def _require_two_per_label(images: ImageSet, split: str) -> None:
    """Refuse a label that one image stands for: there is no error bar from it."""
    few = (images.labels.bincount(minlength=images.n_labels) < 2).nonzero().flatten().tolist()
    if few:
        raise SymbreakError(
            f"{len(few)} labels of {images.name} have fewer than two {split} images, the first is "
            f"{images.label_names[few[0]]!r}; set `measurement.inputs` to the other images, or another split."
        )


def _write(
    experiment: Experiment,
    images: ImageSet,
    taps: dict[str, TapAccumulator],
    fields: Tensor,
    folder: Path,
    facts: dict[str, Any],
) -> None:
    """Write the files of every tap and of the network."""

    def write(name: str, kind: str, dataset: Any, title: str) -> None:
        attributes = provenance(experiment, title=title, **facts)
        write_dataset(folder / kind / f"{name}.nc", dataset, kind, attributes)

    accuracy = float((fields.argmax(1) == images.labels).double().mean())
    known = {
        "network_accuracy": ((), accuracy),
        "network_accuracy_stderr": ((), binomial_error(accuracy, len(images))),
    }
    moments = {name: tap.moments(images).assign(known) for name, tap in taps.items()}
    of_network = logits_dataset(("sample", "output"), fields, images, {})
    for name, found in moments.items():  # before anything is written
        check_finite(found, "moments", f"The pass over {name}", NOT_FINITE)
    check_finite(of_network, "logits", "The pass over the network", NOT_FINITE)
    for name, tap in taps.items():
        write(name, "moments", moments.pop(name), f"label means at {name}")
        write(name, "logits", tap.logits(images), f"output fields of the probes at {name}")
    write("network", "logits", of_network, "output fields of the network")


@torch.no_grad()
def accumulate(
    network: models.Trunk, probes: ProbeSet, images: ImageSet, engine: Engine, experiment: Experiment
) -> tuple[dict[str, TapAccumulator], Tensor]:
    """Run the frozen network once; return the sums of every tap and the network's own fields.

    Processes take the batches in turns; each then has the sums over all images.
    """
    folds, silencing = experiment.measurement.folds, experiment.measurement.head_silencing
    cells = (fold_of_images(images.labels, folds) * images.n_labels + images.labels).to(engine.device)

    def run(batch_size: int) -> tuple[dict[str, TapAccumulator], Tensor]:
        names = probes.settings.taps
        taps = {tap: TapAccumulator(tap, probes, len(images), folds, silencing) for tap in names}
        outputs = torch.zeros(len(images), images.n_labels)
        starts = parallel.own_of(range(0, len(images), batch_size))
        batches = normalised_batches(images, engine, batch_size, experiment.training)
        with Progress(total=len(images), desc="measure", unit="image") as bar:
            for start, (pixels, truth) in zip(starts, batches):
                rows = slice(start, start + len(truth))
                with engine.autocast():
                    tokens, output = capture(network, pixels, probes.places)
                outputs[rows] = output.float().cpu()
                for (block, tap), tensor in tokens.items():
                    taps[tap].add(block, tensor.float(), truth, cells[rows], rows)
                bar.update(min(len(truth) * parallel.count(), len(images) - bar.n))
        return taps, outputs

    taps, outputs = with_smaller_batches(run, experiment.measurement.batch_size, "measure")
    for tap in taps.values():
        tap.join_processes()
    return taps, parallel.over_processes(outputs)
