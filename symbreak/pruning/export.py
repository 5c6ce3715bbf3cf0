"""What pruning is worth where the network is used: bytes on disk, and time on a processor."""

from __future__ import annotations

import copy
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak import models
from symbreak.models.cct import Block
from symbreak.models.weights import write_weights

#: Forms in which a pruned network is measured.
FORMS = {
    "unpruned": "the network before pruning",
    "zeros": "pruned weights are zeros in dense matrices",
    "dropped": "nodes of Linear1 without any weight and empty rows and columns dropped",
    "csr": "every pruned layer as a sparse matrix (CSR)",
    "fastest": "each pruned layer in whichever form was fastest here",
}
#: Images per batch at which latency is measured.
BATCHES = (1, 100)


class GatheredLinear(nn.Module):
    """A fully connected layer without its empty rows and columns.

    Examples
    --------
    >>> dense = nn.Linear(3, 2)
    >>> dense.weight.data = torch.tensor([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    >>> layer, tokens = GatheredLinear(dense), torch.rand(4, 5, 3)
    >>> torch.allclose(layer(tokens), dense(tokens)), layer.weight.shape
    (True, torch.Size([1, 2]))
    """

    def __init__(self, dense: nn.Linear) -> None:
        super().__init__()
        weight = dense.weight.detach()
        self.bias = None if dense.bias is None else dense.bias.detach().clone()
        self.rows = (weight != 0).any(1).nonzero().squeeze(1)
        self.columns = (weight != 0).any(0).nonzero().squeeze(1)
        self.weight = weight[self.rows][:, self.columns].contiguous()
        self.outputs, self.inputs = weight.shape

    def forward(self, tokens: Tensor) -> Tensor:
        """(…, inputs) -> (…, outputs)."""
        used = tokens if len(self.columns) == self.inputs else tokens[..., self.columns]
        fields = functional.linear(used, self.weight)
        if len(self.rows) < self.outputs:
            whole = fields.new_zeros(*fields.shape[:-1], self.outputs)
            whole[..., self.rows] = fields
            fields = whole
        return fields if self.bias is None else fields + self.bias


class SparseLinear(nn.Module):
    """A fully connected layer whose weight is a sparse matrix in rows (CSR).

    Examples
    --------
    >>> dense = nn.Linear(3, 2)
    >>> dense.weight.data = torch.tensor([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    >>> tokens = torch.rand(4, 5, 3)
    >>> torch.allclose(SparseLinear(dense)(tokens), dense(tokens))
    True
    """

    def __init__(self, dense: nn.Linear) -> None:
        super().__init__()
        with warnings.catch_warnings():  # PyTorch calls its sparse rows a beta state, once per process
            warnings.simplefilter("ignore", UserWarning)
            self.weight = dense.weight.detach().to_sparse_csr()
        self.bias = None if dense.bias is None else dense.bias.detach().clone()
        self.outputs = dense.out_features

    def forward(self, tokens: Tensor) -> Tensor:
        """(…, inputs) -> (…, outputs)."""
        flat = tokens.reshape(-1, tokens.shape[-1])
        fields = (self.weight @ flat.T).T.reshape(*tokens.shape[:-1], self.outputs)
        return fields if self.bias is None else fields + self.bias


@torch.no_grad()
def compact_forms(pruned: models.Trunk, seconds: float = 0.1) -> dict[str, models.Trunk]:
    """A pruned network in every form but ``unpruned``; all compute the same.

    Parameters
    ----------
    pruned : CCT or CNN
        With its masks, on the CPU.
    seconds : float
        Time for each measurement that chooses the ``fastest`` form of a layer.
    """
    names = list(models.masks_of(pruned))
    zeros = models.without_masks(pruned).eval()
    narrow = copy.deepcopy(zeros)
    _drop_hidden(narrow)
    dropped = _replaced(narrow, names, GatheredLinear)
    csr = _replaced(zeros, names, SparseLinear)

    def fastest(dense: nn.Linear) -> nn.Module:
        tokens = torch.rand(64, dense.in_features)
        choices: list[nn.Module] = [dense, GatheredLinear(dense), SparseLinear(dense)]
        times = [median_time(lambda m=choice: m(tokens), seconds) for choice in choices]  # type: ignore[misc]
        return choices[int(np.argmin(times))]

    return {"zeros": zeros, "dropped": dropped, "csr": csr, "fastest": _replaced(narrow, names, fastest)}


