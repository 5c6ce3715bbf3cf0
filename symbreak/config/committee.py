"""Section `committee`: soft committees of the networks of an experiment."""

from __future__ import annotations

from pydantic import Field, StrictInt

from symbreak.config.section import Section


class Committee(Section):
    """Soft committees: sums of the raw outputs of trained networks; made where there are two or more."""

    exhaustive: int = Field(
        10, ge=1, le=14, description="Up to this many members all committees are judged; beyond, greedy ones."
    )
    groups: dict[str, list[str]] = Field(
        {},
        description="Lists of networks by name: each is one committee for each seed, and one of all seeds.",
    )
    others: list[str] = Field(
        [],
        description="More members: folders of other experiments (`results/…`), or logits files of networks, "
        "judged on the same images. Their networks are called experiment/network.",
    )
    largest_comparison: int = Field(
        6, ge=2, description="Largest committee of the comparison of seeds with architectures."
    )
    draws: int = Field(
        300, ge=1, description="Committees of one size in that comparison, drawn by lot where there are more."
    )
    n_bootstrap: int = Field(1000, ge=99, description="Draws of the images for the intervals.")
    confidence: float = Field(0.95, gt=0, lt=1, description="Confidence of the intervals.")
    seed: StrictInt = Field(0, ge=0, description="Seed of all these draws.")
