"""Networks that others made: by their name, with weights from files as people have them."""

from symbreak.models.foreign.resolve import RANDOM, Resolved, resolve

__all__ = ["RANDOM", "Resolved", "resolve"]
