"""Printed values of the papers, and the rule by which a number agrees with them."""

from symbreak.printed.values import Printed, agrees, published, published_table, units, with_printed

__all__ = ["Printed", "agrees", "published", "published_table", "units", "with_printed"]
