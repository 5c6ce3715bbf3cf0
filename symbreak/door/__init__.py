"""The open door: any trained network and any labelled data, by one call or one command.

What runs a network is imported when it is used: features and moments in files need no torch.
"""

from typing import Any

from symbreak.door.answers import Study

__all__ = ["Study", "study"]


def __getattr__(name: str) -> Any:
    if name == "study":
        from symbreak.door.opening import study

        return study
    raise AttributeError(f"module 'symbreak.door' has no attribute {name!r}")
