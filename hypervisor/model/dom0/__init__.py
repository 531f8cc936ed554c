"""Domain 0's own programs, which it runs besides the backends."""
