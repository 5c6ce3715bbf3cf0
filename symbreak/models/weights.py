"""Tensors in safetensors files, never pickles, with their description in the header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from symbreak.errors import SymbreakError
from symbreak.store.atomic import replacing


def write_weights(path: str | Path, tensors: dict[str, Tensor], description: dict[str, Any]) -> None:
    """Write tensors with a JSON description, atomically.

    Raises
    ------
    SymbreakError
        If the file cannot be written.
    """
    whole = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    header = {"symbreak": json.dumps(description, sort_keys=True)}
    with replacing(path) as temporary:
        try:
            save_file(whole, temporary, metadata=header)
        except Exception as error:  # safetensors has one class for all that can go wrong
            raise OSError(str(error)) from error


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and their description.

    Raises
    ------
    SymbreakError
        If the file is missing, damaged, or not written by `write_weights`.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as handle:
            description = json.loads((handle.metadata() or {})["symbreak"])
            if not isinstance(description, dict):
                raise KeyError("symbreak")
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise SymbreakError(f"There are no weights at {path}; train the network first.") from None
    except (KeyError, json.JSONDecodeError):
        raise SymbreakError(
            f"The weights {path} were not written by symbreak; for a published CCT use read_official."
        ) from None
    except Exception as error:  # the library raises many classes for damaged files
        reason = str(error).split("\n")[0][:200]
        raise SymbreakError(
            f"The weights {path} are damaged ({reason}); delete the file and run again."
        ) from error
    return tensors, description


def is_ours(path: str | Path) -> bool:
    """Whether `write_weights` wrote a file.

    Examples
    --------
    >>> is_ours("no such file")
    False
    """
    try:
        with safe_open(path, framework="pt") as handle:
            return "symbreak" in (handle.metadata() or {})
    except Exception:  # whatever it is, it is not ours; the library has one class for all
        return False
