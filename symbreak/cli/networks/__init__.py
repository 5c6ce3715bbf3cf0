"""Verbs for networks and data of any make."""
