"""Pydantic models of every key that an experiment file may hold.

The descriptions below are the documentation: ``docs/configuration.md`` and
``workflow/schemas/config.schema.json`` are generated from them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    StrictInt,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from symbreak.config.convolutions import FilterMap, filter_maps
from symbreak.config.evolution import Evolution
from symbreak.config.section import Section
from symbreak.config.taps import ENCODER_TAPS, FILTER_TAPS, HEADED_TAPS, TAPS

Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Data(Section):
    """Images, labels and superclasses."""

    name: Literal["diacritics", "cifar10", "cifar100"] = Field("diacritics", description="Data set.")
    root: str = Field("data", description="Folder that holds downloaded archives; diacritics needs none.")
    download: bool = Field(True, description="Fetch a missing archive when the network allows.")
    train_per_label: int | None = Field(
        None, ge=1, description="Training images per label; `null`: all (diacritics: 500)."
    )
    validation_per_label: int | None = Field(
        None, ge=5, description="Validation images per label; `null`: all (diacritics: 100)."
    )
    seed: StrictInt = Field(0, ge=0, description="Seed of the drawing of diacritics and of sub-sampling.")
    nuisance: float = Field(
        1.0, ge=0.0, le=2.0, description="Scale of all nuisance amplitudes of diacritics, up to 2."
    )

    @property
    def has_superclasses(self) -> bool:
        """Whether the labels of the data set fall into superclasses."""
        return self.name != "cifar10"


class Network(Section):
    """A compact convolutional transformer (CCT), or a convolutional network (VGG, ResNet)."""

    architecture: str = Field(
        "cct_7_3x1",
        pattern=r"^(cct_\d+_\d+x\d+|(vgg|resnet)_\d+)$",
        description="`cct_{blocks}_{kernel}x{convs}`: encoder blocks, kernel and number of convolutions; "
        "`vgg_{layers}` (6, 11, 13, 16, 19) or `resnet_{layers}` (20, 32, …). "
        "The last two know `image_size`, `inner_channels` and `dropout` only.",
    )
    dim: int = Field(256, ge=1, description="Width of the tokens.")
    heads: int | list[int] = Field(4, description="Attention heads, one number or one for each block.")
    mlp_ratio: float = Field(2.0, gt=0, description="Width of the first feed-forward layer over `dim`.")
    image_size: int = Field(32, ge=4, description="Side of the square input in pixels.")
    inner_channels: int = Field(
        64,
        ge=1,
        description="CCT: channels of all convolutions but the last. VGG, ResNet: filters of the first "
        "stage, for a ResNet 16 if not given.",
    )
    pooling: Literal["every", "first"] = Field(
        "every", description="Max-pool after every convolution (official) or after the first only (P2)."
    )
    positional_embedding: Literal["learnable", "sine", "none"] = Field(
        "learnable", description="Positional embedding of the tokens."
    )
    dropout: Probability = Field(
        0.0, description="Dropout of embedding, projection and feed-forward; of the last features."
    )
    attention_dropout: Probability = Field(0.1, description="Dropout of the attention weights.")
    stochastic_depth: Probability = Field(
        0.1, description="Drop probability of the last block's branches, rising linearly from 0."
    )
    trained: bool = Field(
        True, description="`false`: keep the initial weights, a null model of everything that is measured."
    )

    @property
    def convolutional(self) -> bool:
        """Whether its blocks are convolutions with filters, not encoders with heads."""
        return not self.architecture.startswith("cct")

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the taps of every block."""
        return tuple(FILTER_TAPS if self.convolutional else ENCODER_TAPS)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Encoder blocks, kernel side and convolutions of a CCT, from the architecture's name."""
        blocks, kernel, convolutions = re.fullmatch(r"cct_(\d+)_(\d+)x(\d+)", self.architecture).groups()  # type: ignore[union-attr]
        return int(blocks), int(kernel), int(convolutions)

    @property
    def filter_maps(self) -> tuple[FilterMap, ...]:
        """Filters and map of every block of a convolutional network."""
        return filter_maps(self.architecture, self.inner_channels, self.image_size)

    @property
    def blocks(self) -> int:
        """Number of blocks: encoders of a CCT, convolutions of a VGG, basic blocks of a ResNet."""
        return len(self.filter_maps) if self.convolutional else self.shape[0]

    @property
    def heads_per_block(self) -> tuple[int, ...]:
        """Attention heads of every block."""
        return (self.heads,) * self.blocks if isinstance(self.heads, int) else tuple(self.heads)

    @model_validator(mode="before")
    @classmethod
    def _published_width(cls, settings: Any) -> Any:
        if isinstance(settings, dict) and str(settings.get("architecture")).startswith("resnet"):
            return {"inner_channels": 16} | settings
        return settings

    @model_validator(mode="after")
    def _possible(self) -> Network:
        if self.convolutional:
            self._require_filters()
        else:
            self._require_heads()
        return self

    def _require_filters(self) -> None:
        _ = self.filter_maps  # refuses impossible names and sizes
        for name, field in type(self).model_fields.items():
            known = name in ("architecture", "image_size", "inner_channels", "dropout")
            if not known and getattr(self, name) != field.default:
                raise ValueError(f"{self.architecture} has no {name}; remove this key")

    def _require_heads(self) -> None:
        if min(self.shape) < 1:
            raise ValueError(
                f"architecture {self.architecture} needs at least one block, kernel pixel and convolution"
            )
        if len(self.heads_per_block) != self.blocks:
            raise ValueError(
                f"heads lists {len(self.heads_per_block)} numbers for {self.blocks} blocks; give one each"
            )
        for heads in self.heads_per_block:
            if heads < 1 or self.dim % heads:
                raise ValueError(
                    f"dim = {self.dim} is not divisible into heads = {heads}; choose a divisor of dim"
                )


