"""Build a network by its name."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from torch import nn

from symbreak.config import Network
from symbreak.errors import SymbreakError
from symbreak.models.cct import CCT, Block
from symbreak.models.cnn import CNN
from symbreak.models.cpu.block import FusedBlock

#: A network that can be trained and opened at its taps.
Trunk = CCT | CNN


def create(network: Network, labels: int, cpu_passes: str = "auto") -> Trunk:
    """Build the untrained network of an experiment.

    Parameters
    ----------
    network : Network
        Its section of the experiment.
    labels : int
        Number of output units.
    cpu_passes : {"auto", "off"}
        Whether encoder blocks have compiled passes for processors, the key `compute.cpu_passes`; parameters
        and function are the same.

    Examples
    --------
    >>> create(Network(architecture="resnet_20"), labels=10).readout
    Linear(in_features=64, out_features=10, bias=True)
    """
    if network.convolutional:
        return CNN(network, labels)
    return CCT(network, labels, FusedBlock if cpu_passes == "auto" else Block)


def build(name: str, labels: int = 100, **options: Any) -> Trunk:
    """Build an untrained network.

    Parameters
    ----------
    name : str
        ``cct_{blocks}_{kernel}x{convolutions}``, for instance ``cct_7_3x1``;
        ``vgg_{layers}`` or ``resnet_{layers}``.
    labels : int
        Number of output units.
    **options
        Any key of `symbreak.config.Network`: `dim`, `heads` (one number or one
        for each block), `mlp_ratio`, `pooling`, …

    Raises
    ------
    SymbreakError
        If the name or an option is impossible, such as a width that the heads do not divide.

    Examples
    --------
    >>> count_parameters(build("cct_7_3x1", labels=100))
    3783269
    >>> count_parameters(build("resnet_20", labels=10))
    269722
    """
    if labels < 1:
        raise SymbreakError(f"A network needs at least one label, got labels = {labels}.")
    try:
        network = Network(architecture=name, **options)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"])) or "options"
        message = problem["msg"].removeprefix("Value error, ")
        raise SymbreakError(f"Cannot build the network {name!r}: {key}: {message}.") from None
    return create(network, labels)


def count_parameters(module: nn.Module) -> int:
    """Count the elements of all parameters, frozen ones included."""
    return sum(parameter.numel() for parameter in module.parameters())
