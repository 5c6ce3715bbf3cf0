"""Observables of nodes."""
