"""Reads everything about a host at one moment, as a report."""
