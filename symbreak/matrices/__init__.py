"""Field matrices from the two arrays every network can give: label means and readout weights."""

from symbreak.matrices.field_matrices import by_head, centre, check_factors, clip, field_maximum, nodal
from symbreak.matrices.means import label_means

__all__ = ["by_head", "centre", "check_factors", "clip", "field_maximum", "label_means", "nodal"]