class Training(Section):
    """How a network is trained."""

    epochs: int = Field(
        300, ge=1, description="Passes over the training images, warm-up and cool-down included."
    )
    batch_size: int = Field(128, ge=1, description="Images per step.")
    optimizer: Literal["adamw", "sgd"] = Field(
        "adamw", description="AdamW or SGD with Nesterov momentum 0.9."
    )
    learning_rate: float = Field(6e-4, gt=0, description="Peak learning rate.")
    learning_rate_final: float = Field(1e-5, ge=0, description="Learning rate at the end of the cosine.")
    weight_decay: float = Field(6e-2, ge=0, description="Weight decay, not on biases, norms and embeddings.")
    weight_decay_final: float | None = Field(
        None, ge=0, description="Weight decay at the end of its own cosine (P2); `null`: constant."
    )
    schedule: Literal["cosine", "step"] = Field(
        "cosine", description="Cosine decay, or multiply by `step_factor` every `step_epochs` (P1)."
    )
    schedule_update: Literal["step", "epoch"] = Field(
        "epoch", description="Change the learning rate every optimiser step or every epoch (official)."
    )
    step_factor: float = Field(0.8, gt=0, le=1, description="Factor q of the step schedule.")
    step_epochs: int = Field(10, ge=1, description="Interval of the step schedule in epochs.")
    warmup_epochs: float = Field(10, ge=0, description="Linear warm-up in epochs, from 1e-6.")
    cooldown_epochs: float = Field(10, ge=0, description="Last epochs at the final learning rate.")
    label_smoothing: Probability = Field(0.1, description="Label smoothing.")
    gradient_clip: float | None = Field(None, gt=0, description="Largest gradient norm; `null`: no clipping.")
    normalisation: Literal["image", "dataset"] = Field(
        "image",
        description="Each image minus its mean over its deviation (papers), or data-set mean and deviation.",
    )
    random_crop: int = Field(0, ge=0, description="Padding in pixels of the random crop; 0: off.")
    horizontal_flip: Probability = Field(0.5, description="Probability of a left-right flip.")
    random_resized_crop: float = Field(
        0.8, gt=0, le=1, description="Smallest area of the resized crop; 1: off."
    )
    randaugment: float = Field(9.0, ge=0, le=10, description="Magnitude of RandAugment; 0: off.")
    randaugment_ops: int = Field(2, ge=1, description="Operations per image of RandAugment.")
    mixup: float = Field(0.8, ge=0, description="Alpha of MixUp; 0: off.")
    cutmix: float = Field(1.0, ge=0, description="Alpha of CutMix; 0: off.")
    mix_probability: Probability = Field(1.0, description="Probability that an image is mixed with another.")
    mix_switch: Probability = Field(0.5, description="Probability of CutMix where MixUp is on as well.")
    erasing: Probability = Field(0.25, description="Probability of random erasing (pixel noise).")
    validate_every: int = Field(
        1, ge=1, description="Epochs between validations; the last is always validated."
    )
    checkpoint_seconds: float = Field(60.0, ge=0, description="Seconds between saves of the resume file.")
    checkpoints: Literal["none", "log"] = Field(
        "none",
        description="`log`: keep the weights before training, after epochs 1, 2, 4, 8, … and the last.",
    )

    def determining(self) -> dict[str, Any]:
        """All keys that determine the files of a training, as they were before `checkpoints` existed."""
        return self.model_dump(mode="json", exclude={"checkpoints"} if self.checkpoints == "none" else None)

    @model_validator(mode="after")
    def _enough_epochs(self) -> Training:
        if self.warmup_epochs + self.cooldown_epochs >= self.epochs + (self.warmup_epochs == 0):
            raise ValueError(
                f"warmup_epochs + cooldown_epochs = {self.warmup_epochs + self.cooldown_epochs:g} "
                f"leave nothing of epochs = {self.epochs}; shorten them"
            )
        return self


