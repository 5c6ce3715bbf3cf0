"""Compiled passes for training on processors, behind one switch."""
