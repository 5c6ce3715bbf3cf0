"""Section `latency`: how the time of a forward pass is measured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from symbreak.config.section import Count, Distinct, Integer, Section


class Latency(Section):
    """Measured time of a forward pass, where there are `batches`."""

    batches: Distinct[Count] = Field(
        [], description="Images in one forward pass, several numbers one by one; none: nothing is measured."
    )
    modes: Distinct[Literal["eager", "compiled"]] = Field(
        ["eager", "compiled"],
        min_length=1,
        description="The network as it is, and by `torch.compile`; where that fails its place stays empty.",
    )
    repeats: Integer = Field(30, ge=3, le=10**6, description="Timed passes; before them a few that are not.")
    threads: Count = Field(1, description="Processor threads of a pass.")
