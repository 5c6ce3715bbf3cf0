"""The open door: any trained network and any labelled data, by one call or one command."""

from symbreak.door.answers import Study
from symbreak.door.opening import study

__all__ = ["Study", "study"]
