"""Clusters of labels that a field matrix holds together, and scans of them over thresholds."""

from symbreak.clusters.partitioning import RULES, largest_cluster, membership, partition, partitions
from symbreak.clusters.scanning import scan, scan_matrices

__all__ = ["RULES", "largest_cluster", "membership", "partition", "partitions", "scan", "scan_matrices"]
