"""Section `pruning`: which weights of a trained network go, by which rule, and how it recovers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from symbreak.config.network import Network
from symbreak.config.section import Amount, Count, Distinct, Fraction, Positive, Section, Stem, Whole
from symbreak.config.taps import ENCODER_TAPS

#: Layer of an encoder block -> taps of its input and output nodes (P1 Fig. 6).
LAYER_TAPS: dict[str, tuple[str, str]] = {
    "qkv": ("attention_norm", "qkv"),
    "projection": ("attention", "projection_skip"),
    "linear1": ("feedforward_norm", "linear1"),
    "linear2": ("linear1", "block"),
}

#: The last fully connected layer; its nodes are evaluated by the network's own classifier head.
READOUT = "readout"

#: Rules that choose the weights which stay, each at the same number of weights.
METHODS: dict[str, str] = {
    "andc": "nodes share a label (ANDC)",
    "artificial": "nodes share a label of balanced random sets (A-ANDC)",
    "random": "random weights",
    "magnitude": "largest weights (L1)",
    "artificial_scratch": "A-ANDC, trained from scratch",
}


class Study(Section):
    """One set of layers that is pruned, at several numbers of kept weights."""

    layers: Distinct[Literal["readout", "qkv", "projection", "linear1", "linear2"]] = Field(
        ["qkv", "projection", "linear1", "linear2"],
        min_length=1,
        description="Layers that lose weights. `readout`, the last fully connected layer, is evaluated by "
        "the network's own classifier head; networks without encoders know only this one.",
    )
    blocks: Literal["last", "all"] | Annotated[Distinct[Count], Field(min_length=1)] = Field(
        "last", description="Blocks whose layers lose weights: `last`, `all`, or numbers from 1."
    )
    kept: Distinct[Fraction] = Field(
        [0.2],
        description="Fractions of the weights to keep; the threshold, one for all taps, follows from each.",
    )
    thresholds: dict[Literal[(*ENCODER_TAPS, READOUT)], Fraction] = Field(  # type: ignore[valid-type]
        {},
        description="Thresholds by tap, a setting of its own named `given`; taps not named here have "
        "`statistics.reference_threshold`.",
    )
    snr_minimum: bool = Field(
        False,
        description="A setting of its own: at each tap of each block the threshold where SNR_MIN is largest.",
    )
    snr_limit: bool = Field(
        False,
        description="A setting of its own: at each tap of each block the highest threshold at which SNR_MIN "
        "still reaches 1 (P1 excludes those above).",
    )
    projection_tap: Literal["projection_skip", "projection"] = Field(
        "projection_skip",
        description="Where the output nodes of the projection are evaluated: with the skip connection (P1) "
        "or without.",
    )
    linear2_tap: Literal["block", "linear2"] = Field(
        "block",
        description="Where the output nodes of Linear2 are evaluated: with the skip connection or without.",
    )
    methods: Distinct[Literal[tuple(METHODS)]] = Field(  # type: ignore[valid-type]
        ["andc", "artificial", "random", "magnitude"],
        min_length=1,
        description="Rules that are compared, all at the kept weights of `andc`: "
        + "; ".join(f"`{name}`: {words}" for name, words in METHODS.items())
        + ".",
    )
    epochs: Count | None = Field(None, description="Epochs of retraining; `null`: `pruning.epochs`.")
    learning_rate: Positive | None = Field(
        None, description="Learning rate of retraining; `null`: `pruning.learning_rate`."
    )

    @property
    def settings(self) -> list[str]:
        """Names of the settings in their order, the first of which is shown in full.

        Examples
        --------
        >>> Study(kept=[0.056, 0.2], snr_minimum=True).settings
        ['kept 0.056', 'kept 0.2', 'snr_minimum']
        """
        named = [f"kept {fraction:g}" for fraction in self.kept]
        named += ["given"] * bool(self.thresholds)
        return named + ["snr_minimum"] * self.snr_minimum + ["snr_limit"] * self.snr_limit

    def taps_of_layer(self, layer: str) -> tuple[str, str]:
        """Taps of the input and of the output nodes of a layer.

        Examples
        --------
        >>> Study(projection_tap="projection").taps_of_layer("projection")
        ('attention', 'projection')
        """
        before, after = LAYER_TAPS[layer]
        return before, {"projection": self.projection_tap, "linear2": self.linear2_tap}.get(layer, after)

    @property
    def places(self) -> list[str]:
        """Taps whose nodes are evaluated, and `readout` where the network's own classifier head is.

        Examples
        --------
        >>> Study(layers=["linear1", "readout"]).places
        ['feedforward_norm', 'linear1', 'readout']
        """
        taps = {tap for layer in self.layers if layer != READOUT for tap in self.taps_of_layer(layer)}
        return [tap for tap in ENCODER_TAPS if tap in taps] + [READOUT] * (READOUT in self.layers)

    def prunes(self, network: Network) -> bool:
        """Whether a network takes part: it is trained and has the layers and blocks."""
        if not network.trained or (network.convolutional and not self.only_readout):
            return False
        return all(block <= network.blocks for block in self.blocks_of(network.blocks))

    @property
    def only_readout(self) -> bool:
        """Whether no layer of a block loses weights."""
        return set(self.layers) == {READOUT}

    @model_validator(mode="after")
    def _something_to_do(self) -> Study:
        if not self.settings:
            raise ValueError(
                "there is no setting; give kept, thresholds, snr_minimum: true or snr_limit: true"
            )
        if len(set(self.settings)) < len(self.settings):
            raise ValueError("two of kept have the same first six digits, by which they are named; drop one")
        if "andc" not in self.methods:
            raise ValueError("methods lacks andc, whose kept weights all others are given; add it")
        return self

    def blocks_of(self, n_blocks: int) -> list[int]:
        """Numbers of the pruned blocks in a network of so many.

        Examples
        --------
        >>> Study(blocks="all").blocks_of(3), Study().blocks_of(3), Study(layers=["readout"]).blocks_of(3)
        ([1, 2, 3], [3], [])
        """
        if self.only_readout:
            return []
        if isinstance(self.blocks, list):
            return sorted(self.blocks)
        return list(range(1, n_blocks + 1)) if self.blocks == "all" else [n_blocks]


class Pruning(Section):
    """Pruning by the labels of nodes (ANDC, P1 section 3) and its controls, where there are `studies`."""

    studies: dict[Stem, Study] = Field(
        {}, description="Studies by name, see `pruning.studies.<name>` below; none: nothing is pruned."
    )
    epochs: Count = Field(5, description="Passes over the images of the short retraining.")
    batch_size: Count = Field(100, description="Images per step.")
    learning_rate: Positive = Field(5e-4, description="Initial learning rate in the pruned blocks (P1).")
    learning_rate_rest: Amount = Field(
        0.0,
        description="Initial learning rate of all other weights, P1: 1e-6. 0: they are frozen, what lies "
        "before the first pruned block is computed once and images are not augmented.",
    )
    schedule: Literal["cosine", "constant"] = Field("cosine", description="Learning rate of the retraining.")
    weight_decay: Amount = Field(1e-2, description="Weight decay of the retraining (P1).")
    train_per_label: Count | None = Field(
        None,
        description="Training images per label of the retraining, and of classifier heads at taps that "
        "`probes.taps` lacks; `null`: all of `data`.",
    )
    validation_per_label: Count | None = Field(
        None, description="Images per label that accuracies are measured on; `null`: all of `data`."
    )
    scratch_epochs: Count | None = Field(
        None, description="Epochs of `artificial_scratch`; `null`: those of `training`."
    )
    silenced: Whole = Field(
        200, description="Draws of random nodes in the study of silenced nodes; 0: no such study."
    )
    silenced_share: Fraction = Field(
        0.1, description="Share of the nodes that the second criterion of that study silences."
    )
    checkpoint_seconds: Amount = Field(60.0, description="Seconds between saves of the resume file.")

    def taps_of(self, studies: list[str]) -> list[str]:
        """Taps at which nodes are evaluated, in the order of the data flow.

        Examples
        --------
        >>> Pruning(studies={"last": Study(layers=["linear1"])}).taps_of(["last"])
        ['feedforward_norm', 'linear1']
        """
        wanted = {tap for name in studies for tap in self.studies[name].places}
        return [tap for tap in ENCODER_TAPS if tap in wanted]

    def retraining(self, study: str) -> tuple[int, float]:
        """Epochs and learning rate of a study."""
        own = self.studies[study]
        return own.epochs or self.epochs, own.learning_rate or self.learning_rate
