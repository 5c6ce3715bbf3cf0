"""Readouts of a frozen network in closed form or by regression: one pass over the training images."""

from __future__ import annotations

import torch

from symbreak import models
from symbreak.config import Training
from symbreak.data import ImageSet
from symbreak.features.solving import Fitter
from symbreak.learning.batches import normalised_batches
from symbreak.learning.engine.device import Engine
from symbreak.models.probe import Place, ProbeSet
from symbreak.progress import Progress
from symbreak.taps import capture


@torch.no_grad()
def solve_probes(
    network: models.Trunk, probes: ProbeSet, images: ImageSet, engine: Engine, training: Training
) -> dict[Place, float]:
    """Fit the readout of every probe to the pooled features of images that are not augmented.

    Parameters
    ----------
    network : Trunk
        The frozen network.
    probes : ProbeSet
        Written to: weights of the readouts; the settings say the solver.
    images : ImageSet
        Training images.
    engine, training
        Device and arithmetic; normalisation.

    Returns
    -------
    dict of (block, tap) to float
        The regularisation that was chosen for each.
    """
    fitters = {place: Fitter(probes.settings.solver) for place in probes.places}
    # Each of several processes sees all images: the sums of one would not be those of the others.
    batches = normalised_batches(images, engine, probes.settings.batch_size, training, in_turns=False)
    steps = -(-len(images) // probes.settings.batch_size)
    for pixels, labels in Progress(batches, total=steps, desc="pass over training images", unit="batch"):
        with engine.autocast():
            tokens, _ = capture(network, pixels, probes.places)
        for place, tensor in tokens.items():
            features = probes[place].features(tensor.float())
            fitters[place].add(features.cpu().numpy(), labels.cpu().numpy())
    strengths = {}
    for place, fitter in fitters.items():
        readout, strengths[place] = fitter.solve(images.n_labels)
        weight = probes[place].readout.weight
        weight.copy_(torch.from_numpy(readout).to(weight))
    return strengths
