"""Label × label matrix of a node or a head: which one, raw, clipped, and permuted into its clusters."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from symbreak.clusters import partition, partitions
from symbreak.errors import SymbreakError
from symbreak.matrices import by_head, centre, check_factors, clip, field_maximum
from symbreak.observables import block_moments, pooled_moments
from symbreak.results.figures.heads import label_names
from symbreak.results.figures.style import BACKGROUND, GREY, NOISE, PALETTE, Figure, finish, styled
from symbreak.results.figures.text import literal

#: Clusters that are named below the panels.
NAMED = 8


class Arranged(NamedTuple):
    """A clipped matrix sorted into clusters."""

    order: np.ndarray
    """(labels,): labels, those of the largest cluster first, those without cluster last."""
    kind: np.ndarray
    """(labels, labels) in that order: 0 below threshold, 1 noise, 2, 3, … the clusters."""
    groups: list[np.ndarray]
    """Labels of each cluster, in that order."""


def arrange(fields: np.ndarray, threshold: float, rule: str = "first_fit") -> Arranged:
    """Sort labels by cluster, the largest first, so that clusters become blocks on the diagonal.

    Examples
    --------
    >>> arranged = arrange(np.array([[1.0, 0.0, 0.9], [0.7, 0.6, 0.0], [0.8, 0.0, 1.0]]), 0.5)
    >>> arranged.order.tolist(), arranged.kind.tolist()
    ([0, 2, 1], [[2, 2, 0], [2, 2, 0], [1, 0, 3]])
    """
    cluster_of = partition(fields, threshold, rule)
    groups = [np.flatnonzero(cluster_of == number) for number in range(1, cluster_of.max(initial=0) + 1)]
    groups.sort(key=len, reverse=True)
    order = np.concatenate([*groups, np.flatnonzero(cluster_of == 0)])
    kind = clip(fields, threshold)[np.ix_(order, order)].astype(int)
    start = 0
    for number, group in enumerate(groups):
        kind[start : start + len(group), start : start + len(group)] = number + 2
        start += len(group)
    return Arranged(order, kind, groups)


@styled
def plot_matrix(
    field: xr.DataArray, threshold: float = 0.3, rule: str = "first_fit", title: str = ""
) -> Figure:
    """Matrix, clipped, and permuted with clusters and noise in colour: P1 (arXiv:2501.12900) Fig. 3.

    Parameters
    ----------
    field : DataArray
        On (label, output), of a node or a head: ``dataset.symbreak.matrix(block=7, node=3)``.
    threshold : float
        Fraction of the signed maximum.
    rule : str
        Cluster rule.
    title : str

    Returns
    -------
    Figure

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> figure = plot_matrix(moments_example().symbreak.matrix(block=2, node=3))
    >>> [axis.get_title() for axis in figure.axes[:3]]
    ['field / largest field', 'above 0.3', 'permuted into clusters']
    """
    fields = field.transpose("label", "output").values
    arranged = arrange(fields, threshold, rule)
    figure = Figure(figsize=(9.6, 4.9))
    rows: list[Any] = [["raw", "clipped", "permuted"], ["bar", "names", "names"]]
    places = figure.subplot_mosaic(rows, height_ratios=[3.0, 1.35])
    axes = [places[name] for name in rows[0]]
    largest = float(field_maximum(fields))
    image = axes[0].imshow(
        fields / largest if largest > 0 else fields, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest"
    )
    axes[1].imshow(
        clip(fields, threshold),
        cmap=ListedColormap([BACKGROUND, GREY]),
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )
    _show_kinds(axes[2], arranged)
    titles = ("field / largest field", f"above {threshold:g}", "permuted into clusters")
    for axis, words in zip(axes, titles):
        axis.set_title(words)
        axis.set_xlabel("output unit" if axis is not axes[2] else "output unit, permuted")
        axis.spines[:].set_visible(True)
    axes[0].set_ylabel("label of the input")
    axes[2].set_ylabel("label, permuted")
    for name in rows[1]:
        places[name].set_axis_off()
    below = largest > 0 and float(np.nanmin(fields)) < -largest  # the scale ends where its mirror image does
    bar = figure.colorbar(
        image,
        cax=places["bar"].inset_axes((0.05, 0.75, 0.9, 0.12)),
        orientation="horizontal",
        extend="min" if below else "neither",
    )
    bar.set_label("field / largest field (1)", fontsize=9)
    entries = _legend(field, arranged)
    places["names"].legend(handles=entries, loc="upper left", ncols=2, fontsize=9, handlelength=1.2)
    return finish(figure, axes, title)


def _colours(arranged: Arranged) -> list[str]:
    return [PALETTE[number % len(PALETTE)] for number in range(len(arranged.groups))]


def _show_kinds(axis: Axes, arranged: Arranged) -> None:
    colours = ListedColormap([BACKGROUND, NOISE, *_colours(arranged)])
    axis.imshow(arranged.kind, cmap=colours, vmin=-0.5, vmax=colours.N - 0.5, interpolation="nearest")


def _legend(field: xr.DataArray, arranged: Arranged) -> list[Patch]:
    """One entry for each of the first clusters, with the names of its labels, and one for noise."""
    names = [literal(name, 20) for name in label_names(field)]
    entries = []
    for group, colour in list(zip(arranged.groups, _colours(arranged)))[:NAMED]:
        words = _shorten([names[label] for label in group])
        entries.append(Patch(color=colour, label=f"{len(group)}: {words}"))
    others = arranged.groups[NAMED:]
    if others:
        entries.append(
            Patch(color="none", label=f"and {len(others)} more, {sum(map(len, others))} labels in all")
        )
    noise = int((arranged.kind == 1).sum())
    entries.append(Patch(facecolor=NOISE, edgecolor=GREY, lw=0.5, label=f"noise: {noise} elements"))
    return entries


def _shorten(names: list[str], width: int = 44) -> str:
    shown: list[str] = []
    for name in names:
        if sum(map(len, shown)) + 2 * len(shown) + len(name) > width:
            return ", ".join(shown) + f" … {len(names) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)


#: What a matrix can be of -> the coordinate that tells its nodes.
GROUPS = {"head": "head_of_node", "filter": "filter_of_node"}


def field_of(moments: xr.Dataset, block: int, kind: str, number: int, centred: bool = False) -> xr.DataArray:
    r"""Field matrix of a node, head or filter, exactly as the statistics see it.

    .. math:: M[i, j] = \sum_{k} \mu_{ik} W_{jk} \; (+\, b_j)

    The same numbers as ``dataset.symbreak.matrix``, with the attributes that :func:`plot_matrix` reads.

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
