"""Compares the model with published measurements."""
