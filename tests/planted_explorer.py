"""A BERT-like network of 12 heads and 150 labels, two CNNs, and names that would do harm."""

import numpy as np
import planted_results as planted

from symbreak.planted import moments_example
from symbreak.store import write_dataset

LABELS, HEADS = 150, 12
HARM = "</script><img src=x onerror=\"document.title='harmed'\">$$x$$"


def grouped(moments):
    names = np.array([HARM, *(f"label {i:03d}" for i in range(1, LABELS))])
    return moments.assign_coords(
        superclass_of_label=("label", np.arange(LABELS, dtype="int32") % 7),
        superclass_name=("superclass", np.array([f"<b>{name}" for name in "abcdefg"])),
        superclass=np.arange(7),
        label_name=("label", names),
    )


def write_all(folder):
    """A BERT-like network of 12 heads and a CNN, two seeds, two blocks, 150 labels."""
    for seed in (1, 2):
        sizes = {"blocks": 2, "labels": LABELS, "heads": HEADS, "seed": seed}
        bert = grouped(moments_example(nodes=8 * HEADS, **sizes))
        bias = np.random.default_rng(seed).normal(size=(2, LABELS))
        kept = bert.drop_vars("head_of_node").assign(readout_bias=(("block", "output"), bias))
        few = grouped(moments_example(nodes=16, **sizes | {"heads": 2}))
        of_node = np.repeat(np.arange(1, 5), 4)
        filters = few.drop_vars("head_of_node").assign_coords(
            filter_of_node=(("block", "node"), [of_node, np.where(of_node < 3, of_node, 0)])
        )
        many = grouped(moments_example(nodes=640, **sizes | {"heads": 2, "blocks": 1}))
        wide = many.drop_vars("head_of_node").assign_coords(
            filter_of_node=(("block", "node"), [np.repeat(np.arange(1, 3), 320)])
        )
        files = {
            "bert": {"attention": bert, "block": kept},
            "cnn": {"filters": filters},
            "vgg": {"filters": wide},
        }
        for network, taps in files.items():
            for tap, moments in taps.items():
                path = folder / network / f"seed{seed}" / "moments" / f"{tap}.nc"
                write_dataset(path, moments, "moments", planted.facts(seed, tap))
