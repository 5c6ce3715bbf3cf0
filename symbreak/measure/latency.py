"""Time of a forward pass: nominal latency counts layers (P2 section 3), this measures seconds."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from symbreak import models
from symbreak.config import Experiment, Latency, Network
from symbreak.errors import SymbreakError
from symbreak.learning.engine.device import Engine
from symbreak.models.describe import summary
from symbreak.progress import Progress
from symbreak.store import provenance, write_dataset

#: Passes before the timed ones: caches, memory and clocks settle.
WARM_UP = 3

Forward = Callable[[Tensor], Tensor]


def measure_latency(experiment: Experiment, name: str, folder: Path) -> None:
    """Time a network of an experiment and write ``latency.nc``; weights do not matter, it needs no training.

    Parameters
    ----------
    experiment : Experiment
        With `latency.batches`; `compute` says on which devices and in which precision (`auto`: the processor
        and a GPU where there is one; fp32 on both).
    name : str
        Name of the network.
    folder : Path
        Folder of the network.

    Raises
    ------
    SymbreakError
        If no batches are given or a GPU is asked for and there is none.
    """
    settings, network = experiment.latency, experiment.networks[name]
    if not settings.batches:
        raise SymbreakError("The section `latency` has no `batches`; give for instance `batches: [1, 128]`.")
    load = os.getloadavg()[0]
    engines = latency_engines(experiment.compute.device, experiment.compute.precision)
    model = models.create(network, experiment.data.n_labels, experiment.compute.cpu_passes)
    dataset = time_network(model, settings, engines)
    facts = {
        "network": name,
        "seed": experiment.seeds,
        "dataset": experiment.data.name,
        "dataset_sha256": "no image was read",
        "precision": engines[0].precision,
        "device": "; ".join(engine.name for engine in engines),
        "load_average": load,
        **dataset.attrs,
    }
    title, source = f"latency of {name}", f"{name} ({network.architecture})"
    known = provenance(experiment, title=title, source=source, **facts)
    write_dataset(folder / "latency.nc", dataset, "latency", known)


def latency_engines(device: str, precision: str) -> list[Engine]:
    """Where to measure: the processor and, unless that alone is asked for, a GPU.

    `auto` precision is fp32 everywhere, so that devices compute the same.

    Examples
    --------
    >>> [engine.device.type for engine in latency_engines("cpu", "auto")]
    ['cpu']
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise SymbreakError(
            "The key `compute.device` asks for cuda and this machine shows no GPU; set it to auto or cpu."
        )
    own = "fp32" if precision == "auto" else precision
    places = ["cpu", "cuda"] if device != "cpu" and torch.cuda.is_available() else ["cpu"]
    return [Engine(torch.device(place), own) for place in places]


def time_network(model: models.Trunk, settings: Latency, engines: list[Engine]) -> xr.Dataset:
    """Median time of a forward pass for every device, mode and batch.

    Parameters
    ----------
    model : CCT or CNN
        Its weights do not matter.
    settings : Latency
        Batches, modes and repeats.
    engines : list of Engine
        Devices with their precision.

    Returns
    -------
    Dataset
        ``latency`` and ``latency_spread`` (s per batch, median and interquartile range), ``throughput``
        (images/s) on (device, mode, batch), NaN where a network could not be compiled. Attributes tell
        architecture, parameters, operations, nominal latency and threads.
    """
    model, network, known = model.eval(), model.network, summary(model)
    shape = (len(engines), len(settings.modes), len(settings.batches))
    median, spread = np.full(shape, np.nan), np.full(shape, np.nan)
    refused: list[str] = []
    places = list(np.ndindex(shape))
    for place in Progress(places, desc=f"latency {network.architecture}", unit="case"):
        engine, mode, batch = engines[place[0]], settings.modes[place[1]], settings.batches[place[2]]
        pixels = torch.randn(batch, 3, network.image_size, network.image_size, device=engine.device)
        model = model.to(engine.device)
        try:
            with torch.no_grad(), engine.autocast():
                seconds = time_passes(_prepared(model, mode), pixels, settings.repeats)
        except Exception as error:  # the compiler raises many classes
            if mode != "compiled":
                raise
            refused.append(_not_compiled(network, engine, error))
            continue
        low, median[place], high = np.quantile(seconds, [0.25, 0.5, 0.75])
        spread[place] = high - low
    dims = ("device", "mode", "batch")
    batches = np.array(settings.batches)
    return xr.Dataset(
        {
            "latency": (dims, median),
            "latency_spread": (dims, spread),
            "throughput": (dims, batches / median),
        },
        {"device": [engine.device.type for engine in engines], "mode": settings.modes, "batch": batches},
        {
            "architecture": network.architecture,
            "n_parameters": known["parameters"],
            "macs": known["macs"],
            "nominal_latency": known["nominal_latency"],
            "threads": torch.get_num_threads(),
            "repeats": settings.repeats,
            "torch_version": torch.__version__,
            "not_compiled": " ".join(dict.fromkeys(refused)),
        },
    )


def time_passes(forward: Forward, pixels: Tensor, repeats: int) -> np.ndarray:
    """Seconds of every timed pass, after some that are not timed; a GPU is waited for.

    Examples
    --------
    >>> time_passes(lambda pixels: pixels + 1, torch.zeros(2), repeats=5).shape
    (5,)
    """
    wait = torch.cuda.synchronize if pixels.device.type == "cuda" else lambda: None
    seconds = np.empty(WARM_UP + repeats)
    for number in range(len(seconds)):
        wait()
        start = time.perf_counter()
        forward(pixels)
        wait()
        seconds[number] = time.perf_counter() - start
    return seconds[WARM_UP:]


def _prepared(model: models.Trunk, mode: str) -> Forward:
    if mode == "eager":
        return model
    torch.compiler.reset()  # each batch has its own compilation, with its size as a constant
    return torch.compile(model, dynamic=False)


def _not_compiled(network: Network, engine: Engine, error: Exception) -> str:
    reason = (str(error).strip() or type(error).__name__).split("\n")[0][:160]
    message = f"{network.architecture} could not be compiled for {engine.device.type} ({reason})."
    print(f"symbreak latency: {message} Its place stays empty.", file=sys.stderr)
    return message
