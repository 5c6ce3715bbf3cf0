"""Pydantic models of every key that an experiment file may hold.

The descriptions below are the documentation: ``docs/configuration.md`` and
``workflow/schemas/config.schema.json`` are generated from them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from symbreak.config.committee import Committee
from symbreak.config.data import Data
from symbreak.config.evolution import Evolution
from symbreak.config.latency import Latency
from symbreak.config.learning import Probes, Training
from symbreak.config.network import Network
from symbreak.config.pruning import Pruning
from symbreak.config.rules import first_problem
from symbreak.config.section import (
    LARGEST_NUMBER,
    Count,
    Distinct,
    Fraction,
    Integer,
    Line,
    Positive,
    Section,
    Seed,
    Slug,
)
from symbreak.config.taps import HEADED_TAPS, TAPS


class Measurement(Section):
    """The one pass that accumulates label means."""

    inputs: Literal["validation", "training"] = Field(
        "validation",
        description="Images that are averaged (P1 section 4 takes training, elsewhere validation).",
    )
    folds: Integer = Field(
        5,
        ge=2,
        le=LARGEST_NUMBER,
        description="Disjoint parts of the images, for error bars by the jackknife.",
    )
    batch_size: Count = Field(250, description="Images per forward pass.")
    head_silencing: Literal["readout", "both"] = Field(
        "readout",
        description="Where the other heads are silenced for the matrix of a head (SHP): in the fully "
        "connected layer, or there and also at the input of the probe, whose pooling then changes.",
    )


class Statistics(Section):
    """Matrices, clusters and signal-to-noise ratio."""

    thresholds: Integer = Field(99, ge=3, le=9999, description="Number n of thresholds 1/(n+1) … n/(n+1).")
    reference_threshold: Fraction = Field(0.3, description="Threshold of the tables and matrices.")
    rule: Literal["first_fit", "min_cover", "largest_first"] = Field(
        "first_fit", description="How a matrix is partitioned into clusters; first_fit is the authors' rule."
    )
    centred: bool = Field(
        False, description="Remove the mean over labels of each node and readout column first."
    )


class Heads(Section):
    """Which head stands for which label, and what chance gives."""

    taps: Distinct[Literal[tuple(tap for tap in TAPS if tap in HEADED_TAPS)]] = Field(  # type: ignore[valid-type]
        ["attention", "attention_rotated"],
        description="Taps whose heads are analysed, as far as `probes.taps` opens them.",
    )
    ratio: float = Field(
        2.0, ge=1, description="A head owns a label if it has it this many times as often as any other (P1)."
    )
    ratios: Distinct[Annotated[float, Field(ge=1)]] = Field(
        [1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
        min_length=1,
        description="Ratios of the ownership curve.",
    )
    n_shuffles: Integer = Field(999, ge=99, le=10**6, description="Draws of each null model.")
    seed: Seed = Field(0, description="Seed of these draws.")
    level: Fraction = Field(0.05, description="False-discovery rate below which heads are said to differ.")


class Compute(Section):
    """Where the numbers are computed, as far as it can change them."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="`auto` takes a GPU when there is one."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Arithmetic of matrix products; `auto`: bf16 on a GPU, fp32 on a CPU."
    )
    processes: Integer = Field(
        1,
        ge=1,
        le=1024,
        description="Processes that share each batch of a training and each measuring pass; one for each "
        "GPU.",
    )
    seeds_per_job: Integer = Field(
        1,
        ge=1,
        le=1000,
        description="Seeds that a job of the workflow takes, one after the other: 1 where a training takes "
        "hours, 10 to 50 where seeds are hundreds. Seeds that are added later make no full batch anew.",
    )
    partner_seconds: Positive = Field(
        1800.0, le=1e6, description="Seconds that a process waits for the others before it gives up."
    )
    compile: bool | Literal["auto"] = Field(
        "auto",
        description="Compile the training step (torch.compile); `auto`: on a GPU. A step that cannot be "
        "compiled runs as it is.",
    )

    cpu_passes: Literal["auto", "off"] = Field(
        "auto",
        description="Compiled passes of training on a processor; `off`: PyTorch's own operations alone. Both "
        "compute the same, up to rounding and to the random numbers of dropout.",
    )

    def determining(self) -> dict[str, Any]:
        """All keys that determine results; those of later versions where they are set."""
        later = {"processes": 1, "compile": "auto", "cpu_passes": "auto"}
        unset = {name for name, default in later.items() if getattr(self, name) == default}
        return self.model_dump(mode="json", exclude=unset | {"partner_seconds", "seeds_per_job"})


