"""Verbs that check settings, files, tests and the machine."""
