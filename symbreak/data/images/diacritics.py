"""The embedded data set: 100 letters with and without diacritics, drawn from the fonts of matplotlib.

Twenty base letters, each plain and with four different marks, in sixteen faces. A label is one letter
with its mark, a superclass is the base letter: labels of one superclass share nearly all their ink.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import grid_sample

from symbreak.data.image_set import ImageSet, assemble
from symbreak.data.images import glyphs
from symbreak.errors import SymbreakError
from symbreak.progress import Progress

SIZE = 32
GROUPS = (
    *("AÁÄĀĄ", "aàâåą", "CÇĆĊČ", "EÈÊËĘ", "eéēěę", "GĜĞĠĢ", "gĝğġģ", "iìîïį", "LĹĻĽŁ", "NÑŃŅŇ"),
    *("nñńņň", "OÒÕÖØ", "SŚŜŞŠ", "UÚÜŮŲ", "uùûūų", "WŴẀẂẄ", "YÝŶŸỲ", "yýÿŷỳ", "dďđɗɖ", "tţťŧʈ"),
)
LETTERS = tuple("".join(GROUPS))
SUPERCLASS = tuple(i // 5 for i in range(100))
SUPERCLASS_NAMES = tuple(group[0] for group in GROUPS)

_CHUNK = 1000
_MARGIN = 0.75  # pixels of background left beyond the ink on every side
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True)
class Nuisance:
    """Amplitudes of everything that disturbs a letter, at ``nuisance = 1``.

    Attributes
    ----------
    rotation : float
        Largest rotation, degrees, either way.
    shear : float
        Largest horizontal shear, either way.
    stretch : float
        Largest logarithm of width over height, either way.
    shrink : float
        Largest fraction by which the letter stays below the largest size that fits.
    thicker, thinner : float
        Largest shift of the outline outwards and inwards, output pixels; never more than half of the
        way to the middle of the thickest stroke.
    blur : float
        Largest extra width of the edge's ramp, output pixels.
    contrast_loss : float
        Largest loss of contrast between letter and background, from 0.9.
    chroma : float
        Largest saturation of both colours, 1 = to the edge of the colour cube.
    gradient : float
        Largest change of brightness of the background from centre to rim.
    noise : float
        Largest standard deviation of the pixel noise.
    """

    rotation: float = 18.0
    shear: float = 0.25
    stretch: float = 0.25
    shrink: float = 0.35
    thicker: float = 0.6
    thinner: float = 0.35
    blur: float = 1.0
    contrast_loss: float = 0.65
    chroma: float = 1.0
    gradient: float = 0.3
    noise: float = 0.12


def draw(
    split: str, per_label: int, *, seed: int = 0, nuisance: float = 1.0, progress: bool = True
) -> ImageSet:
    """Draw one split: the same number of images of every label, in shuffled order.

    Parameters
    ----------
    split : {"train", "validation"}
        The splits use disjoint random streams of the same seed.
    per_label : int
        Images of each label.
    seed : int
        Seed, 0 or more.
    nuisance : float
        Scale of all amplitudes of `Nuisance`, 0 (one clean image per face and label) to 2.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    ImageSet
        ``uint8`` images of 32 x 32 pixels, the same bit for bit for the same arguments.

    Raises
    ------
    SymbreakError
        If a number is out of range.

    Examples
    --------
    >>> letters = draw("train", 1, progress=False)
    >>> letters.images.shape, letters.label_names[:3], letters.superclass[:6]
    (torch.Size([100, 3, 32, 32]), ('A', 'Á', 'Ä'), (0, 0, 0, 0, 0, 1))
    """
    _check(per_label, seed, nuisance)
    stream = np.random.SeedSequence(seed, spawn_key=({"train": 0, "validation": 1}[split],))
    generator = np.random.default_rng(stream)
    labels = generator.permutation(np.repeat(np.arange(len(LETTERS)), per_label))
    images = torch.empty(len(labels), 3, SIZE, SIZE, dtype=torch.uint8)
    fields = glyphs.fields(LETTERS)
    starts = range(0, len(labels), _CHUNK)
    for start in Progress(starts, desc=f"draw {split} letters", unit="k", disable=not progress):
        chunk = slice(start, start + _CHUNK)
        images[chunk] = _images(fields, labels[chunk], generator, nuisance)
    return assemble("diacritics", images, torch.from_numpy(labels), LETTERS, SUPERCLASS, SUPERCLASS_NAMES)


def _check(per_label: int, seed: int, nuisance: float) -> None:
    if per_label < 1:
        raise SymbreakError(f"diacritics cannot draw {per_label} images per label: ask for 1 or more.")
    if seed < 0:
        raise SymbreakError(f"The seed of diacritics is {seed}: choose 0 or more.")
    if not 0 <= nuisance <= 2:
        raise SymbreakError(f"The nuisance of diacritics is {nuisance}: choose a number between 0 and 2.")


def _images(
    fields: glyphs.Fields, labels: np.ndarray, generator: np.random.Generator, nuisance: float
) -> torch.Tensor:
    """Draw one image per label: letter, colours, background, noise. Return (n, 3, 32, 32) uint8."""
    amplitude = Nuisance()
    n = len(labels)
    faces = generator.integers(len(glyphs.FACES), size=n)
    covered = _coverage(fields, faces, labels, generator, nuisance).numpy()
    ink, paper = _colours(n, generator, nuisance)
    background = paper[:, :, None, None] + _gradient(n, generator, nuisance * amplitude.gradient)[:, None]
    image = background + covered[:, None] * (ink[:, :, None, None] - background)
    sigma = generator.random((n, 1, 1, 1), dtype=np.float32) * np.float32(nuisance * amplitude.noise)
    image += sigma * generator.standard_normal(image.shape, dtype=np.float32)
    return torch.from_numpy((np.clip(image, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8))


def _coverage(
    fields: glyphs.Fields,
    faces: np.ndarray,
    letters: np.ndarray,
    generator: np.random.Generator,
    nuisance: float,
) -> torch.Tensor:
    """Place the letters and return how much of every pixel is ink, (n, 32, 32), 0 ... 1."""
    amplitude, n = Nuisance(), len(letters)

    def between(low: float, high: float) -> np.ndarray:
        return generator.uniform(low, high, n) * nuisance

    stroke = between(-amplitude.thinner, amplitude.thicker)
    edge = 1 + between(0, amplitude.blur)
    shape = _shape(
        np.deg2rad(between(-amplitude.rotation, amplitude.rotation)),
        between(-amplitude.shear, amplitude.shear),
        between(-amplitude.stretch, amplitude.stretch),
    )
    # The box of the transformed letter bounds its ink; the rest of the frame is room to move in.
    extent = np.einsum("nij,nj->ni", np.abs(shape), fields.half_size[faces, letters])
    # A rim of the stroke's shift and half of the edge grows by the length of the map's rows at most.
    rim = (np.maximum(stroke, 0) + edge / 2)[:, None] * np.linalg.norm(shape, axis=2)
    room = SIZE / 2 - _MARGIN - rim
    scale = (room / extent).min(axis=1) * (1 - between(0, amplitude.shrink))
    stroke = np.maximum(stroke, -0.5 * scale * fields.distance[faces, letters].max(axis=(1, 2)))
    slack = room - scale[:, None] * extent
    shift = slack * generator.uniform(-1, 1, (n, 2)) * min(nuisance, 1.0)
    inverse = np.linalg.inv(shape * scale[:, None, None]) * (SIZE / glyphs.FIELD)
    offset = -np.einsum("nij,nj->ni", inverse, shift / (SIZE / 2))
    theta = torch.from_numpy(np.concatenate([inverse, offset[:, :, None]], axis=2).astype(np.float32))
    grid = torch.nn.functional.affine_grid(theta, [n, 1, SIZE, SIZE], align_corners=False)
    source = torch.from_numpy(fields.distance[faces, letters])[:, None]
    distance = grid_sample(source, grid, padding_mode="border", align_corners=False)[:, 0]
    # Beyond the canvas the field goes on falling; small letters would otherwise have a veil around them.
    distance -= (grid.abs() - 1).clamp(min=0).amax(dim=3) * (glyphs.FIELD / 2)
    columns = torch.from_numpy(np.stack([scale, stroke, edge]).astype(np.float32))[:, :, None, None]
    return (0.5 + (distance * columns[0] + columns[1]) / columns[2]).clamp(0, 1)


def _shape(angle: np.ndarray, shear: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """Compose rotation, horizontal shear and stretch at constant area: (n, 2, 2), determinant 1."""
    cos, sin = np.cos(angle), np.sin(angle)
    wide, high = np.exp(stretch / 2), np.exp(-stretch / 2)
    rotation = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    zero = np.zeros_like(wide)
    stretched = np.stack([np.stack([wide, shear * high], -1), np.stack([zero, high], -1)], -2)
    return rotation @ stretched


def _colours(n: int, generator: np.random.Generator, nuisance: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw the colours of ink and paper, (n, 3) each in 0 ... 1; their luma differs by at least 0.2."""
    strength = min(nuisance, 1.0)
    loss = generator.random(n) * nuisance * Nuisance().contrast_loss
    contrast = np.maximum(0.9 - loss, 0.2)
    bright_ink = generator.random(n) < 0.5 * strength
    middle = 0.5 + (generator.random(n) - 0.5) * (1 - contrast) * strength
    half = np.where(bright_ink, contrast / 2, -contrast / 2)
    saturation = generator.random((2, n)) * strength * Nuisance().chroma
    hue = generator.standard_normal((2, n, 3))
    ink, paper = (_tint(luma, hue[i], saturation[i]) for i, luma in enumerate((middle + half, middle - half)))
    return ink, paper