class Report(Section):
    """What the HTML report shows; all tables and figures are made in any case."""

    detail: Literal["main", "full"] = Field(
        "main",
        description="`main`: the most telling results of trained networks; `full`: all results, also those "
        "of networks without training and of rotated features.",
    )


class Experiment(Section):
    """One experiment: data, networks, seeds and what is measured on them."""

    name: Slug = Field(description="Name of the folder under `results/`.")
    title: Line = Field("", description="Title of the report.")
    seeds: Distinct[Seed] = Field(
        [1, 2, 3], min_length=1, description="One training for each; results are joined over them."
    )
    data: Data = Data()
    networks: dict[Slug, Network] = Field(min_length=1, description="Networks by name, one folder each.")
    training: Training = Training()
    probes: Probes = Probes()
    measurement: Measurement = Measurement()
    statistics: Statistics = Statistics()
    heads: Heads = Heads()
    evolution: Evolution = Evolution()
    committee: Committee | None = Field(
        Committee(), description="Soft committees of the trained networks; `null`: none."
    )
    pruning: Pruning = Pruning()
    latency: Latency = Latency()
    compute: Compute = Compute()
    report: Report = Report()
    published: Literal["P1", "P2"] | Distinct[Literal["P1", "P2"]] | None = Field(
        None,
        description="Print the values of this paper, or of both, next to ours (P1: arXiv:2501.12900, "
        "P2: arXiv:2506.23832), for its own experiment.",
    )

    def prints(self, paper: str) -> str | None:
        """The paper, if its values are printed next to ours; else nothing."""
        asked = [self.published] if isinstance(self.published, str) else self.published or []
        return paper if paper in asked else None

    def committee_of(self) -> list[str]:
        """Networks that vote in committees: the trained ones, if with others there may be two members."""
        trained = [name for name, network in self.networks.items() if network.trained]
        if self.committee is None:
            return []
        return trained if len(trained) * len(self.seeds) > 1 or self.committee.others else []

    @property
    def families(self) -> dict[str, str]:
        """Words for every network; those that differ in nothing but their heads have the same."""
        kinds: dict[str, list[str]] = {}
        for name, network in self.networks.items():
            alike = network.model_copy(update={"heads": 1})
            kinds.setdefault(alike.model_dump_json(), []).append(name)
        words: dict[str, str] = {}
        for names in kinds.values():
            first = self.networks[names[0]]
            width = f", dim {first.dim}" if not first.convolutional else ""
            known = f"{first.architecture}{width}{'' if first.trained else ', untrained'}"
            known = f"{known} ({names[0]})" if known in words.values() else known
            words |= dict.fromkeys(names, known)
        return {name: words[name] for name in self.networks}

    def training_of(self, network: str) -> Training:
        """The section `training` with the network's own number of epochs, if it has one."""
        own = self.networks.get(network)
        epochs = own.epochs if own else None
        return self.training.model_copy(update={"epochs": epochs}) if epochs else self.training

    @property
    def headed_taps(self) -> list[str]:
        """Taps of `heads.taps` that the experiment opens, in their order."""
        return [tap for tap in self.heads.taps if tap in self.probes.taps]

    def headed_taps_of(self, network: str) -> list[str]:
        """Taps of `heads.taps` that a network of this experiment opens, in their order."""
        return [tap for tap in self.heads.taps if tap in self.taps_of(network)]

    def evolving_taps_of(self, network: str) -> list[str]:
        """Taps at which a network is followed through its training; none where no weights are kept."""
        settings = self.networks[network]
        if self.training.checkpoints == "none" or not settings.trained:
            return []
        return [tap for tap in self.evolution.taps if tap in settings.taps]

    def studies_of(self, network: str) -> list[str]:
        """Studies of pruning that a network takes part in: it is trained and has the layers and blocks."""
        return [name for name, study in self.pruning.studies.items() if study.prunes(self.networks[network])]

    @model_validator(mode="after")
    def _possible(self) -> Experiment:
        problem = first_problem(self)
        if problem:
            raise PydanticCustomError("rule", "{message}", {"key": problem[0], "message": problem[1]})
        return self

    def taps_of(self, network: str) -> list[str]:
        """Taps of `probes.taps` that a network of this experiment has, in their order."""
        return [tap for tap in self.probes.taps if tap in self.networks[network].taps]
