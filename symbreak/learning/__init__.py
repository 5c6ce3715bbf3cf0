"""Train networks and their classifier heads, resumably."""

from symbreak.learning.probes import train_probes
from symbreak.learning.train import train_network

__all__ = ["train_network", "train_probes"]
