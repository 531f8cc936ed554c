"""What code there is, what it costs, where it lies and who calls it."""
