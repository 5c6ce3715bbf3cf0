"""Read the published CCT checkpoints by their own key names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from symbreak.errors import SymbreakError
from symbreak.models.cct import CCT
from symbreak.models.registry import build
from symbreak.models.tensors import read_tensors

#: Published name -> ours, inside an encoder block.
_BLOCK = {
    "pre_norm": "attention_norm",
    "self_attn.qkv": "qkv",
    "self_attn.proj": "projection",
    "linear1": "linear1",
    "norm1": "feedforward_norm",
    "linear2": "linear2",
}
_CLASSIFIER = {"norm": "norm", "attention_pool": "pooling", "fc": "readout"}


def load_official(
    state_dict: Mapping[str, Tensor], heads: int | list[int] | None = None, **options: Any
) -> CCT:
    """Build the CCT whose published `state_dict` this is.

    Blocks, kernel, convolutions, width, labels and positional embedding are read
    off the tensors; the number of heads is not recorded there.

    Parameters
    ----------
    state_dict : mapping of str to tensor
        Keys ``tokenizer.conv_layers.{i}.0.weight``, ``classifier.blocks.{i}.…``,
        ``classifier.{norm,attention_pool,fc,positional_emb}``; `read_official` reads a file.
    heads : int or list of int
        Number of heads, one for each block where they differ; the tensors do not tell it.
    **options
        Keys of `symbreak.config.Network` that the tensors do not tell either: `image_size` (default 32),
        `positional_embedding="sine"`.

    Raises
    ------
    SymbreakError
        If keys are missing, foreign, or do not fit, or no number of heads is given.

    Examples
    --------
    >>> from symbreak.models import build
    >>> network = build("cct_2_3x1", labels=10, dim=32)
    >>> load_official(export_official(network), heads=4).labels
    10
    """
    state_dict = _without_prefix(state_dict)
    try:
        shape = _shape(state_dict)
    except (KeyError, ValueError, IndexError, ZeroDivisionError) as error:
        raise SymbreakError(f"This is not a published CCT state dict, the key {error} is missing.") from None
    if heads is None:
        raise SymbreakError("A published CCT does not tell its number of heads; give it as `heads`.")
    renamed = {_rename(key): tensor for key, tensor in state_dict.items()}
    network = build(**(shape | options), heads=heads)
    assert isinstance(network, CCT)
    try:
        network.load_state_dict(renamed)
    except RuntimeError as error:
        reason = str(error).split("\n")[1].strip() if "\n" in str(error) else str(error)
        cure = _cure(network, renamed)
        raise SymbreakError(
            f"The published state dict does not fit {shape['name']}: {reason}{cure}"
        ) from None
    return network


def read_official(path: str | Path, **options: Any) -> CCT:
    """Read a published checkpoint, a ``.pth`` file, without running what a pickle could make run.

    Parameters
    ----------
    path : path
        File that ``torch.save`` wrote: the state dict, or a mapping that holds it as ``model`` or
        ``state_dict``.
    **options
        As for `load_official`.

    Raises
    ------
    SymbreakError
        If the file is missing, damaged, holds anything but tensors, or is of another network.

    Examples
    --------
    >>> read_official("no such file.pth")
    Traceback (most recent call last):
    ...
    symbreak.errors.SymbreakError: There are no weights at no such file.pth; check the path.
    """
    return load_official(read_tensors(path), **options)


def is_official(state_dict: Mapping[str, Tensor]) -> bool:
    """Whether these are names of the published implementation.

    Examples
    --------
    >>> is_official({"blocks.0.qkv.weight": Tensor()})
    False
    """
    return any(re.match(r"classifier\.blocks\.\d+\.", key) for key in state_dict)


def export_official(network: CCT) -> dict[str, Tensor]:
    """Name the tensors of a network as the published implementation does."""
    return {_publish(key): tensor for key, tensor in network.state_dict().items()}


def _without_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict without what wrappers put before all names: ``module.``, ``_orig_mod.``, ``model.``."""
    ends = [key.removesuffix("classifier.fc.weight") for key in state if key.endswith("classifier.fc.weight")]
    prefix = ends[0] if len(ends) == 1 and all(key.startswith(ends[0]) for key in state) else ""
    return {key.removeprefix(prefix): tensor for key, tensor in state.items()}


def _cure(network: CCT, state: Mapping[str, Tensor]) -> str:
    """What to do about positions of images of another size; nothing where they are not the reason."""
    own, given = network.positional_embedding, state.get("positional_embedding")
    if own is None or given is None or own.shape == given.shape:
        return ""
    sides = [side for side in range(4, 513, 4) if network.tokenizer.tokens(side) == given.shape[1]]
    sizes = f", {' or '.join(map(str, sorted({sides[0], sides[-1]})))}" if sides else ""
    return f" It was trained on images of another size; give its `image_size`{sizes}."


def _shape(state: Mapping[str, Tensor]) -> dict[str, Any]:
    numbers = (re.fullmatch(r"tokenizer\.conv_layers\.(\d+)\.0\.weight", key) for key in state)
    convolutions = sorted(int(found[1]) for found in numbers if found)
    blocks = {m.group(1) for k in state if (m := re.match(r"classifier\.blocks\.(\d+)\.", k))}
    first = state["tokenizer.conv_layers.0.0.weight"]
    labels, dim = state["classifier.fc.weight"].shape
    shape: dict[str, Any] = {
        "name": f"cct_{len(blocks)}_{first.shape[-1]}x{len(convolutions)}",
        "labels": labels,
        "dim": dim,
        "mlp_ratio": state["classifier.blocks.0.linear1.weight"].shape[0] / dim,
        "positional_embedding": "learnable" if "classifier.positional_emb" in state else "none",
    }
    if len(convolutions) > 1:
        inner = [state[f"tokenizer.conv_layers.{number}.0.weight"].shape[0] for number in convolutions[:-1]]
        shape["inner_channels"] = inner[0] if len(set(inner)) == 1 else inner
    return shape


def _rename(key: str) -> str:
    for theirs, ours in _BLOCK.items():
        key = re.sub(rf"^classifier\.blocks\.(\d+)\.{re.escape(theirs)}\.", rf"blocks.\1.{ours}.", key)
    for theirs, ours in _CLASSIFIER.items():
        key = re.sub(rf"^classifier\.{theirs}\.", f"{ours}.", key)
    key = re.sub(r"^tokenizer\.conv_layers\.(\d+)\.0\.", r"tokenizer.convolutions.\1.", key)
    return key.replace("classifier.positional_emb", "positional_embedding")


def _publish(key: str) -> str:
    for theirs, ours in _BLOCK.items():
        key = re.sub(rf"^blocks\.(\d+)\.{ours}\.", rf"classifier.blocks.\1.{theirs}.", key)
    for theirs, ours in _CLASSIFIER.items():
        key = re.sub(rf"^{ours}\.", f"classifier.{theirs}.", key)
    key = re.sub(r"^tokenizer\.convolutions\.(\d+)\.", r"tokenizer.conv_layers.\1.0.", key)
    return key.replace("positional_embedding", "classifier.positional_emb")
