"""Batches of whatever loader, and what a network says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from symbreak.errors import SymbreakError
from symbreak.taps import Inputs, first_tensor


def batches(loader: Iterable[Any], what: str) -> Iterator[tuple[Inputs, NDArray[np.int64]]]:
    """Inputs and labels of a loader that yields (inputs, labels), or mappings with a key `labels`.

    Raises
    ------
    SymbreakError
        If it yields something else.
    """
    empty = True
    for batch in loader:
        if isinstance(batch, Mapping):
            inputs: Any = {key: value for key, value in batch.items() if key != "labels"}
            labels = batch.get("labels")
        elif isinstance(batch, Sequence) and len(batch) == 2:
            inputs, labels = batch
        else:
            labels = None
        if labels is None or not isinstance(inputs, (Tensor, Mapping)):
            raise SymbreakError(
                f"The {what} loader yields {type(batch).__name__}; it must yield (inputs, labels), where "
                "inputs are a tensor or the keywords of the network's forward."
            )
        numbers = torch.as_tensor(labels)
        if numbers.ndim != 1 or numbers.is_floating_point() or (len(numbers) and int(numbers.min()) < 0):
            raise SymbreakError(f"The {what} labels are no integers from 0; number the labels so.")
        if len(numbers):
            empty = False
            yield inputs, numbers.cpu().numpy().astype(np.int64)
    if empty:
        raise SymbreakError(f"The {what} loader has no inputs; give some.")


def on_device(inputs: Inputs, model: nn.Module) -> Inputs:
    """Inputs on the device of a network."""
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    if isinstance(inputs, Tensor):
        return inputs.to(device)
    return {key: value.to(device) if isinstance(value, Tensor) else value for key, value in inputs.items()}


def names_of(loader: Any) -> list[str] | None:
    """Names of the labels, where the data set of a loader tells them as `classes`."""
    data = getattr(loader, "dataset", loader)
    while hasattr(data, "dataset"):  # of a subset
        data = data.dataset
    names = getattr(data, "classes", None)
    return [str(name) for name in names] if isinstance(names, (list, tuple)) else None


def superclasses_of(loader: Any) -> list[str] | None:
    """Names of the superclass of each label, where the data set of a loader tells them."""
    names = getattr(getattr(loader, "dataset", loader), "superclasses", None)
    return [str(name) for name in names] if isinstance(names, (list, tuple)) else None


def output_fields(output: Any) -> Tensor | None:
    """Output units, (inputs, labels), of what a network returned; None where it has no classifier."""
    logits = getattr(output, "logits", None)
    if isinstance(logits, Tensor):
        return logits
    if hasattr(output, "last_hidden_state"):
        return None
    tensor = first_tensor(output)
    return tensor if tensor is not None and tensor.ndim == 2 else None


class Pooling:
    """Pooling over the tokens of a tap: those that pad a text, or come before an image, do not count.

    Parameters
    ----------
    how : {"mean", "cls"}
        Mean over the tokens of the input, or the first token.
    prefix : int
        Tokens before those of the input, such as a class token.
    normed : bool
        Whether each token is normalised first, as on the residual stream.
    """

    def __init__(self, how: str, prefix: int) -> None:
        if how not in ("mean", "cls"):
            raise SymbreakError(f"There is no pooling {how!r}; choose mean or cls.")
        self.how, self.prefix = how, prefix

    def __call__(self, tokens: Tensor, inputs: Inputs, normed: bool) -> Tensor:
        """(inputs, tokens, nodes) -> pooled features (inputs, nodes), float32."""
        tokens = tokens.float()
        if normed:
            tokens = nn.functional.layer_norm(tokens, tokens.shape[-1:])
        if self.how == "cls":
            return tokens[:, 0]
        tokens = tokens[:, self.prefix :]
        mask = inputs.get("attention_mask") if isinstance(inputs, Mapping) else None
        if mask is None or mask.shape != tokens.shape[:2]:
            return tokens.mean(1)
        weights = mask.to(tokens)[:, :, None]
        return (tokens * weights).sum(1) / weights.sum(1).clamp(min=1)
