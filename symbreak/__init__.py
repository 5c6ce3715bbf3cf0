"""symbreak: how attention heads and nodes of a trained network divide labels among themselves."""

__version__ = "0.1.0"
