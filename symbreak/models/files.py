"""Networks and probes as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def load(path: str | Path) -> tuple[Trunk | ProbeSet, dict[str, Any]]:
    """Read what `save` wrote: the model in evaluation mode, and its header.

    Raises
    ------
    SymbreakError
        If the file is missing, damaged or foreign.
    """
    tensors, header = read_weights(path)
    try:
        network, labels = Network(**header["network"]), int(header["labels"])
        model: nn.Module = (
            ProbeSet(network, labels, Probes(**header["probes"]))
            if "probes" in header
            else create(network, labels)
        )
        plain, masks = unpack(tensors, model)
        model.load_state_dict(plain)
        apply_masks(model, masks)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        raise SymbreakError(
            f"The weights {path} do not fit their own header ({reason}); train again."
        ) from error
    return model.eval(), header  # type: ignore[return-value]
