"""Keys of training: the network itself and its classifier heads."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from symbreak.config.section import Amount, Count, Distinct, Positive, Probability, Section, Whole
from symbreak.config.taps import ENCODER_TAPS, TAPS


class Training(Section):
    """How a network is trained."""

    epochs: Count = Field(300, description="Passes over the training images, warm-up and cool-down included.")
    batch_size: Count = Field(128, description="Images per step.")
    optimizer: Literal["adamw", "sgd"] = Field(
        "adamw", description="AdamW or SGD with Nesterov momentum 0.9."
    )
    learning_rate: Positive = Field(6e-4, description="Peak learning rate.")
    learning_rate_final: Amount = Field(1e-5, description="Learning rate at the end of the cosine.")
    weight_decay: Amount = Field(6e-2, description="Weight decay, not on biases, norms and embeddings.")
    weight_decay_final: Amount | None = Field(
        None, description="Weight decay at the end of its own cosine (P2); `null`: constant."
    )
    schedule: Literal["cosine", "step"] = Field(
        "cosine", description="Cosine decay, or multiply by `step_factor` every `step_epochs` (P1)."
    )
    schedule_update: Literal["step", "epoch"] = Field(
        "epoch", description="Change the learning rate every optimiser step or every epoch (official)."
    )
    step_factor: Positive = Field(0.8, le=1, description="Factor q of the step schedule.")
    step_epochs: Count = Field(10, description="Interval of the step schedule in epochs.")
    warmup_epochs: Amount = Field(10, description="Linear warm-up in epochs, from 1e-6.")
    cooldown_epochs: Amount = Field(10, description="Last epochs at the final learning rate.")
    label_smoothing: Probability = Field(0.1, description="Label smoothing.")
    gradient_clip: Positive | None = Field(None, description="Largest gradient norm; `null`: no clipping.")
    normalisation: Literal["image", "dataset"] = Field(
        "image",
        description="Each image minus its mean over its deviation (papers), or data-set mean and deviation.",
    )
    random_crop: Whole = Field(0, description="Padding in pixels of the random crop; 0: off.")
    horizontal_flip: Probability = Field(0.5, description="Probability of a left-right flip.")
    random_resized_crop: Positive = Field(0.8, le=1, description="Smallest area of the resized crop; 1: off.")
    randaugment: Amount = Field(9.0, le=10, description="Magnitude of RandAugment; 0: off.")
    randaugment_ops: Count = Field(2, description="Operations per image of RandAugment.")
    mixup: Amount = Field(0.8, description="Alpha of MixUp; 0: off.")
    cutmix: Amount = Field(1.0, description="Alpha of CutMix; 0: off.")
    mix_probability: Probability = Field(1.0, description="Probability that an image is mixed with another.")
    mix_switch: Probability = Field(0.5, description="Probability of CutMix where MixUp is on as well.")
    erasing: Probability = Field(0.25, description="Probability of random erasing (pixel noise).")
    validate_every: Count = Field(1, description="Epochs between validations; the last is always validated.")
    checkpoint_seconds: Amount = Field(60.0, description="Seconds between saves of the resume file.")
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

    taps: Distinct[Literal[tuple(TAPS)]] = Field(  # type: ignore[valid-type]
        ["attention", "block"],
        min_length=1,
        description="Places opened in every block, of each network those it has. CCT: "
        + ", ".join(ENCODER_TAPS)
        + ". VGG, ResNet: filters.",
    )
    filter_positions: Count = Field(
        4,
        description="Side of the grid to which a filter's map is averaged, where it is larger, before the "
        "fully connected layer (tap `filters`).",
    )
    pooling: Literal["learned", "mean"] = Field(
        "learned", description="Pooling over the tokens: learned with the layer (the papers'), or their mean."
    )
    solver: Literal["adamw", "lbfgs", "ridge"] = Field(
        "adamw",
        description="`adamw`: trained for `epochs` (the papers'); `lbfgs`, `ridge`: logistic or linear "
        "regression on the pooled features of one pass over the training images as they are, for "
        "`pooling: mean` without bias.",
    )
    bias: bool = Field(False, description="Bias of the fully connected layer.")
    layer_norm: bool | Literal["residual"] = Field(
        "residual",
        description="LayerNorm before the pooling: always, never, or on residual-stream taps only.",
    )
    epochs: Count = Field(30, description="Passes over the training images, all probes in each.")
    batch_size: Count = Field(128, description="Images per step.")
    learning_rate: Positive = Field(1e-3, description="Initial learning rate of AdamW.")
    weight_decay: Amount = Field(5e-2, description="Weight decay.")
    schedule: Literal["cosine", "step"] = Field("step", description="As in `training`.")
    step_factor: Positive = Field(0.78, le=1, description="Factor q of the step schedule.")
    step_epochs: Count = Field(10, description="Interval of the step schedule in epochs.")
    label_smoothing: Probability = Field(0.1, description="Label smoothing.")
    random_crop: Whole = Field(4, description="Padding in pixels of the random crop; 0: off.")
    horizontal_flip: Probability = Field(0.5, description="Probability of a left-right flip.")
    train_per_label: Count | None = Field(
        None, description="Training images per label that the probes see; `null`: all of `data`."
    )
    checkpoint_seconds: Amount = Field(60.0, description="Seconds between saves of the resume file.")
    cache: Amount = Field(
        2.0,
        description="Gigabytes up to which features of all training images are kept, if none is augmented "
        "(`random_crop: 0`, `horizontal_flip: 0`): the trunk then runs once, not in every epoch. 0: never.",
    )

    def determining(self) -> dict[str, Any]:
        """All keys that determine the probes; keeping features does not change them."""
        later = {"pooling": "learned", "solver": "adamw"}
        unset = {name for name, default in later.items() if getattr(self, name) == default}
        return self.model_dump(mode="json", exclude=unset | {"cache"})

    @model_validator(mode="after")
    def _solvable(self) -> Probes:
        if self.solver != "adamw" and (self.pooling != "mean" or self.bias):
            raise ValueError(f"solver: {self.solver} fits a layer without bias on pooling: mean; set both so")
        return self
