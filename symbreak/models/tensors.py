"""Weights in files as people have them, without running what a pickle could make run."""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from symbreak.errors import SymbreakError

#: Names under which people keep a state dict among other things; those of averaged weights last.
_WRAPPERS = ("state_dict", "model", "model_state_dict", "state_dict_ema", "model_ema")
#: What wrappers of modules put before every name.
_PREFIXES = ("module.", "_orig_mod.")


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """State dict of a ``.safetensors`` file or of one that `torch.save` wrote.

    What the file holds besides tensors is left out; prefixes of data-parallel and compiled networks are taken
    off.

    Parameters
    ----------
    path : path
        The file; ``file.pth#model_ema`` names the entry where it holds several state dicts.

    Raises
    ------
    SymbreakError
        If the file is missing, damaged, holds what could run programs, no state dict, or several.

    Examples
    --------
    >>> read_tensors("no such file.pth")
    Traceback (most recent call last):
    ...
    symbreak.errors.SymbreakError: There are no weights at no such file.pth; check the path.
    """
    name, _, entry = str(path).partition("#")
    if not Path(name).is_file():
        raise SymbreakError(f"There are no weights at {name}; check the path.")
    if Path(name).suffix == ".safetensors":
        try:
            return _without_prefix(load_file(name))
        except Exception as error:  # the library raises many classes for damaged files
            raise SymbreakError(
                f"{name} is no readable safetensors file ({_short(error)}); copy it anew."
            ) from error
    return _without_prefix(_unwrapped(_unpickled(name), name, entry))


def _unpickled(name: str) -> Any:
    """What `torch.save` wrote, of tensors, numbers, texts and settings of a command line only."""
    numbers: list[Any] = [np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0], np.dtype, np.ndarray]
    numbers += [np.dtypes.Float64DType, np.dtypes.Float32DType, np.dtypes.Int64DType, np.dtypes.Int32DType]
    try:
        with torch.serialization.safe_globals([argparse.Namespace, *numbers]):
            return torch.load(name, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise SymbreakError(
            f"{name} holds more than tensors, which is refused because it could run programs; save it anew "
            "by `torch.save(model.state_dict(), …)` where it came from."
        ) from error
    except Exception as error:  # torch.load raises many classes for damaged files
        raise SymbreakError(
            f"{name} is not a readable checkpoint ({_short(error)}); copy it anew."
        ) from error


def _unwrapped(content: Any, name: str, entry: str) -> dict[str, Tensor]:
    if entry:
        if not isinstance(content, Mapping) or entry not in content:
            raise SymbreakError(f"{name} has no entry {entry!r}; look at what it holds.")
        content = content[entry]
    elif isinstance(content, Mapping):
        entries = [key for key in _WRAPPERS if isinstance(content.get(key), Mapping)]
        if len(entries) > 1:
            raise SymbreakError(
                f"{name} holds several state dicts ({', '.join(entries)}); name one, as {name}#{entries[0]}."
            )
        content = content[entries[0]] if entries else content
    tensors = dict(content) if isinstance(content, Mapping) else {}
    if not tensors or not all(isinstance(part, Tensor) for part in tensors.values()):
        raise SymbreakError(f"{name} holds no state dict of tensors; give the weights of a network.")
    return tensors


def _without_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without prefixes that all names have; the count of averaged weights is none of the network's."""
    for prefix in _PREFIXES * 2:
        own = {name: tensor for name, tensor in tensors.items() if name != "n_averaged"}
        if own and all(name.startswith(prefix) for name in own):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in own.items()}
    return tensors


def _short(error: Exception) -> str:
    return (str(error).split("\n")[0] or type(error).__name__)[:120]