def _replaced(
    network: models.Trunk, names: list[str], make: Callable[[nn.Linear], nn.Module]
) -> models.Trunk:
    changed = copy.deepcopy(network)
    for name in names:
        parent, _, own = name.rpartition(".")
        layer = changed.get_submodule(name)
        assert isinstance(layer, nn.Linear)
        setattr(changed.get_submodule(parent) if parent else changed, own, make(layer))
    return changed


def _drop_hidden(network: models.Trunk) -> None:
    """Drop nodes between Linear1 and Linear2 that nothing enters or leaves, keeping what they give always."""
    for block in network.blocks if isinstance(network, models.CCT) else []:
        assert isinstance(block, Block)
        first, second = block.linear1, block.linear2
        enters, leaves = (first.weight != 0).any(1), (second.weight != 0).any(0)
        constant = functional.gelu(first.bias) * ~enters
        kept = enters & leaves
        if bool(kept.all()):
            continue
        second.bias.data += second.weight @ constant
        first.weight, first.bias = nn.Parameter(first.weight[kept]), nn.Parameter(first.bias[kept])
        second.weight = nn.Parameter(second.weight[:, kept].contiguous())
        first.out_features = second.in_features = int(kept.sum())


def median_time(work: Callable[[], object], seconds: float) -> float:
    """Median time of the calls that fit into some seconds, at least three, after one that is not counted."""
    work()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


@torch.no_grad()
def measure_forms(
    unpruned: models.Trunk, pruned: models.Trunk, seconds: float = 0.3
) -> dict[str, dict[str, float]]:
    """Latency and bytes of a network before and after pruning, in every form.

    Parameters
    ----------
    unpruned, pruned : CCT or CNN
    seconds : float
        Time for each form and batch; forms take turns.

    Returns
    -------
    dict
        By form: ``latency_1`` and ``latency_100``, median seconds for batches of that many images on the
        CPU with the threads that torch has; ``bytes``, of a file: dense safetensors, kept values with one bit
        for each weight (``dropped``), values with their column numbers (``csr``); ``difference``, the
        largest deviation of an output field from that of ``zeros``.
    """
    cpu = copy.deepcopy(pruned).cpu().eval()
    forms = {"unpruned": copy.deepcopy(unpruned).cpu().eval()}
    forms |= compact_forms(cpu)
    side = pruned.network.image_size
    pixels = torch.randn(max(BATCHES), 3, side, side, generator=torch.Generator().manual_seed(0))
    truth = forms["zeros"](pixels)
    sizes = file_sizes(forms["unpruned"], cpu)
    found = {name: {"bytes": sizes[name]} for name in forms}
    for name, form in forms.items():
        found[name]["difference"] = float((form(pixels) - truth).abs().max())
    for size in BATCHES:
        for name, time_taken in _in_turns(forms, pixels[:size], seconds).items():
            found[name][f"latency_{size}"] = time_taken
    return found


def _in_turns(forms: dict[str, models.Trunk], pixels: Tensor, seconds: float) -> dict[str, float]:
    """Median times of forms that take turns, so that other work on the machine slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    while min(map(sum, times.values())) < seconds or min(map(len, times.values())) < 3:
        for name, form in forms.items():
            start = time.perf_counter()
            form(pixels)
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(taken)) for name, taken in times.items()}


def file_sizes(unpruned: models.Trunk, pruned: models.Trunk) -> dict[str, float]:
    """Bytes of a network in a file by form; NaN for the form that is chosen by time."""
    state, masks = unpruned.state_dict(), models.masks_of(pruned)
    plain = {name: tensor.numel() * tensor.element_size() for name, tensor in state.items()}
    csr = sum(plain.values())
    for name, kept in masks.items():
        index = 2 if kept.shape[1] <= np.iinfo(np.uint16).max else 4
        csr += int(kept.sum()) * (4 + index) + 4 * (len(kept) + 1) - plain[f"{name}.weight"]
    with tempfile.TemporaryDirectory() as folder:
        dense, bits = Path(folder) / "dense.safetensors", Path(folder) / "bits.safetensors"
        write_weights(dense, state, {})
        models.save(bits, pruned)
        size, packed = float(dense.stat().st_size), float(bits.stat().st_size)
    return {"unpruned": size, "zeros": size, "dropped": packed, "csr": float(csr), "fastest": float("nan")}
