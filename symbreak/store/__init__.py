"""Files: schema, provenance, atomic writes, validation. Ground floor of both wings."""

from symbreak.store.atomic import replacing, replacing_text
from symbreak.store.netcdf import check, open_dataset, read_values, write_dataset
from symbreak.store.provenance import brought, now, provenance
from symbreak.store.variables import describe

__all__ = [
    "brought",
    "check",
    "describe",
    "now",
    "open_dataset",
    "provenance",
    "read_values",
    "replacing",
    "replacing_text",
    "write_dataset",
]
