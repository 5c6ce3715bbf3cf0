"""Tables and figures with their titles, for the verbs that make one and for those that make all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symbreak.errors import SymbreakError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from symbreak.config import Experiment

#: What each table of one tap shows.
TABLES = {
    "clusters": "Accuracy, clusters and noise elements of single nodes",
    "snr": "Signal, noise and signal-to-noise ratio of single nodes",
    "robustness": "How far single nodes move under the open choices",
    "null": "Single nodes of the network and of linear-Gaussian worlds of its accuracy",
}
NOTES = {
    "attention": "Map of a head: its scaled dot-product attention output at every token, mean over its nodes "
    "(Fig. 9 of arXiv:2501.12900). Best head: alone it recognises the label most often. Images that the "
    "network recognises. By chance: best heads shuffled among labels, mean ± standard deviation of one "
    "network. Other image: the other heads' maps, or the image, taken from another image.",
    "head-networks": "Columns of Table 2 of arXiv:2506.23832: accuracy is that of the classifier head at the "
    "tap, signal N_label, noise_E N_noise, noise_I "
    "N_inter. At the tap attention_rotated the nodes are rotated and the heads are none: what "
    "remains there is not the heads' doing.",
    "robustness": "First row of a block: the default. Change of SNR: relative to it.",
    "null": "Null: no network, Gaussian class means with their best linear readout, as many labels, "
    "nodes and images, the same accuracy. What it shares with the network is not the network's doing.",
}


def block_table(
    name: str, tap: str, statistics: xr.Dataset, experiment: Experiment, threshold: float
) -> pd.DataFrame:
    """P1 Table 1 or 2."""
    from symbreak.results.tables import nodes as tables

    make = {"clusters": tables.cluster_table, "snr": tables.snr_table}[name]
    return make(statistics, threshold, experiment.prints("P1"), tap)


def heading(what: str, tap: str, dataset: xr.Dataset) -> str:
    """Title of a table; at the tap `filters` matrices are those of filters, not of nodes."""
    what = what.replace("nodes", "filters") if tap == "filters" else what
    return f"{what}: {dataset.attrs['source']}; tap {tap}"


def title(what: str, tap: str, dataset: xr.Dataset) -> str:
    """Title of a figure."""
    return f"{dataset.attrs['source']}; tap {tap}\n{what}"


def draw_clusters(tap: str, statistics: xr.Dataset, experiment: Experiment, threshold: float) -> Figure:
    """N_c, C_s, diag and n against block."""
    from symbreak.results.averages import repetitions
    from symbreak.results.figures import plot_clusters

    words = title(f"Threshold {threshold:g}; error bars: {repetitions(statistics)[1]}", tap, statistics)
    return plot_clusters(statistics, threshold, experiment.prints("P1"), tap, words)


def draw_snr(tap: str, statistics: xr.Dataset, threshold: float) -> Figure:
    """SNR against threshold."""
    from symbreak.results.averages import repetitions
    from symbreak.results.figures import plot_snr

    return plot_snr(statistics, threshold, title(f"Bands: {repetitions(statistics)[1]}", tap, statistics))


def draw_null(tap: str, statistics: xr.Dataset, worlds: xr.Dataset) -> Figure:
    """SNR against threshold beside the linear-Gaussian null."""
    from symbreak.results.averages import repetitions
    from symbreak.results.figures import plot_null

    words = f"Network and linear-Gaussian null of the same accuracy; bands: {repetitions(statistics)[1]}"
    return plot_null(statistics, worlds, title(words, tap, statistics))


def draw_labels(tap: str, statistics: xr.Dataset, nodes: xr.Dataset, block: int, threshold: float) -> Figure:
    """Appearances and diagonal field of labels."""
    from symbreak.results.averages import repetitions
    from symbreak.results.figures import plot_labels

    statistics = _alike(statistics, nodes)
    count, words = repetitions(statistics)
    over = f"mean over {count} seeds, thin lines: {words}" if count > 1 else "one seed"
    words = title(f"Block {block}, threshold {threshold:g}; {over}", tap, statistics)
    return plot_labels(statistics, nodes, block, threshold, words)


def draw_matrix(
    tap: str,
    moments: xr.Dataset,
    experiment: Experiment,
    block: int,
    threshold: float,
    which: tuple[str, int] | None = None,
) -> Figure:
    """Matrix of a node, head or filter; without `which` of an example."""
    from symbreak.results.figures import plot_matrix
    from symbreak.results.figures.example import example_unit, field_of

    settings = experiment.statistics
    kind, number = which or example_unit(moments, block, threshold, settings.rule, settings.centred)
    field = field_of(moments, block, kind, number, settings.centred)
    rule = settings.rule.replace("_", " ")
    words = f"Block {block}, {kind} {number}, seed {moments.attrs['seed']}; threshold {threshold:g}, {rule}"
    return plot_matrix(field, threshold, settings.rule, title(words, tap, moments))


def block_of(dataset: xr.Dataset, block: int | None) -> int:
    """The asked block, or the last."""
    known = [int(number) for number in dataset.block.values]
    if block is None:
        return max(known)
    if block not in known:
        raise SymbreakError(f"There is no block {block}; choose one of {', '.join(map(str, known))}.")
    return block


def check_names(names: Sequence[str], known: Sequence[str], what: str) -> None:
    """Refuse unknown names."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SymbreakError(f"There is no {what} {unknown[0]!r}; choose among {', '.join(known)}.")


def _alike(statistics: xr.Dataset, nodes: xr.Dataset) -> xr.Dataset:
    """Statistics with or without the dimension seed, as the nodes are."""
    if "seed" not in statistics.dims or "seed" in nodes.dims:
        return statistics
    seed = int(nodes.attrs["seed"])
    if seed not in statistics.seed:
        raise SymbreakError(
            f"The nodes are of seed {seed}, not among the statistics; give files of the same seeds."
        )
    return statistics.sel(seed=seed)
