"""Tensors in safetensors files, never pickles, with their description in the header."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from symbreak.errors import Damaged, Foreign, NotFound, Unstorable, of_system
from symbreak.store.atomic import replacing


def write_weights(path: str | Path, tensors: dict[str, Tensor], description: dict[str, Any]) -> None:
    """Write tensors with a JSON description, atomically.

    Raises
    ------
    SymbreakError
        If the file cannot be written.
    """
    taken: set[int] = set()
    whole = {name: _own(name, tensor, path, taken) for name, tensor in tensors.items()}
    header = {"symbreak": json.dumps(description, sort_keys=True)}
    with replacing(path) as temporary:
        try:
            save_file(whole, temporary, metadata=header)
        except SafetensorError as error:  # the library's one class; the system's number stands in its words
            number = re.search(r"os error (\d+)", str(error))
            raise OSError(int(number[1]) if number else 0, str(error)) from error


def _own(name: str, tensor: Tensor, path: str | Path, taken: set[int]) -> Tensor:
    """Values of a tensor in memory of their own, as a file holds them; `taken` is memory of others."""
    if tensor.is_meta or tensor.layout != torch.strided:
        kind = "has no values (device meta)" if tensor.is_meta else "is sparse"
        raise Unstorable(f"The tensor {name} for {path} {kind}; {Unstorable.cure}.")
    tensor = tensor.detach().cpu().contiguous()
    if tensor.untyped_storage().data_ptr() in taken or tensor.untyped_storage().nbytes() > tensor.nbytes:
        tensor = tensor.clone()
    taken.add(tensor.untyped_storage().data_ptr())
    return tensor


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and their description.

    Raises
    ------
    SymbreakError
        If the file is missing, damaged, or not written by `write_weights`.
    """
    path = Path(path)
    try:
        path.open("rb").close()
        with safe_open(path, framework="pt") as handle:
            description = json.loads((handle.metadata() or {})["symbreak"])
            if not isinstance(description, dict):
                raise KeyError("symbreak")
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise NotFound(f"There are no weights at {path}; train the network first.") from None
    except OSError as error:
        raise of_system("read", path, error) from error
    except (KeyError, json.JSONDecodeError):
        raise Foreign(
            f"The weights {path} were not written by symbreak; for a published CCT use read_official."
        ) from None
    except Exception as error:  # the library raises many classes for damaged files
        reason = str(error).split("\n")[0][:200]
        raise Damaged(f"The weights {path} are damaged ({reason}); {Damaged.cure}.") from error
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
