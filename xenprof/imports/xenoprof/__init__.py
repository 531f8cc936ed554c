"""Brings captures of a real host into the store by the path that the model uses."""
