"""One pass over images: label means, head accuracies, output fields."""

from symbreak.measure.moments import measure

__all__ = ["measure"]
