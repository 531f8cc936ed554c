"""Reads and checks scenario files, which say what is simulated."""
