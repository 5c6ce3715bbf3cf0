"""Superclasses filled by the labels of heads: laws and tests."""
