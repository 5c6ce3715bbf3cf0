"""The page that a reader opens first: what was asked, the answer of every block, six pictures, the claims."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from symbreak.observables.heads.sentences import block_sentences
from symbreak.papers.scorecard import scorecard
from symbreak.results import figures
from symbreak.results.averages import mean_and_error
from symbreak.results.context import Context
from symbreak.results.layout import Place
from symbreak.results.render import Page, with_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Tap whose heads the page is about, and tap of the accuracies of blocks.
HEADS, BLOCKS = "attention", "block"
#: Most pictures on the page.
MOST_PICTURES = 6
#: Dots per inch of the pictures: they are as wide as the text, on screen and on paper.
RESOLUTION = 100
VERDICT = """The verdict on a block needs both order parameters, each compared with nodes shuffled among the
heads and adjusted over the blocks: q is the false-discovery rate. It says that the nodes of a head share
labels beyond chance. Heads of a basis that was rotated, and of the untrained network, stand beside it."""
CITE = """Please cite the software as in `CITATION.cff`, and the papers whose quantities are measured:
E. Koresh et al., arXiv:2501.12900 (nodes, clusters, signal-to-noise ratio, heads), and R. D. Gross et al.,
arXiv:2506.23832 (heads, architectures of few layers, committees)."""


def make_summary(context: Context) -> str:
    """The summary as a result of an experiment: of what is there, also of a half-finished one."""
    experiment = context.experiment
    page = Page(experiment.title or experiment.name)
    _asked(page, context)
    page.heading("The answer")
    names = [name for name in experiment.networks if experiment.networks[name].trained]
    answered = [name for name in names if _answer(page, context, name)]
    if not answered:
        page.text("No heads of a trained network have been measured yet; run the workflow to its end.")
    for words, figure in islice(_pictures(context, (answered or names)[:1]), MOST_PICTURES):
        page.picture(_png(figure), words)
        page.text(words)
    _claims(page, context)
    _end(page, context)
    return page.html()


def _asked(page: Page, context: Context) -> None:
    """Data, networks, seeds, accuracies."""
    experiment = context.experiment
    data = experiment.data
    groups = ", in superclasses" if data.has_superclasses else ""
    page.text(
        f"How do the heads and nodes of the networks below divide the {data.n_labels} labels of {data.name}"
        f"{groups} among themselves? Seeds: {', '.join(map(str, experiment.seeds))}."
    )
    rows = []
    for name, network in experiment.networks.items():
        found = _of(context, name, BLOCKS).present("statistics") or _of(context, name).present("statistics")
        row = {"network": name, "architecture": network.architecture}
        row |= {"trained": "yes" if network.trained else "no", "accuracy": "not measured yet"}
        if found:
            mean, error = mean_and_error(context.load(found[0], "statistics"), "network_accuracy")
            row["accuracy"] = " ± ".join(filter(None, with_error(float(mean), float(error))))
        rows.append(row)
    page.table(pd.DataFrame(rows))


def _answer(page: Page, context: Context, name: str) -> bool:
    """Sentences of the blocks of one network; whether there are any."""
    place = _of(context, name)
    if not place.present("heads"):
        return False
    page.heading(f"Heads of {name}", 3)
    page.points([found.sentence for found in block_sentences(place.one("heads"))])
    nulls = place.null_models()
    page.points([f"{_words(kind)}: {_of_null(heads)}" for kind, heads in nulls.items()])
    page.text(VERDICT)
    return True


def _words(kind: str) -> str:
    rotated = "With the basis of the nodes rotated"
    words = {"rotated": rotated, "rotated_within": f"{rotated} within the heads", "untrained": "Untrained"}
    return words[kind]


def _of_null(heads: xr.Dataset) -> str:
    """What a null network says of its last block."""
    return block_sentences(heads)[0].sentence


def _pictures(context: Context, names: list[str]) -> Iterator[tuple[str, Figure]]:
    """At most six: accuracy, signal-to-noise ratio, owned labels, order, appearances, training."""
    for name in names:
        place, blocks = _of(context, name), _of(context, name, BLOCKS)
        everywhere = Context(context.given, Place(network=name), context.folder)
        if everywhere.present("statistics"):
            yield (
                f"Accuracy of the classifier heads of {name} against the block.",
                figures.plot_accuracy(everywhere.by_name("statistics")),
            )
        if place.present("heads"):
            heads, nulls = place.one("heads"), place.null_models()
            yield (
                f"Order parameters of labels and heads of {name} against the block, with their null models.",
                figures.plot_order_by_block(heads, nulls=nulls),
            )
            yield (
                f"Labels of {name} that one head has at least {context.experiment.heads.ratio:g} times as "
                "often as any other, and their number by chance.",
                figures.plot_owned_by_block(heads, nulls=nulls),
            )
            first = context.experiment.seeds[0]
            yield (
                f"How often each head of {name} has each label, seed {first}.",
                figures.plot_appearances(heads, seed=first),
            )
        if blocks.present("statistics"):
            yield (
                f"Signal-to-noise ratio of the nodes of {name} against the threshold.",
                figures.plot_snr(blocks.one("statistics"), context.threshold),
            )
        if everywhere.present("histories"):
            yield f"Training of {name}.", figures.plot_training(everywhere.histories())


def _claims(page: Page, context: Context) -> None:
    """The claims of the papers with their verdicts; the scorecard has printed values and nulls as well."""
    card = scorecard(context.folder, context.experiment.model_dump(mode="json"))
    page.heading("Claims of the papers")
    if card.empty:
        page.text("Nothing that a claim is about has been measured yet.")
        return
    page.table(card[["network", "claim", "ours", "verdict", "p_holm"]])
    page.text("`tables/scorecard.html` has the printed values, the null values and the rule of the verdicts.")


def _end(page: Page, context: Context) -> None:
    page.heading("More")
    seconds = _cpu_seconds(context.folder)
    spent = [f"Jobs with a record took {seconds:.0f} CPU seconds (user and system)."] if seconds else []
    page.points(
        [
            "`tables/` and `figures/` beside this page have every table and figure; `papers.html` says which "
            "printed tables of the papers these files measure.",
            "NetCDF files with labelled dimensions open in xarray; each variable says what it means.",
            *spent,
        ]
    )
    page.text(CITE)


def _cpu_seconds(folder: Path) -> float:
    """Seconds of the processors in the records that the workflow keeps of its jobs."""
    total = 0.0
    for path in folder.glob("benchmarks/*/*.tsv"):
        with path.open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle, delimiter="\t"))
        try:
            total += float(rows[-1]["cpu_time"])
        except (IndexError, KeyError, ValueError):  # a job too short to be measured says NA
            continue
    return total


def _of(context: Context, network: str, tap: str = HEADS) -> Context:
    """The same files, of one network and tap."""
    return Context(context.given, Place(network=network, tap=tap), context.folder)


def _png(figure: Figure) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=RESOLUTION)
    return picture.getvalue()