def _tint(luma: np.ndarray, hue: np.ndarray, saturation: np.ndarray) -> np.ndarray:
    """Move from grey towards a hue without changing luma, at most to the edge of the colour cube."""
    direction = hue - (hue @ _LUMA)[:, None]
    room = np.where(direction > 0, 1 - luma[:, None], luma[:, None]) / np.maximum(np.abs(direction), 1e-6)
    step = saturation * room.min(axis=1)
    return (luma[:, None] + step[:, None] * direction).astype(np.float32)


def _gradient(n: int, generator: np.random.Generator, amplitude: float) -> np.ndarray:
    """Draw a plane plus two saddles over the frame, (n, 32, 32), at most ``amplitude`` in size."""
    axis = np.linspace(-1, 1, SIZE, dtype=np.float32)
    x, y = axis[None, :], axis[:, None]
    modes = np.stack(np.broadcast_arrays(x, y, x * y, x**2 - y**2))  # each within -1 ... 1
    largest = np.float32(amplitude / len(modes))
    weights = generator.uniform(-1, 1, (n, len(modes))).astype(np.float32) * largest
    return np.tensordot(weights, modes, axes=1)


def picture(path: str, seed: int = 0) -> None:
    """Draw the picture of the documentation: every label four times, one column per superclass.

    Parameters
    ----------
    path : str
        Where to write it; the ending chooses the format.
    seed : int
        Seed of the drawing.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     picture(f"{folder}/letters.png")
    ...     (pathlib.Path(folder) / "letters.png").stat().st_size > 10_000
    True
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    letters = draw("train", 2, seed=seed, progress=False)
    order = torch.argsort(letters.labels, stable=True)
    tiles = letters.images[order].reshape(20, 10, 3, SIZE, SIZE)  # (superclass, label and copy, ...)
    sheet = tiles.permute(1, 3, 0, 4, 2).reshape(10 * SIZE, 20 * SIZE, 3).numpy()
    figure = Figure(figsize=(12, 6.3), layout="constrained")
    axes = FigureCanvasAgg(figure).figure.add_subplot()
    axes.imshow(sheet, interpolation="nearest")
    axes.set_xticks(SIZE * (np.arange(20) + 0.5), SUPERCLASS_NAMES)
    axes.set_yticks(SIZE * (2 * np.arange(5) + 1), ["plain", "mark 1", "mark 2", "mark 3", "mark 4"])
    axes.set_xlabel("superclass (base letter)")
    axes.set_ylabel("label within the superclass, two draws each")
    for line in range(1, 20):
        axes.axvline(SIZE * line - 0.5, color="white", linewidth=1)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw a sheet of sample letters.")
    parser.add_argument("--picture", default="diacritics.png", help="file to write")
    parser.add_argument("--seed", type=int, default=0, help="seed of the drawing")
    options = parser.parse_args()
    picture(options.picture, options.seed)
