"""Verbs that are steps of the workflow: open files, call the library, write files."""
