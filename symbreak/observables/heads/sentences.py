"""The answer for every block in one plain sentence: do its heads divide the labels beyond chance?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from symbreak.errors import SymbreakError
from symbreak.numerics.combining import combined_p_value
from symbreak.numerics.estimates import benjamini_hochberg

#: Order parameters that the sentence goes by -> their words. They are smooth functions of the counts, so that
#: their p-values are uniform without order; numbers of owned labels come in steps and only describe.
JUDGED = {
    "mutual_information": "mutual information of head and label",
    "edwards_anderson_unbiased": "Edwards-Anderson order",
}


class BlockSentence(NamedTuple):
    """What is said of the heads of one block.

    Attributes
    ----------
    block : int
        From 1.
    sentence : str
        Plain text that ends with a full stop.
    p, q : float
        The larger one of the two order parameters, before and after Benjamini-Hochberg over the blocks. NaN
        in a block of one head, and where a seed was not tested.
    beyond_chance : bool
        Whether q is at most the level.
    share : float
        Seeds that reject alone, each at p no larger than the level; NaN where p is.
    """

    block: int
    sentence: str
    p: float
    q: float
    beyond_chance: bool
    share: float


def block_sentences(heads: xr.Dataset, level: float | None = None) -> list[BlockSentence]:
    r"""Say of every block in one sentence whether its heads divide the labels beyond chance.

    The verdict needs both the mutual information and the unbiased Edwards-Anderson order, each compared with
    nodes shuffled among the heads: p is the larger of the two, of several seeds each after Stouffer's
    combination, and q its adjustment over all blocks (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 289
    (1995)). The null is the exchangeability of nodes: also heads that merely hold nodes of one kind, twins of
    each other, reject it.

    Parameters
    ----------
    heads : Dataset
        Heads of one tap, of one seed or joined over seeds; for one seed of a joined file pass
        ``heads.sel(seed=1)``.
    level : float, optional
        Largest q that counts as evidence; by default the level that the file was made with.

    Returns
    -------
    list of BlockSentence
        The last block first.

    Raises
    ------
    SymbreakError
        If the dataset holds no heads.

    Examples
    --------
    >>> from symbreak.planted import head_tables_example
    >>> found = block_sentences(head_tables_example())[0]
    >>> found.block, found.sentence.startswith("Block 2: ")
    (2, True)
    """
    missing = [name for name in (*JUDGED, "n_owned_total") if name not in heads]
    if missing:
        raise SymbreakError(
            f"The dataset has no {', '.join(missing)}; give a file of the folder `heads`, or what "
            "`head_tables` returns."
        )
    seeded = heads if "seed" in heads.dims else heads.expand_dims("seed")
    limit = float(heads.attrs.get("level", 0.05)) if level is None else level
    blocks = [seeded.sel(block=block) for block in heads.block.values]
    p_values = np.array([_p_value(chosen) for chosen in blocks])
    q_values = benjamini_hochberg(p_values)
    return [_answer(*found, limit) for found in zip(blocks, p_values.tolist(), q_values.tolist())][::-1]


def _p_value(chosen: xr.Dataset) -> float:
    """Of the intersection of both tests: their larger p-value."""
    return float(np.max([combined_p_value(chosen[f"{name}_p"].values) for name in JUDGED]))


def _answer(chosen: xr.Dataset, p: float, q: float, level: float) -> BlockSentence:
    block, seeds = int(chosen.block), chosen.sizes["seed"]
    owned = f"{float(chosen.n_owned_total.mean()):.3g} of {chosen.sizes['label']} labels have an owner"
    if int(chosen.n_heads.max()) == 1:
        sentence = f"Block {block}: a single head has nothing to divide the labels with; {owned}."
        return BlockSentence(block, sentence, np.nan, np.nan, False, np.nan)
    owned += f" ({float(chosen.n_owned_total_null.mean()):.3g} by chance)"
    if np.isnan(p):
        sentence = f"Block {block}: not testable, an order parameter has no p-value; {owned}."
        return BlockSentence(block, sentence, np.nan, np.nan, False, np.nan)
    beyond = bool(q <= level)
    verdict = "divide the labels beyond chance" if beyond else "divide the labels no more than chance shows"
    orders = [
        f"{words} {float(chosen[name].mean()):.3g} compared with "
        f"{float(chosen[f'{name}_null'].mean()):.3g} ± {float(chosen[f'{name}_null_deviation'].mean()):.2g}"
        for name, words in JUDGED.items()
    ]
    alone = np.max([chosen[f"{name}_p"].values for name in JUDGED], axis=0) <= level
    together = f", p at most {level:g} in {alone.sum()} of {seeds} seeds alone" if seeds > 1 else ""
    sentence = (
        f"Block {block}: the heads {verdict}: {', '.join(orders)} where nodes are shuffled among heads "
        f"(p = {p:.2g}, over all blocks q = {q:.2g}{together}); {owned}."
    )
    return BlockSentence(block, sentence, p, q, beyond, float(alone.mean()))
