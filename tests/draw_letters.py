"""Six labels of letters as a folder of images: `python tests/draw_letters.py letters`."""

import sys
from pathlib import Path

from PIL import Image

from symbreak import data


def draw(root, labels=6, per_label=12):
    """One folder for each label."""
    letters = data.load("diacritics", "train", train_per_label=per_label, progress=False)
    for number, (pixels, label) in enumerate(zip(letters.images, letters.labels, strict=True)):
        if label < labels:
            folder = Path(root) / f"letter {int(label)}"
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(folder / f"{number}.png")


if __name__ == "__main__":
    draw(sys.argv[1])
