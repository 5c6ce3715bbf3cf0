"""Section `latency`: how the time of a forward pass is measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from symbreak.config.section import Section


class Latency(Section):
    """Measured time of a forward pass, where there are `batches`."""

    batches: list[Annotated[int, Field(ge=1)]] = Field(
        [], description="Images in one forward pass, several numbers one by one; none: nothing is measured."
    )
    modes: list[Literal["eager", "compiled"]] = Field(
        ["eager", "compiled"],
        min_length=1,
        description="The network as it is, and by `torch.compile`; where that fails its place stays empty.",
    )
    repeats: int = Field(30, ge=3, description="Timed passes; before them a few that are not.")
    threads: int = Field(1, ge=1, description="Processor threads of a pass.")

    @field_validator("batches", "modes")
    @classmethod
    def _nothing_twice(cls, values: list) -> list:
        if len(set(values)) != len(values):
            raise ValueError("an entry is named twice; name each once")
        return values
