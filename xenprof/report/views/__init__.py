"""Computes views of stack profiles: tables, trees, ratios of events, comparisons."""
