"""Letters as distance fields: every glyph of every face is rendered once, large, and kept.

The value of a field is the distance to the outline, positive inside the stroke. A field survives
rotation, shear and scaling, a threshold other than zero makes the stroke thicker or thinner, and a
ramp instead of a threshold makes its edge smooth.

Rendering takes seconds, which every verb on these letters would spend anew. So the fields are kept where the
compiled kernels are: in the folder that `NUMBA_CACHE_DIR` names, else in that of this file's byte code.
"""

import os
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from symbreak.errors import SymbreakError

INK = 80  # longest side of the rendered letter, pixels
CANVAS = 104  # side of the square in which it is rendered
FIELD = CANVAS // 2  # side of the stored field

FACES = (
    *("DejaVuSans", "DejaVuSans-Oblique", "DejaVuSans-Bold", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Oblique", "DejaVuSansMono-Bold", "DejaVuSansMono-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Italic", "DejaVuSerif-Bold", "DejaVuSerif-BoldItalic"),
    *("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "STIXGeneralBolIta"),
)


class Fields(NamedTuple):
    """Distance fields of letters in faces.

    Attributes
    ----------
    distance : numpy.ndarray
        ``float32``, shape (faces, letters, FIELD, FIELD): distance to the outline in field pixels,
        positive inside; the letter's bounding box is centred.
    half_size : numpy.ndarray
        ``float32``, shape (faces, letters, 2): half width and half height of that box, field pixels.
    """

    distance: np.ndarray
    half_size: np.ndarray


def face_path(face: str) -> Path:
    """Return where matplotlib keeps a face.

    Parameters
    ----------
    face : str
        One of `FACES`.

    Returns
    -------
    pathlib.Path
        The TrueType file.

    Examples
    --------
    >>> face_path("DejaVuSans").name
    'DejaVuSans.ttf'
    """
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"


def characters(face: str) -> frozenset[str]:
    """Return all characters for which a face has a glyph.

    Parameters
    ----------
    face : str
        One of `FACES`.

    Returns
    -------
    frozenset of str
        Single characters.

    Examples
    --------
    >>> "Å" in characters("STIXGeneral")
    True
    """
    from matplotlib.ft2font import FT2Font

    return frozenset(map(chr, FT2Font(str(face_path(face))).get_charmap()))


def render(face: str, letter: str, longest: int = INK) -> np.ndarray:
    """Render one letter so large that the longer side of its ink is ``longest`` pixels.

    Parameters
    ----------
    face : str
        One of `FACES`.
    letter : str
        One character.
    longest : int
        Longer side of the ink in pixels, to within a pixel.

    Returns
    -------
    numpy.ndarray
        ``uint8`` coverage, 255 = ink, cut to the ink.

    Examples
    --------
    >>> abs(max(render("DejaVuSerif", "Ä").shape) - INK) <= 2
    True
    """
    from matplotlib.ft2font import FT2Font

    font, points = FT2Font(str(face_path(face))), float(longest)
    for _ in range(2):  # the first pass only tells how large the letter is at this size
        font.set_size(points, 72)
        font.set_text(letter, 0.0)
        font.draw_glyphs_to_bitmap(antialiased=True)
        ink = np.asarray(font.get_image())
        ink = ink[np.ix_(ink.any(axis=1), ink.any(axis=0))] if ink.any() else ink
        rows, columns = np.nonzero(ink > 127)
        points *= longest / (1 + max(np.ptp(rows), np.ptp(columns)))
    ink = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return ink


def distance_field(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn a rendered letter into a distance field on the centred canvas.

    Parameters
    ----------
    ink : numpy.ndarray
        ``uint8`` coverage of shape (height, width), both well below `CANVAS`.

    Returns
    -------
    tuple of numpy.ndarray
        The field, ``float32`` (FIELD, FIELD) in field pixels, and (half width, half height).

    Examples
    --------
    >>> field, half = distance_field(np.full((80, 20), 255, dtype=np.uint8))
    >>> bool(field[26, 26] > 4), bool(field[0, 0] < -5), half.tolist()
    (True, True, [5.0, 20.0])
    """
    from scipy.ndimage import distance_transform_edt

    height, width = ink.shape
    top, left = (CANVAS - height) // 2, (CANVAS - width) // 2
    inside = np.zeros((CANVAS, CANVAS), dtype=bool)
    inside[top : top + height, left : left + width] = ink > 127
    # The transform counts to the nearest pixel of the other kind; the outline lies half a pixel before it.
    field = np.where(inside, distance_transform_edt(inside) - 0.5, 0.5 - distance_transform_edt(~inside))
    field = field.reshape(FIELD, 2, FIELD, 2).mean(axis=(1, 3)) / 2
    return field.astype(np.float32), np.array([width, height], dtype=np.float32) / 4


@lru_cache(maxsize=4)
def fields(letters: tuple[str, ...], faces: tuple[str, ...] = FACES) -> Fields:
    """Return the distance fields of all letters in all faces, rendered at the first call on a machine.

    Parameters
    ----------
    letters : tuple of str
        Single characters.
    faces : tuple of str
        Names out of `FACES`.

    Returns
    -------
    Fields
        About 10 kB per glyph.

    Examples
    --------
    >>> fields(("a", "å"), ("DejaVuSans",)).distance.shape
    (1, 2, 52, 52)
    """
    kept = _kept_file(letters, faces)
    shape = (len(faces), len(letters))
    found = _read(kept, shape) or _rendered(letters, faces)
    if not kept.exists():
        _keep(kept, found)
    return found


def _kept_file(letters: tuple[str, ...], faces: tuple[str, ...]) -> Path:
    """Where these fields are kept: its name holds everything that determines them."""
    from matplotlib import __version__, ft2font

    folder = os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent / "__pycache__"
    words = (letters, faces, __version__, ft2font.__freetype_version__)
    digest = sha256(Path(__file__).read_bytes() + repr(words).encode()).hexdigest()
    return Path(folder) / f"glyphs-{digest[:16]}.npz"


def _keep(path: Path, fields: Fields) -> None:
    """Write the fields; where nothing can be written, they are rendered anew the next time."""
    from symbreak.store.atomic import replacing

    with suppress(SymbreakError), replacing(path) as temporary, open(temporary, "wb") as handle:
        np.savez(handle, allow_pickle=False, distance=fields.distance, half_size=fields.half_size)


def _read(path: Path, shape: tuple[int, int]) -> Fields | None:
    """Fields of a file; None if there is none or it is damaged, and then it is removed."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            found = Fields(kept["distance"], kept["half_size"])
    except FileNotFoundError:
        return None
    except Exception:  # whatever a damaged archive makes numpy raise: the fields can be made again
        found = Fields(np.empty(0), np.empty(0))
    whole = found.distance.shape == (*shape, FIELD, FIELD) and found.half_size.shape == (*shape, 2)
    if whole and found.distance.dtype == found.half_size.dtype == np.float32:
        return found
    with suppress(OSError):
        path.unlink()
    return None


def _rendered(letters: tuple[str, ...], faces: tuple[str, ...]) -> Fields:
    distance = np.empty((len(faces), len(letters), FIELD, FIELD), dtype=np.float32)
    half_size = np.empty((len(faces), len(letters), 2), dtype=np.float32)
    for i, face in enumerate(faces):
        for j, letter in enumerate(letters):
            distance[i, j], half_size[i, j] = distance_field(render(face, letter))
    return Fields(distance, half_size)