class Probes(Section):
    """Classifier heads: sequence pooling and one fully connected layer on the frozen trunk."""

    taps: list[Literal[tuple(TAPS)]] = Field(  # type: ignore[valid-type]
        ["attention", "block"],
        min_length=1,
        description="Places opened in every block, of each network those it has. CCT: "
        + ", ".join(ENCODER_TAPS)
        + ". VGG, ResNet: filters.",
    )
    filter_positions: int = Field(
        4,
        ge=1,
        description="Side of the grid to which a filter's map is averaged, where it is larger, before the "
        "fully connected layer (tap `filters`).",
    )
    bias: bool = Field(False, description="Bias of the fully connected layer.")
    layer_norm: bool | Literal["residual"] = Field(
        "residual",
        description="LayerNorm before the pooling: always, never, or on residual-stream taps only.",
    )
    epochs: int = Field(30, ge=1, description="Passes over the training images, all probes in each.")
    batch_size: int = Field(128, ge=1, description="Images per step.")
    learning_rate: float = Field(1e-3, gt=0, description="Initial learning rate of AdamW.")
    weight_decay: float = Field(5e-2, ge=0, description="Weight decay.")
    schedule: Literal["cosine", "step"] = Field("step", description="As in `training`.")
    step_factor: float = Field(0.78, gt=0, le=1, description="Factor q of the step schedule.")
    step_epochs: int = Field(10, ge=1, description="Interval of the step schedule in epochs.")
    label_smoothing: Probability = Field(0.1, description="Label smoothing.")
    random_crop: int = Field(4, ge=0, description="Padding in pixels of the random crop; 0: off.")
    horizontal_flip: Probability = Field(0.5, description="Probability of a left-right flip.")
    train_per_label: int | None = Field(
        None, ge=1, description="Training images per label that the probes see; `null`: all of `data`."
    )
    checkpoint_seconds: float = Field(60.0, ge=0, description="Seconds between saves of the resume file.")

    @field_validator("taps")
    @classmethod
    def _no_tap_twice(cls, taps: list[str]) -> list[str]:
        if len(set(taps)) != len(taps):
            raise ValueError("a tap is named twice; name each once")
        return taps


class Measurement(Section):
    """The one pass that accumulates label means."""

    inputs: Literal["validation", "training"] = Field(
        "validation",
        description="Images that are averaged (P1 section 4 takes training, elsewhere validation).",
    )
    folds: int = Field(5, ge=2, description="Disjoint parts of the images, for error bars by the jackknife.")
    batch_size: int = Field(250, ge=1, description="Images per forward pass.")
    head_silencing: Literal["readout", "both"] = Field(
        "readout",
        description="Where the other heads are silenced for the matrix of a head (SHP): in the fully "
        "connected layer, or there and, beside it, at the input of the probe, whose pooling then changes.",
    )


