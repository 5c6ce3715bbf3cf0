"""Verbs that make tables, figures and pages."""
