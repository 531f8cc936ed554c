"""A rolling history of what a running service samples: time slices on disk, and their push."""
