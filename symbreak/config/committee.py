"""Section `committee`: soft committees of the networks of an experiment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from symbreak.config.section import Count, Distinct, Fraction, Integer, Line, Place, Section, Seed


class Committee(Section):
    """Soft committees: sums of the raw outputs of trained networks; made where there are two or more."""

    exhaustive: Integer = Field(
        10,
        ge=1,
        le=14,
        description="Up to this many members all committees are evaluated; beyond, greedy ones.",
    )
    largest_search: Integer = Field(
        32,
        ge=2,
        le=10_000,
        description="Beyond that, committees are grown among so many of the most accurate members.",
    )
    groups: dict[Line, Annotated[Distinct[Line], Field(min_length=1)]] = Field(
        {},
        description="Lists of networks by name: each is one committee for each seed, and one of all seeds.",
    )
    others: Distinct[Place] = Field(
        [],
        description="More members: folders of other experiments (`results/…`), or logits files of networks, "
        "evaluated on the same images. Their networks are called experiment/network.",
    )
    largest_comparison: Integer = Field(
        6, ge=2, le=1000, description="Largest committee of the comparison of seeds with architectures."
    )
    draws: Count = Field(
        300, description="Committees of one size in that comparison, drawn at random where there are more."
    )
    n_bootstrap: Integer = Field(1000, ge=99, le=10**6, description="Draws of the images for the intervals.")
    confidence: Fraction = Field(0.95, description="Confidence of the intervals.")
    seed: Seed = Field(0, description="Seed of all these draws.")
