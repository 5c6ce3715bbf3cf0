"""Keys of training: the network itself and its classifier heads."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from symbreak.config.section import Probability, Section
from symbreak.config.taps import ENCODER_TAPS, TAPS


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
        """All keys that determine the files of a training; `checkpoints`, a later one, where it is set."""
        return self.model_dump(mode="json", exclude={"checkpoints"} if self.checkpoints == "none" else set())

    @model_validator(mode="before")
    @classmethod
    def _without_a_removed_key(cls, given: Any) -> Any:
        """Files of earlier versions may hold `together: false`."""
        if isinstance(given, dict) and given.get("together") is False:
            return {name: value for name, value in given.items() if name != "together"}
        return given

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
    cache: float = Field(
        2.0,
        ge=0,
        description="Gigabytes up to which features of all training images are kept, if none is augmented "
        "(`random_crop: 0`, `horizontal_flip: 0`): the trunk then runs once, not in every epoch. 0: never.",
    )

    def determining(self) -> dict[str, Any]:
        """All keys that determine the probes; keeping features does not change them."""
        return self.model_dump(mode="json", exclude={"cache"})

    @field_validator("taps")
    @classmethod
    def _no_tap_twice(cls, taps: list[str]) -> list[str]:
        if len(set(taps)) != len(taps):
            raise ValueError("a tap is named twice; name each once")
        return taps
