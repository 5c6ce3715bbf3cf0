"""Section `evolution`: how the networks kept during training are measured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from symbreak.config.section import Section
from symbreak.config.taps import HEADED_TAPS, TAPS


class Evolution(Section):
    """Order of the heads against training epoch, where `training.checkpoints` is `log`."""

    taps: list[Literal[tuple(tap for tap in TAPS if tap in HEADED_TAPS)]] = Field(  # type: ignore[valid-type]
        ["attention"],
        min_length=1,
        description="Taps followed through the training; each network has its own probes there.",
    )
    probe_epochs: int = Field(
        1, ge=1, description="Passes over the training images for the probes of each kept network."
    )

    @field_validator("taps")
    @classmethod
    def _no_tap_twice(cls, taps: list[str]) -> list[str]:
        if len(set(taps)) != len(taps):
            raise ValueError("a tap is named twice; name each once")
        return taps
