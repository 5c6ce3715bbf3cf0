"""Keys of a network: a compact convolutional transformer or a convolutional network."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, model_validator

from symbreak.config.convolutions import FilterMap, filter_maps
from symbreak.config.section import ARCHITECTURE, Count, Integer, Positive, Probability, Section, Whole
from symbreak.config.taps import ENCODER_TAPS, FILTER_TAPS

#: Keys that came later, at their default: networks of before need no new training, their files stay the same.
_LATER = {"convolutions_behind": 0, "epochs": None}


class Network(Section):
    """A compact convolutional transformer (CCT), or a convolutional network (VGG, ResNet)."""

    architecture: str = Field(
        "cct_7_3x1",
        pattern=ARCHITECTURE,
        description="`cct_{blocks}_{kernel}x{convs}`: encoder blocks, kernel and number of convolutions; "
        "`vgg_{layers}` (6, 11, 13, 16, 19) or `resnet_{layers}` (20, 32, …). "
        "The last two know `image_size`, `inner_channels`, `dropout` and `epochs` only.",
    )
    dim: Count = Field(256, description="Width of the tokens, number of heads × head size.")
    heads: Count | list[Count] = Field(4, description="Attention heads, one number or one for each block.")
    mlp_ratio: Positive = Field(2.0, description="Width of the first feed-forward layer over `dim`.")
    image_size: Integer = Field(32, ge=4, le=4096, description="Side of the square input in pixels.")
    inner_channels: Count | list[Count] = Field(
        64,
        description="CCT: channels of all convolutions but the last, one number or one for each. VGG, "
        "ResNet: filters of the first stage, for a ResNet 16 if not given.",
    )
    pooling: Literal["every", "first"] = Field(
        "every", description="Max-pool after every convolution (official) or after the first only (P2)."
    )
    convolutions_behind: Whole = Field(
        0,
        description="CCT: convolutions between the last encoder block and the pooling of the tokens, with "
        "the kernel of the others, `dim` channels, stride 1, no max-pooling (P2 section 3, order reversed).",
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

    epochs: Count | None = Field(
        None, description="Epochs of this network's training; `null`: those of `training`."
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
    def channels(self) -> tuple[int, ...]:
        """Channels before and after every convolution of a CCT, from the three colours to `dim`.

        Examples
        --------
        >>> Network(architecture="cct_2_3x3", inner_channels=[32, 64]).channels
        (3, 32, 64, 256)
        """
        inner, convolutions = self.inner_channels, self.shape[2]
        return (3, *([inner] * (convolutions - 1) if isinstance(inner, int) else inner), self.dim)

    @property
    def hidden(self) -> int:
        """Nodes of the first feed-forward layer.

        Examples
        --------
        >>> Network(dim=22, heads=2, mlp_ratio=30 / 22).hidden
        30
        """
        return int(self.dim * self.mlp_ratio + 1e-6)  # a ratio of two numbers is rarely exact

    @property
    def filter_maps(self) -> tuple[FilterMap, ...]:
        """Filters and map of every block of a convolutional network."""
        if not isinstance(self.inner_channels, int):
            raise ValueError(f"inner_channels of {self.architecture} is one number, not a list; give one")
        return filter_maps(self.architecture, self.inner_channels, self.image_size)

    @property
    def nominal_latency(self) -> int:
        """Layers in series: convolutions + 4 · encoder blocks + 1 (P2 section 3).

        The layers of an encoder block are query-key-value, projection and two of the feed-forward branch.
        Of a VGG or ResNet, in the same spirit, convolutions + 1.

        Examples
        --------
        >>> [Network(architecture=name).nominal_latency for name in ("cct_7_3x1", "cct_2_3x5")]
        [30, 14]
        >>> Network(architecture="resnet_20").nominal_latency
        20
        """
        if self.convolutional:
            residual = self.architecture.startswith("resnet")
            return (1 + 2 * self.blocks if residual else self.blocks) + 1
        return self.shape[2] + self.convolutions_behind + 4 * self.blocks + 1

    @property
    def blocks(self) -> int:
        """Number of blocks: encoders of a CCT, convolutions of a VGG, basic blocks of a ResNet."""
        return len(self.filter_maps) if self.convolutional else self.shape[0]

    @property
    def heads_per_block(self) -> tuple[int, ...]:
        """Attention heads of every block."""
        return (self.heads,) * self.blocks if isinstance(self.heads, int) else tuple(self.heads)

    def described(self) -> dict[str, Any]:
        """All keys as they are kept with the weights; those of later versions if not at their default."""
        later = {name for name, default in _LATER.items() if getattr(self, name) == default}
        return self.model_dump(mode="json", exclude=later)

    def determining(self) -> dict[str, Any]:
        """All keys that determine a trained network, as they were before `trained` existed."""
        settings = self.described()
        if self.trained:
            del settings["trained"]
        return settings

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
            self._require_tokens()
        return self

    def _require_filters(self) -> None:
        _ = self.filter_maps  # refuses impossible names and sizes
        for name, field in type(self).model_fields.items():
            known = name in ("architecture", "image_size", "inner_channels", "dropout", "epochs", "trained")
            if not known and getattr(self, name) != field.default:
                raise ValueError(f"{self.architecture} has no {name}; remove this key")

    def _require_heads(self) -> None:
        if min(self.shape) < 1:
            raise ValueError(
                f"architecture {self.architecture} needs at least one block, kernel pixel and convolution"
            )
        if self.hidden < 1:
            raise ValueError(f"mlp_ratio = {self.mlp_ratio:g} leaves no node of dim = {self.dim}; raise it")
        if len(self.heads_per_block) != self.blocks:
            raise ValueError(
                f"heads lists {len(self.heads_per_block)} numbers for {self.blocks} blocks; give one each"
            )
        for heads in self.heads_per_block:
            if heads < 1 or self.dim % heads:
                raise ValueError(
                    f"dim = {self.dim} is not divisible into heads = {heads}; choose a divisor of dim"
                )

    def _require_tokens(self) -> None:
        inner = self.inner_channels
        if not isinstance(inner, int) and len(inner) != self.shape[2] - 1:
            raise ValueError(
                f"inner_channels lists {len(inner)} numbers for the {self.shape[2] - 1} convolutions before "
                "the last; give one each"
            )
