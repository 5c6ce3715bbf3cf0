"""Observables of soft committees."""
