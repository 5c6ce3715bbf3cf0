"""From the moments file of one seed to its heads, block by block, compared with chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from symbreak.clusters import membership
from symbreak.config import HEADED_TAPS, Heads, Statistics
from symbreak.errors import SymbreakError
from symbreak.numerics.estimates import UNDEFINED, Estimate, benjamini_hochberg, compare_with_null
from symbreak.observables.heads.accuracy import best_head_agreement
from symbreak.observables.heads.appearance import appearance_of_heads, count_nodes
from symbreak.observables.heads.chance import chance_of_ownership, label_p_values
from symbreak.observables.heads.matrix_null import head_matrix_null
from symbreak.observables.heads.nulls import shuffle_nodes, shuffle_taxonomy
from symbreak.observables.heads.order import order_parameters
from symbreak.observables.heads.owners import compare_ownership, count_owned, dominance, ownership
from symbreak.observables.heads.resemblance import head_matrix_tables
from symbreak.observables.nodes.folds import pool_folds
from symbreak.observables.nodes.per_block import block_moments, folds_of, readout_of
from symbreak.observables.superclasses.filling import superclass_test
from symbreak.store import describe
from symbreak.store.joining import stack_blocks

Variables = dict[str, tuple[Any, ...]]


def head_tables(
    moments: xr.Dataset, settings: Statistics, heads: Heads | None = None, threads: int | None = None
) -> xr.Dataset:
    """Measure how the heads of every block divide the labels, with errors, null values and p-values.

    P1 (arXiv:2501.12900) section 4, Figs. 7 and 8, Table 4; P2 (arXiv:2506.23832) section 2, Fig. 4, Table 1.

    Parameters
    ----------
    moments : Dataset
        A moments file of one seed, at a tap whose nodes belong to heads.
    settings : Statistics
        Rule, gauge and thresholds; appearances are counted at `reference_threshold`.
    heads : Heads, optional
        Ratios, null draws and level; the defaults if not given.
    threads : int, optional
        Threads of the scans.

    Returns
    -------
    Dataset
        On (block, head), (block, label), (block, head, label), (block, threshold), (block, ratio) and (block,
        head, filling). A quantity `x` has what it needs of ``x_stderr``, ``x_null`` (mean under the null
        model), ``x_null_deviation``, ``x_p`` and ``x_q`` (adjusted by Benjamini and Hochberg over all blocks
        and heads of the file). Where blocks differ in their number of heads (`n_heads`), missing heads have
        counts 0 and numbers NaN. Without superclasses the variables of Table 4 are absent. In a block of one
        head there is no symmetry to break: its counts are there, its p-values and order parameters are NaN.

    Raises
    ------
    SymbreakError
        If the nodes belong to no heads or a head has no node.

    Examples
    --------
    >>> from symbreak.planted import moments_example
    >>> table = head_tables(moments_example(), Statistics(thresholds=3), Heads(n_shuffles=99))
    >>> table.appearance.dims, int(table.n_owned.sum()) == int(table.n_owned_total.sum())
    (('block', 'head', 'label'), True)
    """
    if "head_of_node" not in moments.coords:
        headed = ", ".join(sorted(HEADED_TAPS))
        raise SymbreakError(
            f"The nodes of this file belong to no heads; give the moments of one of {headed}."
        )
    chosen = Heads() if heads is None else heads
    blocks = [_block(moments, int(block), settings, chosen, threads) for block in moments.block.values]
    joined = stack_blocks(blocks, moments.block)
    names = ("n_owned", "n_owned_total", "pairs", "pairs_total", "potts_order", "mutual_information")
    for name in (name for name in names if f"{name}_p" in joined):
        tested = joined[f"{name}_p"]
        joined[f"{name}_q"] = (tested.dims, benjamini_hochberg(tested.values))
    for name in ("accuracy", "network_accuracy"):
        for kept in (name, f"{name}_stderr"):
            if kept in moments:
                joined[kept] = moments[kept]
    named = ("head_of_node", "label_name", "superclass_of_label", "superclass_name")
    joined = joined.assign_coords({name: moments.coords[name] for name in named if name in moments.coords})
    facts = {"threshold": settings.reference_threshold, "ratio": chosen.ratio, "level": chosen.level}
    return describe(joined.assign_attrs(facts | {"n_shuffles": chosen.n_shuffles}), "heads")


def _block(
    moments: xr.Dataset, block: int, settings: Statistics, heads: Heads, threads: int | None
) -> xr.Dataset:
    chosen = block_moments(moments, block)
    folds, (readout, bias) = folds_of(chosen), readout_of(chosen)
    mean = pool_folds(*folds)
    head_of_node = chosen.head_of_node.values.astype(np.int64)
    threshold, rule, centred = settings.reference_threshold, settings.rule, settings.centred
    member = membership(mean, readout, threshold, rule, bias, centred, threads)
    # Each block has its own draws, or chance would move all blocks alike.
    seed = heads.seed + 1000 * block
    null = shuffle_nodes(member, head_of_node, heads.n_shuffles, seed)
    appearance, nodes = appearance_of_heads(member, head_of_node), count_nodes(head_of_node)
    owner = ownership(appearance, heads.ratio)
    variables = _ownership(appearance, null, nodes, owner, heads)
    variables |= _curve(appearance, null, nodes, heads)
    orders = order_parameters(
        appearance, null, head_of_node.size, membership=member, head_of_node=head_of_node
    )
    for name, order in orders.items():
        variables |= order.variables(name)
    if "head_label_accuracy" in chosen:
        accuracy = chosen.head_label_accuracy.transpose("head", "label").values[: len(appearance)]
        variables["head_label_accuracy"] = (("head", "label"), accuracy)
        variables |= _agreement(owner, accuracy, heads, seed)
    if "superclass_of_label" in chosen.coords and (chosen.superclass_of_label.values >= 0).any():
        variables |= _superclasses(owner, chosen.superclass_of_label.values, len(appearance), heads, seed)
    variables["membership"] = (("node", "label"), member.astype(np.int8))
    coordinates = {
        "node": chosen.node.values,
        "head": np.arange(1, len(appearance) + 1),
        "label": chosen.label.values,
        "ratio": np.asarray(heads.ratios, dtype=float),
    }
    if "filling_count" in variables:
        coordinates["filling"] = np.arange(variables["filling_count"][1].shape[1])
    table = xr.Dataset(variables, coordinates)
    alone = None
    if "head_field_input" in chosen:
        fields = chosen.head_field_input.transpose("head", "fold", "label", "output")
        alone = fields.values[: len(appearance)]
    matrices = head_matrix_tables(folds, readout, bias, head_of_node, settings, alone, threads)
    null_model = head_matrix_null(
        mean, readout, head_of_node, threshold, heads.n_shuffles, seed, rule, bias, centred, threads
    )
    return table.merge(matrices).assign(_matrix_null(null_model))


def _matrix_null(null: dict[str, tuple[float, float, float, float]]) -> Variables:
    """Matrices of heads at the reference threshold compared with nodes assigned to heads at random."""
    variables: Variables = {"head_exclusive": ((), null["exclusive"][0])}
    for name, (_, chance, deviation, p_value) in null.items():
        variables |= {
            f"head_{name}_null": ((), chance),
            f"head_{name}_null_deviation": ((), deviation),
            f"head_{name}_p": ((), p_value),
        }
    return variables


def _ownership(appearance: NDArray, null: NDArray, nodes: NDArray, owner: NDArray, heads: Heads) -> Variables:
    """Owner of every label, and how many labels each head owns compared with chance."""
    test = compare_ownership(appearance, null, nodes, heads.ratio)
    evidence = label_p_values(appearance, nodes)
    adjusted = benjamini_hochberg(evidence)
    # NaN of a label that never appears is no evidence.
    evident = np.where(np.nan_to_num(adjusted, nan=1.0) <= heads.level, owner, 0)
    tested = len(nodes) > 1
    total = Estimate(
        test.total, test.standard_error, test.total_expected, test.total_deviation, test.total_p_value
    )
    total = total if tested else total._replace(p_value=np.nan)
    return {
        "n_heads": ((), len(nodes)),
        "n_nodes": ("head", nodes),
        "appearance": (("head", "label"), appearance),
        "owner": ("label", owner),
        "dominance": ("label", dominance(appearance)),
        "label_p": ("label", evidence if tested else np.full(owner.size, np.nan)),
        "label_q": ("label", adjusted if tested else np.full(owner.size, np.nan)),
        "n_owned": ("head", test.n_owned),
        "n_owned_null": ("head", test.expected),
        "n_owned_null_deviation": ("head", test.deviation),
        "n_owned_p": ("head", test.p_value if tested else np.full(len(nodes), np.nan)),
        "n_owned_evident": ("head", count_owned(evident if tested else 0 * owner, len(nodes))),
        **total.variables("n_owned_total"),
    }


def _curve(appearance: NDArray, null: NDArray, nodes: NDArray, heads: Heads) -> Variables:
    """Owned labels at every ratio of the rule, per head and in total, with their chance level."""
    by_head, expected, totals = [], [], []
    for ratio in heads.ratios:
        by_head.append(count_owned(ownership(appearance, ratio), len(nodes)))
        expected.append(chance_of_ownership(appearance.sum(axis=0), nodes, ratio).sum(axis=1))
        draws = (ownership(null, ratio) > 0).sum(axis=-1)
        totals.append(compare_with_null(by_head[-1].sum(), np.nan, draws) if len(nodes) > 1 else UNDEFINED)
    return {
        "n_owned_by_ratio": (("head", "ratio"), np.stack(by_head, axis=1)),
        "n_owned_by_ratio_null": (("head", "ratio"), np.stack(expected, axis=1)),
        "n_owned_curve": ("ratio", np.sum(by_head, axis=1)),
        "n_owned_curve_null": ("ratio", np.sum(expected, axis=1)),
        "n_owned_curve_null_deviation": ("ratio", np.array([total.null_deviation for total in totals])),
        "n_owned_curve_p": ("ratio", np.array([total.p_value for total in totals])),
    }


def _agreement(owner: NDArray, accuracy: NDArray, heads: Heads, seed: int) -> Variables:
    result = best_head_agreement(owner, accuracy, heads.n_shuffles, seed)
    tested = len(accuracy) > 1
    agreement, advantage = (result.agreement, result.advantage) if tested else (UNDEFINED, UNDEFINED)
    return agreement.variables("owner_agreement") | advantage.variables("owner_advantage")


def _superclasses(owner: NDArray, superclass: NDArray, n_heads: int, heads: Heads, seed: int) -> Variables:
    """Filling of superclasses by each head against the exact law, and all heads against shuffled names."""
    table = superclass_test(owner, superclass, n_heads)
    shuffled = shuffle_taxonomy(owner, superclass, n_heads, heads.n_shuffles, seed)
    filling = np.arange(shuffled.shape[2])
    draws = (shuffled * (filling * (filling - 1) // 2)).sum(axis=(1, 2))
    total = compare_with_null(table.pairs.sum(), np.nan, draws).variables("pairs_total")
    del total["pairs_total_stderr"]  # the labels are what they are: only the null has a spread
    return {
        "filling_count": (("head", "filling"), table.filling),
        "filling_count_null": (("head", "filling"), table.expected),
        "filling_count_null_deviation": (("head", "filling"), table.deviation),
        "filling_count_p": (("head", "filling"), table.p_value),
        "pairs": ("head", table.pairs),
        "pairs_null": ("head", table.pairs_expected),
        "pairs_p": ("head", table.pairs_p_value),
        **total,
    }