class Statistics(Section):
    """Matrices, clusters and signal-to-noise ratio."""

    thresholds: int = Field(99, ge=3, description="Number n of thresholds 1/(n+1) … n/(n+1).")
    reference_threshold: float = Field(0.3, gt=0, lt=1, description="Threshold of the tables and matrices.")
    rule: Literal["first_fit", "min_cover", "largest_first"] = Field(
        "first_fit", description="How a matrix is partitioned into clusters; first_fit is the authors' rule."
    )
    centred: bool = Field(
        False, description="Remove the mean over labels of each node and readout column first."
    )


class Heads(Section):
    """Which head stands for which label, and what chance gives."""

    taps: list[Literal[tuple(tap for tap in TAPS if tap in HEADED_TAPS)]] = Field(  # type: ignore[valid-type]
        ["attention", "attention_rotated"],
        description="Taps whose heads are analysed, as far as `probes.taps` opens them.",
    )
    ratio: float = Field(
        2.0, ge=1, description="A head owns a label if it has it this many times as often as any other (P1)."
    )
    ratios: list[Annotated[float, Field(ge=1)]] = Field(
        [1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
        min_length=1,
        description="Ratios of the ownership curve.",
    )
    n_shuffles: int = Field(999, ge=99, description="Draws of each null model.")
    seed: StrictInt = Field(0, ge=0, description="Seed of these draws.")
    level: float = Field(
        0.05, gt=0, lt=1, description="False-discovery rate below which heads are said to differ."
    )


class Compute(Section):
    """Where the numbers are computed, as far as it can change them."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="`auto` takes a GPU when there is one."
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Arithmetic of matrix products; `auto`: bf16 on a GPU, fp32 on a CPU."
    )


class Experiment(Section):
    """One experiment: data, networks, seeds and what is measured on them."""

    name: Slug = Field(description="Name of the folder under `results/`.")
    title: str = Field("", description="Title of the report.")
    seeds: list[Annotated[StrictInt, Field(ge=0)]] = Field(
        [1, 2, 3], min_length=1, description="One training for each; results are joined over them."
    )
    data: Data = Data()
    networks: dict[Slug, Network] = Field(min_length=1, description="Networks by name, one folder each.")
    training: Training = Training()
    probes: Probes = Field(Probes(), validate_default=True)
    measurement: Measurement = Measurement()
    statistics: Statistics = Statistics()
    heads: Heads = Heads()
    evolution: Evolution = Evolution()
    compute: Compute = Compute()
    published: Literal["P1"] | None = Field(
        None,
        description="Print this paper's values beside ours (P1: arXiv:2501.12900), for its own experiment.",
    )

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

    @field_validator("seeds")
    @classmethod
    def _no_seed_twice(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds):
            raise ValueError("a seed is named twice; name each once")
        return seeds

    @field_validator("probes")
    @classmethod
    def _taps_exist(cls, probes: Probes, info: ValidationInfo) -> Probes:
        networks = info.data.get("networks", {})  # absent where it is itself wrong
        for tap in probes.taps:
            if networks and not any(tap in network.taps for network in networks.values()):
                name, network = next(iter(networks.items()))
                raise ValueError(
                    f"no network has the tap {tap}; "
                    f"{name} ({network.architecture}) has {', '.join(network.taps)}"
                )
        for name, network in networks.items():
            if not set(probes.taps) & set(network.taps):
                raise ValueError(
                    f"taps = {', '.join(probes.taps)} leaves {name} ({network.architecture}) without any; "
                    f"it has {', '.join(network.taps)}"
                )
        return probes

    def taps_of(self, network: str) -> list[str]:
        """Taps of `probes.taps` that a network of this experiment has, in their order."""
        return [tap for tap in self.probes.taps if tap in self.networks[network].taps]
