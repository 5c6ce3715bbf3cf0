"""Weights kept during a training, at epochs equidistant on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from symbreak.errors import SymbreakError
from symbreak.models.weights import read_weights

#: What the header of a checkpoint may have different from that of the trained network; a killed training may
#: have gone on elsewhere.
_OWN = {"epoch", "validation_accuracy", "device"}


def checkpoint_epochs(epochs: int) -> list[int]:
    """Epochs whose weights are kept: 0 (untrained), the powers of two, and the last.

    Examples
    --------
    >>> checkpoint_epochs(12)
    [0, 1, 2, 4, 8, 12]
    """
    return [0, *(2**n for n in range(epochs.bit_length()) if 2**n < epochs), epochs]


def checkpoint_path(weights: str | Path, epoch: int) -> Path:
    """File of a checkpoint, in the folder of the trained network.

    Examples
    --------
    >>> checkpoint_path("seed1/network.safetensors", 4).as_posix()
    'seed1/checkpoints/epoch4.safetensors'
    """
    return Path(weights).parent / "checkpoints" / f"epoch{epoch}.safetensors"


def keep_checkpoints(
    weights: Path, epochs: int, resumes: bool, save: Callable[[Path, int], None]
) -> Callable[[int], None]:
    """Write the checkpoint of epoch 0 and return what a `Loop` calls after each epoch.

    The files of a killed run stay: the resumed run writes only those of later epochs, and as the state it
    goes on from is saved after the checkpoint of its epoch, none can be missing.

    Parameters
    ----------
    weights : Path
        Where the trained network will lie.
    epochs : int
        Epochs of the training.
    resumes : bool
        Whether a killed run goes on; if not, checkpoints of an earlier training are removed.
    save : callable
        Writes the present weights into a file, as those of an epoch.
    """
    if not resumes:
        for path in checkpoint_path(weights, 0).parent.glob("epoch*.safetensors"):
            path.unlink()
        save(checkpoint_path(weights, 0), 0)
    kept = set(checkpoint_epochs(epochs))

    def after_epoch(epoch: int) -> None:
        if epoch in kept:
            save(checkpoint_path(weights, epoch), epoch)

    return after_epoch


def require_checkpoints(weights: Path, epochs: int) -> dict[int, Path]:
    """Files of all checkpoints of a trained network by epoch.

    Raises
    ------
    SymbreakError
        If one is missing, damaged, or of another training.
    """
    known = read_weights(weights)[1]
    found = {}
    for epoch in checkpoint_epochs(epochs):
        path = checkpoint_path(weights, epoch)
        if not path.exists():
            raise SymbreakError(
                f"There is no checkpoint {path}; delete {weights} and train again with `checkpoints: log`."
            )
        own = read_weights(path)[1]
        if {k: v for k, v in own.items() if k not in _OWN} != {
            k: v for k, v in known.items() if k not in _OWN
        }:
            raise SymbreakError(
                f"The checkpoint {path} is of another training than {weights}; delete both and train again."
            )
        found[epoch] = path
    return found
