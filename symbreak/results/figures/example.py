"""One matrix out of many: the field of any node, head or filter, and the choice of one to show."""

from __future__ import annotations

import numpy as np
import xarray as xr

from symbreak.clusters import partition, partitions
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head, centre, check_factors
from symbreak.observables import block_moments, pooled_moments

#: What a matrix can be of -> the coordinate that tells its nodes.
GROUPS = {"head": "head_of_node", "filter": "filter_of_node"}


def field_of(moments: xr.Dataset, block: int, kind: str, number: int, centred: bool = False) -> xr.DataArray:
    r"""Field matrix of a node, head or filter, exactly as the statistics see it.

    .. math:: M[i, j] = \sum_{k} \mu_{ik} W_{jk} \; (+\, b_j)

    Unlike ``dataset.symbreak.matrix`` it has the bias, if the classifier head kept one, and the gauge of the
    statistics.

    Parameters
    ----------
    moments : Dataset
        A moments file of one seed.
    block : int
    kind : {"node", "head", "filter"}
    number : int
        From 1.
    centred : bool
        Fix the gauge first, see :func:`symbreak.matrices.centre`.

    Returns
    -------
    DataArray
        On (label, output), raw fields (1).

    Raises
    ------
    SymbreakError
        If there is no such block, node, head or filter.

    Notes
    -----
    P1 (arXiv:2501.12900) Fig. 2; for heads P2 (arXiv:2506.23832) section 2.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> moments = moments_example()
    >>> bool(np.allclose(field_of(moments, 2, "node", 3), moments.symbreak.matrix(block=2, node=3)))
    True
    """
    mine = _members(moments, block, kind, number)
    mean, readout, bias = (centre if centred else check_factors)(*pooled_moments(moments, block))
    values = mean[:, mine] @ readout[:, mine].T + (0.0 if bias is None else bias)
    names = {name: moments[name] for name in ("label", "label_name", "output") if name in moments.coords}
    meaning = {"long_name": "mean field", "units": "1", "symbol": "M_ij", "block": block, kind: number}
    return xr.DataArray(values, dims=("label", "output"), coords=names, name="field", attrs=meaning)


def example_unit(
    moments: xr.Dataset, block: int, threshold: float = 0.3, rule: str = "first_fit", centred: bool = False
) -> tuple[str, int]:
    """Choose a node (or a filter, where nodes are positions of filters) that is typical and shows something.

    Of those with at least two clusters of two or more labels, the one whose number of labels in clusters is
    nearest to the mean over all; of equally near ones the first. If none has two such clusters, of all.

    Returns
    -------
    kind : {"node", "filter"}
    number : int

    Raises
    ------
    SymbreakError
        If there is no such block.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> kind, number = example_unit(moments_example(), block=1)
    >>> kind, 1 <= number <= 6
    ('node', True)
    """
    chosen = block_moments(moments, block)
    mean, readout, bias = pooled_moments(moments, block)
    if "filter_of_node" in chosen.coords:
        stack = by_head(mean, readout, chosen.filter_of_node.values, bias, centred)
        kind, numbers = "filter", np.arange(1, len(stack) + 1)
        cluster_of = np.array([partition(matrix, threshold, rule) for matrix in stack])
    else:
        kind, numbers = "node", chosen.node.values
        cluster_of = partitions(mean, readout, threshold, rule, bias, centred)
    sizes = [np.bincount(row, minlength=2)[1:] for row in cluster_of]
    diagonal = np.array([size.sum() for size in sizes], dtype=float)
    distance = np.abs(diagonal - diagonal.mean())
    telling = np.array([(size >= 2).sum() >= 2 for size in sizes])
    if telling.any():
        distance[~telling] = np.inf
    return kind, int(numbers[distance.argmin()])


def _members(moments: xr.Dataset, block: int, kind: str, number: int) -> np.ndarray:
    """Which nodes of the block the matrix is of."""
    chosen = block_moments(moments, block)
    coordinate = GROUPS.get(kind, "node")
    if coordinate not in chosen.coords:
        raise SymbreakError(f"There are no {kind}s at this tap; give a node.")
    mine = np.broadcast_to(chosen[coordinate].values == number, chosen.sizes["node"])
    if number < 1 or not mine.any():
        last = int(chosen[coordinate].max())
        raise SymbreakError(f"There is no {kind} {number} in block {block}; they count from 1 to {last}.")
    return mine
