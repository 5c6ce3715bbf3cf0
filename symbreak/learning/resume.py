"""The resume file: where a killed optimisation goes on, bit for bit.

It lies in the folder of the output under a hidden name that Snakemake does not know and
so does not delete. It is keyed by a digest of everything that determines the
result, refused if that differs, and removed when the work is done.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from symbreak.errors import SymbreakError
from symbreak.models.weights import read_weights, write_weights


def digest(settings: Any) -> str:
    """SHA-256 of settings in canonical JSON.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


class ResumeFile:
    """State of an optimisation that has not finished.

    Parameters
    ----------
    output : path
        The file that the optimisation will write in the end.
    key : str
        Digest of everything that determines the result.
    """

    def __init__(self, output: str | Path, key: str) -> None:
        output = Path(output)
        self.path = output.with_name(f".{output.stem}.resume.safetensors")
        self.key = key
        self.facts: dict[str, Any] = {}

    def known_facts(self) -> dict[str, Any]:
        """Facts that the killed run had decided, such as its precision; empty if there is no file."""
        found = read_weights(self.path)[1].get("facts", {}) if self.path.exists() else {}
        return found if isinstance(found, dict) else {}

    def save(self, model: nn.Module, optimizer: torch.optim.Optimizer, progress: dict[str, Any]) -> None:
        """Write the model, the optimiser's moments, the facts and the progress (plain JSON), atomically."""
        tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
        for index, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer/{index}/{name}"] = value
        write_weights(self.path, tensors, {"key": self.key, "facts": self.facts, "progress": progress})

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any] | None:
        """Fill model and optimiser from the file and return the progress; None if there is no file.

        Raises
        ------
        SymbreakError
            If the file belongs to other settings or is damaged.
        """
        if not self.path.exists():
            return None
        tensors, header = read_weights(self.path)
        if header.get("key") != self.key:
            raise SymbreakError(
                f"The resume file {self.path} belongs to other settings; "
                "delete it to start anew, or restore the settings to go on."
            )
        try:
            return _restored(tensors, header, model, optimizer)
        except Exception as error:  # whatever a damaged file makes of the libraries
            reason = str(error).split("\n")[0][:200]
            raise SymbreakError(
                f"The resume file {self.path} is damaged ({reason}); delete it to start anew."
            ) from error

    def remove(self) -> None:
        """Forget the state: the work is done."""
        self.path.unlink(missing_ok=True)


def _restored(
    tensors: dict[str, Tensor], header: dict[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Fill model and optimiser and return the progress."""
    model.load_state_dict({n.removeprefix("model/"): t for n, t in tensors.items() if n.startswith("model/")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer/"):
            _, index, quantity = name.split("/")
            state.setdefault(int(index), {})[quantity] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return header["progress"]
