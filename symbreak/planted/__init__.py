"""Worlds with known truth, in which every estimator can be checked."""

from symbreak.planted.examples import moments_example
from symbreak.planted.gaussian import BlockMatrix, LinearWorld, block_matrix, linear_gaussian

__all__ = ["BlockMatrix", "LinearWorld", "block_matrix", "linear_gaussian", "moments_example"]
