"""Keeps a rolling history of a running service's samples: time slices on disk, and their push."""
