"""Runs experiments: variants of a scenario, each with several seeds, and what they give."""
