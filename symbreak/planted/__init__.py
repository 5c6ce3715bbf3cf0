"""Worlds with known truth, in which every estimator can be checked."""

from symbreak.planted.calibration import calibrate
from symbreak.planted.copula import copula_null
from symbreak.planted.divided import divided_labels
from symbreak.planted.examples import (
    evolution_example,
    head_tables_example,
    moments_example,
    pruning_example,
    silencing_example,
)
from symbreak.planted.gaussian import BlockMatrix, LinearWorld, block_matrix, linear_gaussian
from symbreak.planted.matched import matched_gaussian, null_statistics
from symbreak.planted.specialised import (
    HeadGainWorld,
    MembershipWorld,
    binomial_heads,
    head_gain,
    specialised_heads,
)
from symbreak.planted.votes import committee_example, independent_members

__all__ = [
    "BlockMatrix",
    "HeadGainWorld",
    "LinearWorld",
    "MembershipWorld",
    "binomial_heads",
    "block_matrix",
    "calibrate",
    "committee_example",
    "copula_null",
    "divided_labels",
    "evolution_example",
    "head_gain",
    "head_tables_example",
    "independent_members",
    "linear_gaussian",
    "matched_gaussian",
    "moments_example",
    "null_statistics",
    "pruning_example",
    "silencing_example",
    "specialised_heads",
]
