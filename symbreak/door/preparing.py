"""How images are prepared for a network, and loaders of what is prepared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from symbreak.data.given import OnError, open_sets
from symbreak.errors import SymbreakError
from symbreak.learning.batches import normalise
from symbreak.models.cct import CCT
from symbreak.models.cnn import CNN
from symbreak.models.foreign import Resolved

Transform = Callable[[Any], Tensor]


def transform_of(
    network: Resolved,
    image_size: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Transform:
    """Preparation of a PIL image: as asked for by keys, else as the network's own library does it.

    Our own networks normalise every image by itself, as in their training by default.

    Parameters
    ----------
    network : Resolved
        Knows how its library prepares images.
    image_size : int, optional
        The shorter side is resized to it and the middle cut out.
    mean, std : sequence of float, optional
        Of the channels, on the scale 0 to 1.

    Raises
    ------
    SymbreakError
        If nothing tells how images are prepared.
    """
    own = isinstance(network.model, (CCT, CNN))
    if image_size is None and mean is None and std is None and not own:
        if network.transform is None:
            raise SymbreakError(
                f"Nothing tells how {network.name} takes its images; give image size, mean and deviation."
            )
        return network.transform
    if (mean is None) != (std is None) or (mean is None and not own):
        raise SymbreakError("Image size, mean and deviation belong together; give all of them.")
    side = image_size or (network.model.network.image_size if own else None)  # type: ignore[union-attr]
    if side is None:
        raise SymbreakError("Mean and deviation are given without a size; give the image size as well.")
    from torchvision.transforms import v2

    sized = v2.Compose([v2.Resize(side), v2.CenterCrop(side), v2.PILToTensor()])
    kind = "dataset" if mean is not None else "image"
    triples = tuple(map(float, mean or (0, 0, 0))), tuple(map(float, std or (1, 1, 1)))
    return lambda image: normalise(sized(image)[None], kind, *triples)[0]  # type: ignore[arg-type]


def loaders_of(
    network: Resolved,
    data: str | Path,
    batch_size: int = 50,
    workers: int = 0,
    on_error: OnError = "refuse",
    root: str = "data",
    **prepared: Any,
) -> tuple[DataLoader | None, DataLoader]:
    """Loaders of training and validation images of a source, prepared for a network.

    Parameters
    ----------
    network : Resolved
        Whose images they are.
    data, on_error, root
        As for `symbreak.data.given.open_sets`.
    batch_size, workers : int
        Images of a batch, and processes that read them.
    **prepared
        `image_size`, `mean` and `std` of `transform_of`.
    """
    train, validation = open_sets(str(data), transform_of(network, **prepared), on_error, root)
    first = None if train is None else loader_of(train, batch_size, workers)
    return first, loader_of(validation, batch_size, workers)


def loader_of(images: Dataset, batch_size: int, workers: int = 0) -> DataLoader:
    """Batches of a set in its order; images that could not be read are left out."""
    return DataLoader(images, batch_size, num_workers=workers, collate_fn=_without_missing)


def _without_missing(samples: list[Any]) -> Any:
    there = [sample for sample in samples if sample is not None]
    if not there:
        return torch.zeros(0), torch.zeros(0, dtype=torch.int64)
    return default_collate(there)
