"""Tables and pages of results."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from symbreak.printed.networks import PRINTED_HEADS, printed_blocks, printed_for
from symbreak.results.context import Context
from symbreak.results.making import Table, heading
from symbreak.results.registry import find
from symbreak.results.render import Page
from symbreak.results.tables import committees, comparisons, heads, nodes, order, pruning
from symbreak.results.tables import latency as latencies

#: Taps that stand for a network where networks are compared.
COMPARED = ("attention", "block", "filters")


def tabulate_clusters(context: Context) -> Table:
    """P1 Table 1."""
    paper = context.experiment.prints("P1")
    return Table(nodes.cluster_table(context.one("statistics"), context.threshold, paper, context.tap))


def tabulate_snr(context: Context) -> Table:
    """P1 Table 2."""
    paper = context.experiment.prints("P1")
    return Table(nodes.snr_table(context.one("statistics"), context.threshold, paper, context.tap))


def tabulate_taps(context: Context) -> Table:
    """All taps of one block."""
    statistics, block = context.by_name("statistics"), context.choices.get("block")
    return Table(nodes.tap_table(statistics, context.threshold, block, context.experiment.prints("P1")))


def tabulate_networks(context: Context) -> Table:
    """Last blocks of all networks: block output, attention and filters, or the first tap that there is."""
    statistics = context.by_network("statistics")
    if not context.files:
        first = {name: context.experiment.taps_of(name)[0] for name in context.experiment.networks}
        statistics = {
            (network, tap): dataset
            for (network, tap), dataset in statistics.items()
            if tap in COMPARED or tap == first[network]
        }
    return Table(comparisons.network_table(statistics, context.threshold))


def tabulate_robustness(context: Context) -> Table:
    """All combinations of open choices."""
    return Table(comparisons.robustness_table(context.each("moments"), context.threshold))


def tabulate_null(context: Context) -> Table:
    """Network and linear-Gaussian worlds."""
    statistics, worlds = context.one("statistics"), context.one("null")
    return Table(comparisons.null_table(statistics, worlds, context.threshold))


def tabulate_head_networks(context: Context) -> Table:
    """Heads of the last blocks of all networks."""
    printed = printed_for(context.experiment, PRINTED_HEADS) if context.experiment.prints("P2") else None
    return Table(heads.head_network_table(context.by_network("heads"), context.threshold, printed))


def write_heads_sentences(context: Context) -> str:
    """One sentence for each block, of all seeds and of each."""
    points = heads.sentences(context.one("heads"))
    page = Page(heading(find("heads_sentences", "page"), context))
    page.points(points)
    return page.html()


def tabulate_heads_ownership(context: Context) -> Table:
    """Labels owned by each head."""
    return Table(heads.ownership_table(context.one("heads")))


def tabulate_heads_order(context: Context) -> Table:
    """Order parameters and null models."""
    found = context.one("heads")
    return Table(order.order_table(found, context.null_models()))


def tabulate_heads_matrices(context: Context) -> Table:
    """Matrices of heads; printed values at the tap `attention`."""
    experiment, network = context.experiment, context.place.network
    asked = experiment.prints("P2") and context.tap == "attention" and network in experiment.networks
    printed = printed_blocks(experiment.networks[network]) if asked else None
    return Table(heads.matrix_table(context.one("heads"), context.threshold, printed))


def tabulate_heads_superclasses(context: Context) -> Table:
    """Superclasses filled by the labels of each head."""
    return Table(heads.filling_table(context.one("heads")))


def tabulate_heads_evolution(context: Context) -> Table:
    """Order of the heads at each epoch."""
    return Table(order.epoch_table(context.one("evolution")))


def tabulate_attention_maps(context: Context) -> Table:
    """Attention maps of best heads and chance."""
    return Table(order.attention_table(context.each("attention")))


def tabulate_latency(context: Context) -> Table:
    """Nominal and measured latency."""
    found = {network: dataset for (network, _), dataset in context.by_network("latency").items()}
    table = latencies.latency_table(found)
    return Table(table, note=latencies.latency_note(found))


def tabulate_pruned_layers(context: Context) -> Table:
    """Layers of a study."""
    return Table(pruning.layer_table(context.one("pruning"), context.experiment.prints("P1")))


def tabulate_pruning_methods(context: Context) -> Table:
    """Accuracies of all methods of a study."""
    return Table(pruning.method_table(context.one("pruning"), context.experiment.prints("P1")))


def tabulate_pruning_export(context: Context) -> Table:
    """Forms of the pruned network."""
    return Table(pruning.export_table(context.one("pruning")))


def tabulate_silencing(context: Context) -> Table:
    """Silenced nodes."""
    return Table(pruning.silencing_table(context.one("silencing")))


def tabulate_committee_members(context: Context) -> Table:
    """Members, with the heads of their networks where they were analysed."""
    found, paper = context.one("committee"), context.experiment.prints("P2")
    table = committees.member_table(found, _heads_of_members(found, context), context.threshold, paper)
    return _committee_table(table)


def tabulate_committee_groups(context: Context) -> Table:
    """Named committees."""
    table = committees.group_table(context.one("committee"), context.experiment.prints("P2"))
    return _committee_table(table)


def tabulate_committee_sizes(context: Context) -> Table:
    """Committees by size."""
    table = committees.size_table(context.one("committee"))
    return _committee_table(table)


def tabulate_committee_agreement(context: Context) -> Table:
    """Agreement of pairs."""
    table = committees.agreement_table(context.one("committee"))
    return _committee_table(table)


def _committee_table(table: pd.DataFrame) -> Table:
    """Columns that no committee fills are not shown."""
    return Table(table, table.dropna(axis=1, how="all"))


def _heads_of_members(committee: xr.Dataset, context: Context) -> dict[str, xr.Dataset]:
    """Heads at the tap `attention` of the members' networks, those of other experiments as well."""
    if context.files:
        return {network: dataset for (network, _), dataset in context.by_network("heads").items()}
    found = {}
    for network in dict.fromkeys(committee.network.values.tolist()):
        experiment, _, name = network.rpartition("/")
        folder = context.folder.parent / experiment if experiment else context.folder
        path = folder / name / "heads" / "attention.nc"
        if path.is_file():
            found[network] = context.load(path, "heads")
    return found
