"""Estimates what Xen does not count, by looking again and again."""
