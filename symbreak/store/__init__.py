"""Files: schema, provenance, atomic writes, validation. Ground floor of both wings."""

from symbreak.store.atomic import replacing
from symbreak.store.netcdf import check, described, open_dataset, read_values, write_dataset
from symbreak.store.provenance import now, provenance
from symbreak.store.weights import read_weights, write_weights

__all__ = [
    "check",
    "described",
    "now",
    "open_dataset",
    "provenance",
    "read_values",
    "read_weights",
    "replacing",
    "write_dataset",
    "write_weights",
]
