"""Section `evolution`: how the networks kept during training are measured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from symbreak.config.section import Count, Distinct, Section
from symbreak.config.taps import HEADED_TAPS, TAPS


class Evolution(Section):
    """Order of the heads against training epoch, where `training.checkpoints` is `log`."""

    taps: Distinct[Literal[tuple(tap for tap in TAPS if tap in HEADED_TAPS)]] = Field(  # type: ignore[valid-type]
        ["attention"],
        min_length=1,
        description="Taps followed through the training; each network has its own probes there.",
    )
    probe_epochs: Count = Field(
        1, description="Passes over the training images for the probes of each kept network."
    )
