"""Networks and probes as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from symbreak.config import Network, Probes
from symbreak.errors import SymbreakError
from symbreak.models.masks import apply_masks, pack, unpack
from symbreak.models.probe import ProbeSet
from symbreak.models.registry import Trunk, create
from symbreak.models.weights import read_weights, write_weights


def save(path: str | Path, model: Trunk | ProbeSet, **description: Any) -> None:
    """Write a network or its probes as safetensors, atomically.

    Of a pruned layer the kept values are written and one bit for each weight, which tells those that are
    kept (`symbreak.models.masks`); `load` puts the masks back.

    Parameters
    ----------
    path : path
        File to write.
    model : CCT, CNN or ProbeSet
        What to write; its shape goes into the header.
    **description
        Further facts for the header, such as the data set.
    """
    header: dict[str, Any] = {
        "network": model.network.described(),
        "labels": model.labels,
        **description,
    }
    if isinstance(model, ProbeSet):
        header["probes"] = model.settings.model_dump(mode="json")
    write_weights(path, pack(model), header)


def load(path: str | Path, cpu_passes: str = "auto") -> tuple[Trunk | ProbeSet, dict[str, Any]]:
    """Read what `save` wrote: the model in evaluation mode, and its header.

    Parameters
    ----------
    path : path
        File to read.
    cpu_passes : {"auto", "off"}
        See `create`.

    Raises
    ------
    SymbreakError
        If the file is missing, damaged or foreign.
    """
    tensors, header = read_weights(path)
    try:
        with torch.device("meta"):
            _require_no_larger(_described(header, cpu_passes), Path(path).stat().st_size)
        model = _described(header, cpu_passes)
        plain, masks = unpack(tensors, model)
        model.load_state_dict(plain)
        apply_masks(model, masks)
    except (
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        IndexError,
        AttributeError,
        ArithmeticError,
    ) as error:
        reason = str(error).split("\n")[0][:200]
        raise SymbreakError(
            f"The weights {path} do not fit their own header ({reason}); train again."
        ) from error
    return model.eval(), header  # type: ignore[return-value]


def load_network(path: str | Path, cpu_passes: str = "auto") -> tuple[Trunk, dict[str, Any]]:
    """Read a network and its header as `load` does, and refuse anything else.

    Raises
    ------
    SymbreakError
        If the file is missing or damaged, or holds probes.
    """
    network, header = load(path, cpu_passes)
    if isinstance(network, ProbeSet):
        raise SymbreakError(f"{path} holds probes, not a network; give the file `network.safetensors`.")
    return network, header


def _described(header: dict[str, Any], cpu_passes: str) -> nn.Module:
    """Untrained model of the shape that a header tells."""
    network, labels = Network(**header["network"]), int(header["labels"])
    if "probes" in header:
        return ProbeSet(network, labels, Probes(**header["probes"]))
    return create(network, labels, cpu_passes)


def _require_no_larger(model: nn.Module, size: int) -> None:
    """Refuse a model that cannot be in a file of `size` bytes, at one bit for each element at least."""
    if sum(tensor.numel() for tensor in model.state_dict().values()) > 8 * size:
        raise ValueError("it describes a network that is larger than the file")
