"""Arithmetic on stack profiles: tables, trees, ratios of events, comparison."""
