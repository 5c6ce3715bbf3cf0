"""From pooled features per image to a moments file: readouts, label means, accuracies of heads.

This is the door for everybody who has features of a network, from whatever tool; `symbreak.study` comes
through it as well.
"""

from symbreak.features.fitting import Origin, moments
from symbreak.features.ridge import RidgeSums
from symbreak.features.sums import MomentSums

__all__ = ["MomentSums", "Origin", "RidgeSums", "moments"]
