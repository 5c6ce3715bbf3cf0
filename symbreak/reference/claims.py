"""The scorecard: claims of the papers, each tested on measured results: printed, ours, null, verdict."""

from __future__ import annotations

import xarray as xr

from symbreak.reference.claim import Claim
from symbreak.reference.claims_heads import judge_heads
from symbreak.reference.claims_nodes import judge_nodes


def judge(statistics: xr.Dataset, heads: xr.Dataset | None = None, threshold: float = 0.3) -> list[Claim]:
    """Test the claims of P1 and P2 on one network.

    Parameters
    ----------
    statistics : Dataset
        Statistics of the block outputs, joined over seeds.
    heads : Dataset, optional
        Analysis of the heads at the tap ``attention``, joined over seeds.
    threshold : float
        Threshold of the tables.

    Returns
    -------
    list of Claim
        Verdicts by stated rules: a trend holds if last minus first block exceeds two standard errors.

    Examples
    --------
    >>> from symbreak.config import Statistics
    >>> from symbreak.observables.experiment import block_tables
    >>> from symbreak.planted import moments_example
    >>> claims = judge(block_tables(moments_example(), Statistics(thresholds=9))[0])
    >>> claims[0].claim
    'accuracy of the classifier heads rises along the blocks'
    """
    return judge_nodes(statistics, threshold) + (judge_heads(heads, threshold) if heads is not None else [])
