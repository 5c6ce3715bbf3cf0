"""Outputs of many networks, in memory where they are few, else in a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

#: Bytes of outputs that are held in memory: all of them, or those of some images.
IN_MEMORY = 64_000_000


class Outputs:
    """Output fields of networks on the same images, read again by images or by networks.

    Parameters
    ----------
    in_memory : int
        Bytes beyond which they go to a temporary file.

    Examples
    --------
    >>> outputs = Outputs(in_memory=100)
    >>> for member in range(3):
    ...     outputs.append(np.full((4, 5), float(member)))
    >>> [(images.start, fields.shape) for images, fields in outputs.by_images()]
    [(0, (3, 1, 5)), (1, (3, 1, 5)), (2, (3, 1, 5)), (3, (3, 1, 5))]
    >>> outputs.of([2, 0])[:, 0, 0].tolist()
    [2.0, 0.0]
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._limit, self._size = in_memory, 0
        self._arrays: list[NDArray[np.floating]] = []
        self._file = tempfile.TemporaryFile(prefix="symbreak-outputs-")  # noqa: SIM115 - deletes itself
        self._kinds: list[tuple[int, np.dtype]] = []
        self._shape = (0, 0)

    def append(self, fields: NDArray[np.floating]) -> None:
        """Add those of one network, (images, labels)."""
        self._shape = fields.shape
        self._kinds.append((self._size, fields.dtype))
        self._size += fields.nbytes
        self._arrays.append(fields)
        if self._size > self._limit:
            for array in self._arrays:
                np.ascontiguousarray(array).tofile(self._file)
            self._file.flush()
            self._arrays = []

    def by_images(self) -> Iterator[tuple[slice, NDArray[np.floating]]]:
        """Some images at a time, and the fields of all networks on them, (networks, images, labels)."""
        n_images = self._shape[0]
        several = max(1, int(n_images * self._limit / max(self._size, 1)))
        for first in range(0, n_images, several):
            images = slice(first, min(first + several, n_images))
            yield images, self._read(range(len(self._kinds)), images)

    def of(self, members: Sequence[int]) -> NDArray[np.floating]:
        """Fields of some networks on all images, (networks, images, labels)."""
        return self._read(members, slice(0, self._shape[0]))

    def _read(self, members: Sequence[int], images: slice) -> NDArray[np.floating]:
        if self._size <= self._limit:
            return np.stack([self._arrays[member][images] for member in members])
        n_images, n_labels = images.stop - images.start, self._shape[1]
        dtype = np.result_type(*(self._kinds[member][1] for member in members))
        found = np.empty((len(members), n_images, n_labels), dtype)
        for row, member in enumerate(members):
            place, kind = self._kinds[member]
            offset = place + images.start * n_labels * kind.itemsize
            self._file.seek(offset)
            found[row] = np.fromfile(self._file, kind, n_images * n_labels).reshape(n_images, n_labels)
        return found
