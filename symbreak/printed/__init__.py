"""Printed values of the papers, and the rule by which a number agrees with them."""

from symbreak.printed.values import agrees, published, published_table, units

__all__ = ["agrees", "published", "published_table", "units"]
