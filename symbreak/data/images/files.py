"""Files of images as people have them, and where their folders lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from symbreak.errors import Damaged, NotAllowed, NotFound, SymbreakError

if TYPE_CHECKING:
    from PIL import Image


def read_image(path: Path, side: int | None = None) -> Image.Image:
    """Read an image of any kind in three colours of 8 bits.

    Parameters
    ----------
    path : Path
        The file.
    side : int, optional
        A JPEG is decoded no larger than needed for this side in pixels.

    Raises
    ------
    SymbreakError
        If it is missing, damaged, or unfolds to more pixels than Pillow allows.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            if side is not None:
                opened.draft("RGB", (side, side))
            opened.load()
            image = _eight_bits(opened) if opened.mode.startswith(("I", "F")) else opened
            return image.convert("RGB")
    except FileNotFoundError:
        raise NotFound(f"{path} is missing; unpack its archive anew.") from None
    except Image.DecompressionBombError as error:
        raise Damaged(f"{path} unfolds to too many pixels ({error}); {Damaged.cure}.") from error
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, EOFError) as error:
        raise Damaged(f"{path} is damaged ({error}); unpack its archive anew.") from error


def _eight_bits(opened: Image.Image) -> Image.Image:
    """Grey levels of 16 bits, or floating-point ones from 0 to 1, on the scale of 8 bits."""
    from PIL import Image

    levels = np.asarray(opened)
    largest = 65535 if levels.dtype.kind != "f" else 1 if levels.max(initial=0) <= 1 else 255
    return Image.fromarray(np.clip(np.rint(levels * (255 / largest)), 0, 255).astype("uint8"))


def hint(root: Path, name: str) -> str:
    """Say where the folder of a data set lies, if `root` names a place too deep or not deep enough.

    Examples
    --------
    >>> hint(Path("data/cifar-100-python"), "cifar-100-python")
    ''
    """
    if root.name == name and root.is_dir():
        return f"data.root is that folder itself, set it to {root.parent}"
    below = sorted(path.parent for path in root.glob(f"*/{name}") if path.is_dir()) if root.is_dir() else []
    if below:
        return f"it lies one level deeper, set data.root to {below[0]}"
    found = next((up for up in root.absolute().parents[:2] if (up / name).is_dir()), None)
    return f"it lies one level higher, set data.root to {found}" if found else ""


def unfetched(title: str, folder: Path, error: Exception, cure: str) -> SymbreakError:
    """The error of a data set that is not there and could not be fetched, with the cure of its cause."""
    better = hint(folder.parent, folder.name)
    if isinstance(error, PermissionError) or getattr(error, "errno", None) == 30:
        where = getattr(error, "filename", None) or folder
        return NotAllowed(
            f"{title} is not whole in {folder}, and {where} may not be written; {better or cure}."
        )
    return SymbreakError(f"{title} is not in {folder} and could not be fetched ({error}): {better or cure}.")
